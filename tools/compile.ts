// Makes executables of the host, the bundled plugins and the examples: `deno task compile`.

import { parseArgs } from "@std/cli/parse-args";
import { basename, dirname, join, relative, resolve } from "@std/path";
import { closestString } from "@std/text/closest-string";
import { Compiler } from "./compiler.ts";
import {
  type Executable,
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

/** Where {@link compile} puts what it makes, and for whom. */
export interface CompileOptions {
  /** The folder that the executables are put in; `dist` beside deno.json when left out. */
  readonly out?: string;
  /**
   * Some of {@link platforms}, the executables for each going into a folder of its name. When left
   * out they are for this platform, and go into `out` itself.
   */
  readonly targets?: readonly string[];
  /** Is given a line for each thing done; `console.error` when left out. */
  readonly say?: (line: string) => void;
}

/** An executable that {@link compile} made, or found made already. */
export interface CompiledExecutable {
  /** As it was asked for, such as `baler` or `builder-file`. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** The platform it was compiled for; undefined for this one. */
  readonly target: string | undefined;
  /** In bytes. */
  readonly size: number;
  /** True when it was there already, made from the same sources. */
  readonly reused: boolean;
}

// A compilation keeps one core busy, and holds the whole executable in memory.
const concurrency = 2;

/**
 * Compiles `wanted`, two at a time, each with the least permissions that it needs. What has not
 * changed since it was compiled is not compiled again.
 *
 * @param wanted names that `knownExecutables()` has, or programs of the caller's own.
 * @returns one for each of `wanted`, for each target, in that order.
 * @throws {TypeError} when a name or a target is unknown; nothing is compiled then.
 * @throws {AggregateError} when some could not be compiled; the others were.
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
  await Promise.all(Array.from({ length: concurrency }, work));
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
  { name, entry, flags }: Executable,
  out: string,
  target: string | undefined,
  say: (line: string) => void,
): Promise<{ path: string; size: number; reused: boolean }> {
  const windows = (target ?? Deno.build.target).includes("windows");
  const path = join(out, target ?? "", windows ? `${name}.exe` : name);
  const made = await fingerprint(entry, [
    ...flags,
    target ?? "",
    Deno.env.get("DENORT_BIN") ?? "",
  ]);
  const reused = made !== undefined && await isUpToDate(path, made);
  if (reused) {
    say(`${shown(path)} is up to date`);
  } else {
    const version = await atomically(
      path,
      (output) => compiler.compile({ entry, output, flags, target }),
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

// Runs `make` for a path beside `path`, which becomes `path` when it succeeded: a compilation that
// fails or is killed leaves neither half an executable nor Deno's temporary files.
async function atomically<T>(
  path: string,
  make: (output: string) => Promise<T>,
): Promise<T> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const folder = await Deno.makeTempDir({
    dir: dirname(path),
    prefix: ".making-",
  });
  try {
    const output = join(folder, basename(path));
    const result = await make(output);
    await Deno.rename(output, path);
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function named(
  wanted: readonly (string | Executable)[],
): Promise<{ name: string; executable: Executable }[]> {
  const known = await knownExecutables();
  const folders = await pluginsInFolders(wanted);
  return wanted.map((item) => {
    if (typeof item !== "string") return { name: item.name, executable: item };
    const executable = known.get(item) ?? folders.get(item);
    if (executable === undefined) {
      throw unknown("executable", item, [...known.keys()]);
    }
    return { name: item, executable };
  });
}

// A plugin of one's own, anywhere: the executable goes into its folder, and is called like it.
async function pluginsInFolders(
  wanted: readonly (string | Executable)[],
): Promise<Map<string, Executable>> {
  const found = new Map<string, Executable>();
  for (const item of wanted) {
    if (typeof item !== "string" || !/[\\/]/.test(item)) continue;
    const folder = resolve(item);
    found.set(item, {
      ...await pluginExecutable(folder, basename(folder)),
      out: folder,
    });
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

const usage = `deno task compile [options] [name…]

Makes dist/baler, or the executables named: baler, a bundled plugin (builder-file
makes dist/baler-builder-file), a folder of examples/, or the path of a plugin's
folder (../my-plugin makes ../my-plugin/my-plugin), in which main.ts is the
program and deno.json says what it may do: "compile": {"permissions": {…}}.

  --all            make all of them
  --target TARGET  for another platform, into dist/TARGET/; may be repeated:
                   ${platforms.join("\n                   ")}
  --out FOLDER     put them there instead of in dist/
  --help           show this
`;

async function main(argv: string[]): Promise<number> {
  const refused: string[] = [];
  const args = parseArgs(argv, {
    boolean: ["all", "help"],
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
