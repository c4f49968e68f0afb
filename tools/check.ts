// Everything that can be checked without running a test: format, lint, types, layers, documentation. Each check shows
// its output only when it fails.
//
//     deno run --allow-all tools/check.ts
//
// The exit code is 0 only when every check succeeded.

import { fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };

const root = fromFileUrl(new URL("..", import.meta.url));

/** A check: a command of Deno. */
export interface Check {
  readonly name: string;
  /** The arguments of Deno. */
  readonly args: readonly string[];
  /** The directory that it runs in, from the repository's; its deno.json applies. */
  readonly directory?: string;
}

/** All checks, in their order. */
export function checks(): Check[] {
  const sources = ["cli.ts", "mod.ts"].concat(
    ["adapters", "host", "plugin", "tests", "tools"].flatMap(sourcesIn),
  );
  const examples = [...Deno.readDirSync(join(root, "examples"))]
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => `examples/${name}`).sort();
  return [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    { name: "types", args: ["check", ...sources] },
    ...examples.map((directory) => ({
      name: `types of ${directory}`,
      args: ["check", "."],
      directory,
    })),
    {
      name: "layers",
      args: ["run", "--allow-read", "--allow-run", "tools/check_layers.ts"],
    },
    {
      name: "links in the documentation",
      args: ["run", "--allow-read", "tools/check_links.ts"],
    },
    {
      name: "tuning numbers in docs/performance.md",
      args: ["run", "--allow-read", "tools/tuning_numbers.ts"],
    },
    {
      name: "option tables in docs/",
      args: ["run", "--allow-read", "tools/options_table.ts"],
    },
    {
      name: "documentation of what is public",
      args: ["doc", "--lint", ...Object.values(config.exports)],
    },
    {
      name: "publish",
      args: ["publish", "--dry-run", "--allow-dirty"],
    },
  ];
}

/**
 * Runs the checks one after the other.
 *
 * @returns How many succeeded and how many failed.
 */
export async function runChecks(): Promise<{ passed: number; failed: number }> {
  const counts = { passed: 0, failed: 0 };
  for (const { name, args, directory = "" } of checks()) {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [...args],
        cwd: join(root, directory),
        stdin: "null",
      },
    ).output();
    if (success) {
      counts.passed++;
      console.log(`ok      ${name}`);
    } else {
      counts.failed++;
      await Deno.stdout.write(stdout);
      await Deno.stdout.write(stderr);
      console.log(`FAILED  ${name}`);
    }
  }
  return counts;
}

/** The TypeScript files below a directory of the repository. */
function sourcesIn(directory: string): string[] {
  return [...Deno.readDirSync(join(root, directory))].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) return sourcesIn(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

if (import.meta.main) {
  const { failed } = await runChecks();
  Deno.exit(failed === 0 ? 0 : 1);
}
