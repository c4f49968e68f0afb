// `deno task compile`: makes executables of the host and of plugins.

import { parseArgs } from "@std/cli/parse-args";
import { basename, dirname, join, relative, resolve } from "@std/path";
import { closestString } from "@std/text/closest-string";
import { COMPILE_FLAGS, Compiler } from "./compiler.ts";
import {
  type Executable,
  isFile,
  knownExecutables,
  pluginExecutable,
} from "./executables.ts";
import { fingerprint, isUpToDate, saveFingerprint } from "./fingerprint.ts";

/** The platforms that an executable can be made for. */
export const platforms: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** Options of {@link compile}. */
export interface CompileOptions {
  /** The directory that the executables are written to; that of the executable or `dist` by default. */
  readonly out?: string;
  /**
   * Some of {@link platforms}; the executables for each go into a directory of its name. By default
   * they are for this platform, and go into `out` itself.
   */
  readonly targets?: readonly (string | undefined)[];
  /** Called with a line for each step; `console.error` by default. */
  readonly say?: (line: string) => void;
}

/** An executable that {@link compile} made, or found up to date. */
export interface CompiledExecutable {
  /** The requested name, such as `baler` or `builder-file`. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** The platform it was compiled for; undefined for this one. */
  readonly target: string | undefined;
  /** The size of the file, in bytes. */
  readonly size: number;
  /** True when it was there already, compiled from the same sources. */
  readonly reused: boolean;
}

/** How many compilations run at a time. Each uses one core, and holds the executable in memory. */
const CONCURRENCY = 2;

/**
 * Compiles executables, each with only the permissions that it needs. One whose sources have not
 * changed is not compiled again.
 *
 * @param wanted Names of `knownExecutables()`, paths of plugins' directories, or other programs.
 * @param options Where to, for which platforms.
 * @returns One executable for each of `wanted`, for each target, in that order.
 * @throws {TypeError} When a name or a target is unknown; nothing is compiled then.
 * @throws {AggregateError} When some failed to compile; the others are compiled.
 *
 * @example
 * ```ts ignore
 * import { compile } from "./compile.ts";
 * const [host] = await compile(["baler"]);
 * await new Deno.Command(host!.path, { args: ["version"] }).spawn().status;
 * ```
 */
