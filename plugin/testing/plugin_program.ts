// A plugin as a program: its components are tested over the real wire, in a
// process of their own.

/** How a plugin's process is started. */
export interface PluginProgramOptions {
  /** The component's name; "" for the only one of its kind. */
  readonly name?: string;
  /** The environment of the process; that of the test by default. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A plugin that is run as baler runs it: from source or compiled.
 *
 * @example
 * ```ts ignore
 * import { PluginProgram, testBuilder } from "@baler/baler/testing";
 *
 * const source = new PluginProgram([
 *   Deno.execPath(), "run", "--allow-write", "main.ts",
 * ]);
 * await using builder = await testBuilder(source, { config: { file: "a" } });
 * ```
 */
export class PluginProgram {
  /** The command that runs it: the path of an executable, or a list of arguments. */
  readonly command: string | readonly string[];
  /** How its process is started. */
  readonly options: PluginProgramOptions;

  /**
   * Describes how the plugin is run; nothing runs yet.
   *
   * @param command The path of an executable, or a list of arguments.
   * @param options How its process is started.
   */
  constructor(
    command: string | readonly string[],
    options: PluginProgramOptions = {},
  ) {
    this.command = command;
    this.options = options;
  }
}
