// The words of the command line, each with what `baler help` says of it and
// where it is loaded from when it is called.

import type { HostCommand } from "./command.ts";

/** A word of the command line that has not been loaded. */
export interface CommandEntry {
  /** What it does, in one line. */
  synopsis: string;
  /** Loads it. */
  load(): Promise<HostCommand>;
}

/** The words that baler brings along. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  build: {
    synopsis: "build artifacts from a template",
    load: async () => (await import("./commands/build.ts")).build,
  },
  completion: {
    synopsis: "show a script that completes baler's words in a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  console: {
    synopsis: "try out {{...}} with a template's variables",
    load: async () => (await import("./commands/console.ts")).console,
  },
  fix: {
    synopsis: "mend a template that was written for an older Packer",
    load: async () => (await import("./commands/fix.ts")).fix,
  },
  help: {
    synopsis: "show how baler, or one of its commands, is used",
    load: async () => (await import("./commands/help.ts")).help,
  },
  inspect: {
    synopsis: "show what is in a template",
    load: async () => (await import("./commands/inspect.ts")).inspect,
  },
  plugins: {
    synopsis: "list the plugins that would be used, and why",
    load: async () => (await import("./commands/plugins.ts")).plugins,
  },
  schema: {
    synopsis: "show the JSON Schema of templates, for editors",
    load: async () => (await import("./commands/schema.ts")).schema,
  },
  validate: {
    synopsis: "check that a template can be built",
    load: async () => (await import("./commands/validate.ts")).validate,
  },
  version: {
    synopsis: "show baler's version",
    load: async () => (await import("./commands/version.ts")).version,
  },
};
