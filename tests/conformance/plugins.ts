// The plugins that must keep every promise: the same component, written in two languages.

import { fromFileUrl } from "@std/path";

const here = (name: string) => fromFileUrl(new URL(name, import.meta.url));

async function runs(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"] }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** One of the plugins. */
export interface TestedPlugin {
  /** What it is called in the names of tests. */
  language: string;
  /** What starts it. */
  command: string[];
  /** Whether this machine can start it. */
  available: boolean;
}

export const plugins: TestedPlugin[] = [
  {
    language: "TypeScript",
    command: [
      Deno.execPath(),
      "run",
      "--quiet",
      "--v8-flags=--expose-gc",
      here("plugin.ts"),
    ],
    available: true,
  },
  {
    language: "Python",
    command: ["python3", here("plugin.py")],
    available: await runs("python3"),
  },
];