export async function compile(
  wanted: readonly (string | Executable)[],
  options: CompileOptions = {},
): Promise<CompiledExecutable[]> {
  const { targets = [undefined], say = console.error } = options;
  const out = (executable: Executable) =>
    resolve(
      options.out ?? executable.out ?? join(import.meta.dirname!, "..", "dist"),
    );
  for (const target of targets) {
    if (target !== undefined && !platforms.includes(target)) {
      throw unknown("platform", target, platforms);
    }
  }
  const programs = await named(wanted);
  const jobs = targets.flatMap((target) =>
    programs.map((program) => ({ ...program, target }))
  );

  const compiler = new Compiler(say);
  const made: CompiledExecutable[] = [];
  const failures: Error[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < jobs.length; index = next++) {
      const { name, executable, target } = jobs[index]!;
      try {
        made[index] = {
          name,
          target,
          ...await compileOne(
            compiler,
            executable,
            out(executable),
            target,
            say,
          ),
        };
      } catch (error) {
        failures.push(error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  if (failures.length > 0) {
    throw new AggregateError(
      failures,
      [...new Set(failures.map((failure) => failure.message))].join("\n\n"),
    );
  }
  return made;
}

async function compileOne(
  compiler: Compiler,
  { name, entry, flags, include, exclude }: Executable,
  out: string,
  target: string | undefined,
  say: (line: string) => void,
): Promise<{ path: string; size: number; reused: boolean }> {
  const windows = (target ?? Deno.build.target).includes("windows");
  const path = join(out, target ?? "", windows ? `${name}.exe` : name);
  const made = await fingerprint({
    entry,
    include,
    settings: [
      ...COMPILE_FLAGS,
      ...flags,
      ...exclude ?? [],
      target ?? "",
      Deno.env.get("DENORT_BIN") ?? "",
    ],
  });
  const reused = made !== undefined && await isUpToDate(path, made);
  if (reused) {
    say(`${shown(path)} is up to date`);
  } else {
    const version = await atomically(
      path,
      (output) =>
        compiler.compile({
          name,
          entry,
          output,
          flags,
          include,
          exclude,
          target,
        }),
    );
    if (made !== undefined) await saveFingerprint(path, made);
    const { size } = await Deno.stat(path);
    say(
      `${shown(path)} compiled: ${
        (size / 1e6).toFixed(1)
      } MB, Deno ${version}, ${flags.join(" ")}`,
    );
  }
  return { path, size: (await Deno.stat(path)).size, reused };
}

/**
 * Runs `make` for a path in a temporary directory next to `path`, and renames the result to `path`
 * when it succeeded. A compilation that fails leaves no file; one that is killed leaves no
 * incomplete executable.
 */
async function atomically<T>(
  path: string,
  make: (output: string) => Promise<T>,
): Promise<T> {
  const created = await missingDirectories(dirname(path));
  await Deno.mkdir(dirname(path), { recursive: true });
  const directory = await Deno.makeTempDir({
    dir: dirname(path),
    prefix: ".making-",
  });
  try {
    const output = join(directory, basename(path));
    const result = await make(output);
    await Deno.rename(output, path);
    return result;
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    // Fails where another compilation has put something there meanwhile.
    for (const one of created) await Deno.remove(one).catch(() => {});
    throw error;
  } finally {
    await Deno.remove(directory, { recursive: true }).catch(() => {});
  }
}

/** The directories on the way to `path` that do not exist yet, the innermost first. */
async function missingDirectories(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let one = path;; one = dirname(one)) {
    try {
      await Deno.stat(one);
      return missing;
    } catch {
      missing.push(one);
    }
  }
}

async function named(
  wanted: readonly (string | Executable)[],
): Promise<{ name: string; executable: Executable }[]> {
  const known = await knownExecutables();
  const directories = await pluginsInDirectories(wanted);
  return wanted.map((item) => {
    if (typeof item !== "string") return { name: item.name, executable: item };
    const executable = known.get(item) ?? directories.get(item);
    if (executable === undefined) {
      throw unknown("executable", item, [...known.keys()]);
    }
    return { name: item, executable };
  });
}

/** The plugins that are named by the path of their directory, by that path. */
async function pluginsInDirectories(
  wanted: readonly (string | Executable)[],
): Promise<Map<string, Executable>> {
  const found = new Map<string, Executable>();
  for (const item of wanted) {
    if (typeof item !== "string" || !/[\\/]/.test(item)) continue;
    const directory = resolve(item);
    const executable = await pluginExecutable(directory, basename(directory));
    if (!await isFile(executable.entry)) {
      throw new TypeError(
        `there is no plugin in ${directory}: it has no main.ts`,
      );
    }
    found.set(item, { ...executable, out: directory });
  }
  return found;
}

function unknown(
  what: string,
  name: string,
  known: readonly string[],
): TypeError {
  return new TypeError(
    `there is no ${what} "${name}" to compile; did you mean "${
      closestString(name, known)
    }"? ` +
      `Known are: ${known.join(", ")}`,
  );
}

function shown(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short.startsWith("..") ? path : short;
}

const usage = `Usage: deno task compile [options] [NAME...]

Compiles dist/baler, or the executables named:

  baler, builder-file  the host, a bundled plugin (into dist/baler-builder-file)
  baler-greet-and-sign an example, by the name of its directory in examples/
  ../my-plugin         the plugin in a directory, by its path (into
                       ../my-plugin/my-plugin)

A plugin's main.ts is its program. Its deno.json (or deno.jsonc) says what it may
do and what is embedded:

  "compile": {"permissions": {"read": true}, "include": ["assets/"]}

Options:
  --all            Compile every executable of this repository
  --target TARGET  Compile for another platform, into a directory named TARGET:
                   dist/TARGET/, or ../my-plugin/TARGET/ for a plugin that is
                   named by its path. Can be repeated. One of:
                   ${platforms.join("\n                   ")}
  --packer         Compile plugins, named by their paths, for Packer too: as
                   packer-plugin-NAME_vVERSION_x5.0_OS_ARCH, with the files that
                   "packer init" downloads
  --out DIRECTORY  Write the executables to this directory
  -h, --help       Show this help
`;

async function main(argv: string[]): Promise<number> {
  const refused: string[] = [];
  const args = parseArgs(argv, {
    boolean: ["all", "help", "packer"],
    string: ["target", "out", "_"],
    collect: ["target"],
    alias: { h: "help" },
    unknown: (arg: string, key?: string) => {
      if (key !== undefined) refused.push(arg);
      return key === undefined;
    },
  });
  if (args.help) {
    console.log(usage);
    return 0;
  }
  if (refused.length > 0) {
    console.error(`unknown option ${refused.join(", ")}\n\n${usage}`);
    return 2;
  }
  const names: string[] = args._.map(String);
  const all = args.all ? [...(await knownExecutables()).keys()] : [];
  const targets: string[] = args.target;
  if (args.packer) {
    const { compileForPacker } = await import("./packer_release.ts");
    if (args.all || names.length === 0) {
      console.error(`--packer needs the path of a plugin\n\n${usage}`);
      return 2;
    }
    for (const name of names) {
      await compileForPacker(resolve(name), {
        out: args.out,
        targets,
        compile,
      });
    }
    return 0;
  }
  await compile(args.all ? all : names.length > 0 ? names : ["baler"], {
    out: args.out,
    targets: targets.length > 0 ? targets : undefined,
  });
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
}
