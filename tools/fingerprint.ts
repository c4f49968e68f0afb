// Whether an executable is still what its sources would give, so that nothing is compiled twice.

import { createHash } from "node:crypto";
import { basename, dirname, join } from "@std/path";

/**
 * A digest of all that a compiled executable depends on: the content of every module in the graph
 * of `entry`, the versions of the npm packages in it, the configuration files that apply to it,
 * Deno's version, and `settings`.
 *
 * @returns undefined when the graph cannot be had, which the compilation itself explains best.
 */
export async function fingerprint(
  entry: string,
  settings: readonly string[],
): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: dirname(entry),
    stdin: "null",
  }).output();
  if (!success) return undefined;
  const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const hash = createHash("sha256");
  const add = (...parts: string[]) => hash.update(JSON.stringify(parts));
  add(Deno.version.deno, ...settings);
  // Of npm packages the exact version is enough: a published one never changes.
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
  for (const path of configurationFiles(entry)) {
    const content = await digest(path);
    if (content !== undefined) add(path, content);
  }
  return hash.digest("hex");
}

/** Whether `output` is the file that {@link saveFingerprint} was told of, made from the same inputs. */
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

/** Notes, in `.made/` beside `output`, from what `output` was made. */
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

// Size and time tell a file that something else put there, such as a run that raced with this one.
async function note(output: string, fingerprint: string): Promise<string> {
  const { size, mtime } = await Deno.stat(output);
  return JSON.stringify({ fingerprint, size, mtime: mtime?.getTime() }) + "\n";
}

// deno.lock is not among them: it is written as a side effect, and what it pins is in the graph.
function configurationFiles(entry: string): string[] {
  const paths: string[] = [];
  for (let folder = dirname(entry);; folder = dirname(folder)) {
    for (const name of ["deno.json", "deno.jsonc", "package.json"]) {
      paths.push(join(folder, name));
    }
    if (folder === dirname(folder)) return paths;
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
