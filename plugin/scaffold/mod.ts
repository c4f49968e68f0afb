/**
 * Makes a new plugin: `deno create jsr:@baler/baler -- NAME`, or, in a clone of
 * baler's repository, `deno task new ../NAME`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  basename,
  dirname,
  fromFileUrl,
  join,
  relative,
  resolve,
} from "@std/path";
import { COMPONENT_KINDS, type ComponentKind } from "./component_files.ts";
import { projectFiles } from "./project.ts";

const USAGE = `Usage: new [options] DIRECTORY

  Makes a new plugin in DIRECTORY, which must not exist or must be empty. The
  plugin is named after the directory.

Options:

  --builder           Give it a builder (the default).
  --provisioner       Give it a provisioner.
  --post-processor    Give it a post-processor.
  --command           Give it a command.
  --help              Show this help.

Several kinds can be given. Without one, and on a terminal, it asks.`;

/** What is wrong with the command line. */
class UsageError extends Error {}

/**
 * Makes a new plugin.
 *
 * @param args The command-line arguments.
 * @throws {UsageError} When they are not valid.
 * @throws {Error} When the directory is not empty, or cannot be written.
 */
async function main(args: readonly string[]): Promise<void> {
  const flags = parseArgs([...args], {
    boolean: [...COMPONENT_KINDS, "help"],
    unknown: (arg) => {
      if (arg.startsWith("-")) throw new UsageError(`unknown option ${arg}`);
    },
  });
  if (flags.help) return console.log(USAGE);
  const [given, ...others] = flags._.map(String);
  if (others.length > 0) {
    throw new UsageError(
      `expected one DIRECTORY, got also: ${others.join(" ")}`,
    );
  }
  const isTerminal = Deno.stdin.isTerminal();
  const path = given ??
    (isTerminal ? prompt("Directory of the new plugin:") ?? "" : "");
  if (path === "") throw new UsageError("missing argument DIRECTORY");
  const directory = resolve(startDirectory(), path);
  const name = pluginName(directory);
  const chosen = COMPONENT_KINDS.filter((kind) => flags[kind]);
  const kinds = chosen.length > 0
    ? chosen
    : given === undefined
    ? askKinds()
    : ["builder"] as const;

  await checkEmpty(directory);
  const files = projectFiles({
    name,
    directory: basename(directory),
    kinds,
    clone: cloneFrom(directory),
  });
  for (const [file, content] of files) {
    const target = join(directory, file);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, content);
    console.log(`  ${file}`);
  }
  await format(directory);
  console.log(`
Made the plugin ${name} in ${directory}. Next:

    cd ${path}
    deno task test`);
}

/** The directory that the person is in: a task runs in that of its deno.json. */
function startDirectory(): string {
  const { state } = Deno.permissions.querySync({
    name: "env",
    variable: "INIT_CWD",
  });
  return (state === "granted" ? Deno.env.get("INIT_CWD") : undefined) ??
    Deno.cwd();
}

/** The name of a plugin in a directory, without what its executable's name begins with. */
function pluginName(directory: string): string {
  const name = basename(directory).replace(
    /^baler-((builder|provisioner|post-processor|command)-)?/,
    "",
  );
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return name;
  throw new UsageError(
    `"${name}" cannot be a plugin's name: write lower-case letters and digits, ` +
      'with hyphens between words, such as "custom-cloud"',
  );
}

function askKinds(): ComponentKind[] {
  const kinds = COMPONENT_KINDS.filter((kind) => confirm(`A ${kind}?`));
  if (kinds.length > 0) return kinds;
  throw new UsageError("a plugin needs at least one component");
}

async function checkEmpty(directory: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(directory)) {
      throw new Error(
        `${directory} is not empty: it contains ${name}; name another directory`,
      );
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Formats the files: how their lines are broken depends on the plugin's name. */
async function format(directory: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "."],
    cwd: directory,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

/** The path from the plugin to the clone that this runs from; undefined elsewhere. */
function cloneFrom(directory: string): string | undefined {
  if (!import.meta.url.startsWith("file:")) return undefined;
  const clone = fromFileUrl(new URL("../..", import.meta.url));
  const path = relative(directory, clone).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`Error: ${(error as Error).message}`);
    if (error instanceof UsageError) console.error(`\n${USAGE}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
