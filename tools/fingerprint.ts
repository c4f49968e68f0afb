// Fingerprints of executables, so that one whose sources have not changed is not compiled again.

import { createHash } from "node:crypto";
import { basename, dirname, join } from "@std/path";

/** The inputs of a compilation. */
export interface FingerprintInputs {
  /** Absolute path of the main module. */
  readonly entry: string;
  /** Absolute paths of embedded files, directories and modules. */
  readonly include?: readonly string[];
  /** Flags and the like. */
  readonly settings: readonly string[];
}

/**
 * Computes a digest of everything that a compiled executable depends on: the content of every
 * module in the graph of `entry` and of embedded modules, embedded files, the versions of npm
 * packages, the configuration files that apply, Deno's version, and `settings`.
 *
 * @returns The digest; undefined when the graph has an error, which the compilation reports best.
 */
export async function fingerprint(
  { entry, include = [], settings }: FingerprintInputs,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  const add = (...parts: string[]) => hash.update(JSON.stringify(parts));
  add(Deno.version.deno, ...settings);
  for (const root of [entry, ...include.filter(isModule)]) {
    const graph = await graphOf(root);
    if (graph === undefined) return undefined;
    // The exact version of an npm package identifies its content.
    add(...Object.keys(graph.npmPackages ?? {}).sort());
    for (
      const module of graph.modules.toSorted((a, b) =>
        a.specifier < b.specifier ? -1 : 1
      )
    ) {
      if (module.error !== undefined) return undefined;
      add(
        module.specifier,
        module.local === undefined ? "" : await digest(module.local) ?? "",
      );
    }
  }
  for (const path of include) {
    for (const file of await filesIn(path)) add(file, await digest(file) ?? "");
  }
  for (const path of configurationFiles(entry)) {
    const content = await digest(path);
    if (content !== undefined) add(path, content);
  }
  return hash.digest("hex");
}

/** Whether a path names a module, by its extension. */
function isModule(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path);
}

async function graphOf(entry: string): Promise<Graph | undefined> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: dirname(entry),
    stdin: "null",
  }).output();
  return success ? JSON.parse(new TextDecoder().decode(stdout)) : undefined;
}

/** The files at or below a path, sorted; none when there is nothing. */
async function filesIn(path: string): Promise<string[]> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(path));
  } catch {
    return [path];
  }
  const found = await Promise.all(
    entries.map(({ name }) => filesIn(join(path, name))),
  );
  return found.flat().sort();
}

/** Whether `output` is the file that {@link saveFingerprint} recorded, with the same fingerprint. */
export async function isUpToDate(
  output: string,
  fingerprint: string,
): Promise<boolean> {
  try {
    const noted = await Deno.readTextFile(notePath(output));
    return noted === await note(output, fingerprint);
  } catch {
    return false;
  }
}

/** Records the fingerprint of `output` in `.made/` beside it. */
export async function saveFingerprint(
  output: string,
  fingerprint: string,
): Promise<void> {
  const path = notePath(output);
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.${crypto.randomUUID()}.part`;
  await Deno.writeTextFile(part, await note(output, fingerprint));
  await Deno.rename(part, path);
}

interface Graph {
  modules: { specifier: string; local?: string; error?: string }[];
  npmPackages?: Record<string, unknown>;
}

function notePath(output: string): string {
  return join(dirname(output), ".made", `${basename(output)}.json`);
}

// Size and modification time detect a file that another process has written since.
async function note(output: string, fingerprint: string): Promise<string> {
  const { size, mtime } = await Deno.stat(output);
  return JSON.stringify({ fingerprint, size, mtime: mtime?.getTime() }) + "\n";
}

// Without deno.lock: Deno writes it as a side effect, and the versions that it pins are in the graph.
function configurationFiles(entry: string): string[] {
  const paths: string[] = [];
  for (let directory = dirname(entry);; directory = dirname(directory)) {
    for (const name of ["deno.json", "deno.jsonc", "package.json"]) {
      paths.push(join(directory, name));
    }
    if (directory === dirname(directory)) return paths;
  }
}

async function digest(path: string): Promise<string | undefined> {
  try {
    return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
