// Checks that imports run one way: each directory imports only from the directories of a lower layer. Imports of
// types count; a dynamic `import()` does not, since it only loads what a run turns out to need.
//
//     deno run --allow-read --allow-run tools/check_layers.ts

import { dirname, fromFileUrl, relative } from "@std/path";
import config from "../deno.json" with { type: "json" };

const root = fromFileUrl(new URL("..", import.meta.url));

/** Plugins with executables of their own, a directory each: they use what is public, as any author does. */
const PROGRAMS = "plugin/builders";

/** A directory with subdirectories that are parts of it: it has one layer, and its parts import from each other. */
const UNDIVIDED = "plugin/rpc";

/** Post-processors with executables of their own, a directory each; they share the programs of a builder. */
const POST_PROCESSORS = "plugin/post_processors";

/** The directories with their layers. Those of the same layer do not import from each other. */
const LAYERS: Readonly<Record<string, number>> = {
  "types/std": 0,
  "plugin/common": 0,
  "plugin/scaffold": 1,
  "plugin/interpolate": 0,
  "plugin/contract": 1,
  "plugin/rpc": 1,
  "plugin/sdk": 2,
  "plugin/files": 2,
  "plugin/process": 2,
  "plugin/packer_wire": 3,
  "plugin/builder/images": 3,
  "plugin/builder/trees": 3,
  "plugin/builder/communicators": 3,
  "plugin/builder/ssh": 4,
  "plugin/builder": 5,
  "plugin/builder/namespaces": 6,
  "plugin/bundled/archive": 1,
  "plugin/bundled/shared": 3,
  "plugin/bundled/shell": 6,
  "plugin/bundled/builders": 6,
  "plugin/bundled/provisioners": 7,
  "plugin/bundled/post_processors": 7,
  "plugin/bundled": 8,
  "adapters/packer": 9,
  "plugin/testing": 9,
  [PROGRAMS]: 9,
  [POST_PROCESSORS]: 10,

  "host/errors": 10,
  "host/text": 10,
  "host/config": 11,
  "host/json": 11,
  "host/log": 11,
  "host/cli/console": 11,
  "host/process": 12,
  "host/terminal": 12,
  "host/plugin": 13,
  "host/discovery": 14,
  "host/schema": 14,
  "host": 14,
  "host/template": 15,
  "host/cli": 15,
  "host/plan": 16,
  "host/cli/completion": 16,
  "host/build": 17,
  "host/cli/commands": 18,
};

/** The public modules: other files import from the module that has what they need. */
const PUBLIC: ReadonlySet<string> = new Set(
  Object.values(config.exports).map((path) => path.replace("./", "")),
);

/** The entry points: every source must be reached from one of them. A `main.ts` is a program of its own. */
const ROOTS = [
  "cli.ts",
  ...PUBLIC,
  ...[...sourcesIn("plugin"), ...sourcesIn("adapters")].filter(isMain),
];

interface Import {
  readonly from: string;
  readonly to: string;
  /** The line of the import, counted from 1. */
  readonly line: number;
}

/** A module in the output of `deno info --json`. */
interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: Target;
    readonly type?: Target;
  }[];
}

interface Target {
  readonly specifier?: string;
  readonly span: { readonly start: { readonly line: number } };
}

/** The static imports that a root reaches, and the files that it reaches in any way. */
async function importsOf(entry: string): Promise<{
  imports: Import[];
  files: string[];
}> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: root,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  const modules: ModuleInfo[] = JSON.parse(decoder.decode(stdout)).modules;
  const imports: Import[] = [];
  const files: string[] = [];
  for (const { specifier, dependencies = [] } of modules) {
    const from = pathOf(specifier);
    if (from === undefined) continue;
    files.push(from);
    for (const { isDynamic, code, type } of dependencies) {
      if (isDynamic) continue;
      for (const target of [code, type]) {
        const to = target?.specifier && pathOf(target.specifier);
        if (!to) continue;
        imports.push({ from, to, line: target.span.start.line + 1 });
      }
    }
  }
  return { imports, files };
}

/** The path of a module below the repository, in the form of a URL; undefined for one of elsewhere. */
function pathOf(specifier: string): string | undefined {
  if (!specifier.startsWith("file:")) return undefined;
  const path = relative(root, fromFileUrl(specifier)).replaceAll("\\", "/");
  return path.endsWith(".ts") && !path.startsWith("../") ? path : undefined;
}

/** The directory whose layer a file is in. */
function directoryOf(path: string): string {
  const directory = dirname(path);
  return directory.startsWith(`${UNDIVIDED}/`) ? UNDIVIDED : directory;
}

/** The layer of a directory; undefined where it has none. */
function layerOf(directory: string): number | undefined {
  return LAYERS[programsOf(directory) ?? directory];
}

/** Of a directory with the source of a plugin with an executable of its own: the directory of its kind. */
function programsOf(directory: string): string | undefined {
  return [PROGRAMS, POST_PROCESSORS].find((kind) =>
    directory.startsWith(`${kind}/`)
  );
}

function isMain(path: string): boolean {
  return path.endsWith("/main.ts");
}

/** What is wrong with an import, or undefined. */
export function faultOf({ from, to, line }: Import): string | undefined {
  const [own, other] = [directoryOf(from), directoryOf(to)];
  if (own === other || PUBLIC.has(from) || own === ".") return undefined;
  if (programsOf(own) && PUBLIC.has(to)) return undefined;
  const told = `${from}:${line}: imports ${to}`;
  if (PUBLIC.has(to)) {
    return `${told}: import from the module that exports it, not from ${to}`;
  }
  if (other === ".") return `${told}, which is at the top`;
  const [layer, below] = [layerOf(own), layerOf(other)];
  for (const [directory, number] of [[own, layer], [other, below]] as const) {
    if (number === undefined) {
      return `${told}: ${directory} has no layer; give it one in tools/check_layers.ts`;
    }
  }
  if (below! < layer!) return undefined;
  return `${told}, but ${own} is in layer ${layer} and ${other} in layer ${below}: imports run to lower layers only. ` +
    "Move what both need into a lower directory, or load it with import()";
}

if (import.meta.main) {
  const found = await Promise.all(ROOTS.map(importsOf));
  const faults = new Set(
    found.flatMap(({ imports }) =>
      imports.flatMap((one) => faultOf(one) ?? [])
    ),
  );
  const reached = new Set(found.flatMap(({ files }) => files));
  for (const directory of ["adapters", "host", "plugin"]) {
    for (const file of sourcesIn(directory)) {
      if (reached.has(file)) continue;
      faults.add(`${file}: nothing imports it`);
    }
  }
  for (const fault of faults) console.error(fault);
  if (faults.size > 0) {
    console.error(`${faults.size} imports against the layers`);
    Deno.exit(1);
  }
}

/** The TypeScript files below a directory of the repository. */
function sourcesIn(directory: string): string[] {
  return [...Deno.readDirSync(`${root}/${directory}`)].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) return sourcesIn(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}
