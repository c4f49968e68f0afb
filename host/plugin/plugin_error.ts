// The error of a plugin: which plugin failed, how, and its last lines of output.

import type { Exit } from "../process/child.ts";

/** A plugin's process has failed. */
export class PluginError extends Error {
  /** The name of the error's class, which is kept when the error is sent to another process. */
  override readonly name = "PluginError";
  /** The plugin's name, or its path. */
  readonly plugin: string;
  /** Its last lines of output, oldest first. */
  readonly lastLines: readonly string[];
  /** How its process exited, if it did. */
  readonly exit?: Exit;

  /**
   * Creates an error about one plugin.
   *
   * @param plugin The plugin's name, or its path.
   * @param what What happened, as a predicate whose subject is the plugin.
   * @param lastLines Its last lines of output.
   * @param exit How its process exited, if it did.
   * @param options The cause.
   */
  constructor(
    plugin: string,
    what: string,
    lastLines: readonly string[] = [],
    exit?: Exit,
    options?: ErrorOptions,
  ) {
    const output = lastLines.length === 0
      ? ""
      : `\nIt wrote:\n${lastLines.map((line) => `    ${line}`).join("\n")}`;
    super(`${plugin} ${what}${output}`, options);
    this.plugin = plugin;
    this.lastLines = lastLines;
    if (exit !== undefined) this.exit = exit;
  }
}
