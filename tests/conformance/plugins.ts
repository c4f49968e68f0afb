// The plugins that must keep every promise: the same component, written in two languages.

import { fromFileUrl } from "@std/path";
import { missing } from "../support/programs.ts";

const here = (name: string) => fromFileUrl(new URL(name, import.meta.url));

/** One of the plugins. */
export interface TestedPlugin {
  /** What it is called in the names of tests. */
  language: string;
  /** What starts it. */
  command: string[];
  /** Why this machine cannot start it; undefined where it can. */
  missing: string | undefined;
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
    missing: undefined,
  },
  {
    language: "Python",
    command: ["python3", here("plugin.py")],
    missing: missing("python3"),
  },
];
