// The registry of baler's commands: the synopsis of each for `baler help`, and a
// function that loads it on demand.

import type { HostCommand } from "./command.ts";

/** A command that has not been loaded. */
export interface CommandEntry {
  /** A one-line description. */
  synopsis: string;
  /** Loads it. */
  load(): Promise<HostCommand>;
}

/** baler's own commands. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  build: {
    synopsis: "build artifacts from a template",
    load: async () => (await import("./commands/build.ts")).build,
  },
  completion: {
    synopsis: "print a completion script for a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  console: {
    synopsis: "evaluate {{...}} expressions",
    load: async () => (await import("./commands/console.ts")).console,
  },
  fix: {
    synopsis: "update a template that was written for an older Packer",
    load: async () => (await import("./commands/fix.ts")).fix,
  },
  help: {
    synopsis: "show the help of baler, a command or a component",
    load: async () => (await import("./commands/help.ts")).help,
  },
  inspect: {
    synopsis: "show the components of a template",
    load: async () => (await import("./commands/inspect.ts")).inspect,
  },
  plugins: {
    synopsis: "list the plugins that would be used, and why",
    load: async () => (await import("./commands/plugins.ts")).plugins,
  },
  schema: {
    synopsis: "print the JSON Schema of templates, for editors",
    load: async () => (await import("./commands/schema.ts")).schema,
  },
  validate: {
    synopsis: "check that a template is valid",
    load: async () => (await import("./commands/validate.ts")).validate,
  },
  version: {
    synopsis: "show baler's version",
    load: async () => (await import("./commands/version.ts")).version,
  },
};
