// A plugin error says which plugin failed, how, and what it wrote last.

import type { Exit } from "../process/child.ts";

/** Something went wrong with a plugin's process. */
export class PluginError extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "PluginError";
  /** The plugin: its path, or what it is called. */
  readonly plugin: string;
  /** Its last lines on stderr, oldest first. */
  readonly lastLines: readonly string[];
  /** How its process ended, if it did. */
  readonly exit?: Exit;

  /**
   * Makes an error that tells of one plugin.
   *
   * @param plugin The plugin: its path, or what it is called.
   * @param what What went wrong, as the end of a sentence that begins with the plugin.
   * @param lastLines Its last lines on stderr.
   * @param exit How its process ended, if it did.
   * @param options What caused it.
   */
  constructor(
    plugin: string,
    what: string,
    lastLines: readonly string[] = [],
    exit?: Exit,
    options?: ErrorOptions,
  ) {
    const words = lastLines.length === 0
      ? ""
      : `\nIt wrote:\n${lastLines.map((line) => `    ${line}`).join("\n")}`;
    super(`${plugin} ${what}${words}`, options);
    this.plugin = plugin;
    this.lastLines = lastLines;
    if (exit !== undefined) this.exit = exit;
  }
}
