// Runs `deno compile`: with the Deno that runs this, or with one from npm where the runtime base
// (denort) of the running one cannot be downloaded.

import { stripAnsiCode } from "@std/fmt/colors";
import { dirname, join, parse } from "@std/path";
import {
  npmRuntime,
  npmRuntimePackages,
  npmRuntimeVersion,
} from "./npm_runtime.ts";
import { grantedPermissions } from "./permissions.ts";

/** One executable to compile. */
export interface Compilation {
  /** The executable's name, for messages. */
  readonly name: string;
  /** Absolute path of the main module. */
  readonly entry: string;
  /** Absolute path of the executable. */
  readonly output: string;
  /** Flags of `deno compile`. */
  readonly flags: readonly string[];
  /** Absolute paths of files, directories and modules to embed in addition to the module graph. */
  readonly include?: readonly string[];
  /** Absolute paths below those of `include` to leave out. */
  readonly exclude?: readonly string[];
  /** The platform to compile for; this one by default. */
  readonly target?: string;
}

/** What `deno compile` is given for a compilation: its own modules, or the bundled ones. */
interface Modules {
  readonly entry: string;
  readonly include: readonly string[];
  /** A lock file that `deno compile` may change. */
  readonly lock?: string;
}

/** How long a server may stay silent before it counts as unreachable. A download may take longer. */
const SERVER_TIMEOUT_MS = 15_000;

/**
 * Compiles executables, and remembers for which platforms no runtime base can be downloaded, so that
 * only the first of many compilations tries to.
 */
export class Compiler {
  #unreachable = new Set<string>();
  #trying = new Map<string, Promise<unknown>>();
  #npm: Promise<{ deno: string; denort: string }> | undefined;
  #say: (line: string) => void;

  /**
   * Makes a compiler that has tried nothing yet.
   *
   * @param say Called with a line when a fallback is used.
   */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /**
   * Compiles one executable.
   *
   * @param compilation What to compile.
   * @returns The version of the Deno that is in the executable.
   * @throws {Error} With what Deno printed.
   */
  async compile(compilation: Compilation): Promise<string> {
    const { entry, include = [] } = compilation;
    for (const path of include) await assertExists(compilation, path);
    await denoOrThrow(
      Deno.execPath(),
      ["check", entry],
      compilation,
      {},
    );
    return await this.#compile(
      compilation,
      await this.#bundle(compilation) ?? await unbundled(compilation),
    );
  }

  async #compile(compilation: Compilation, modules: Modules): Promise<string> {
    const target = compilation.target ?? Deno.build.target;
    // Only the first of several compilations tries the download.
    await this.#trying.get(target);
    if (!this.#unreachable.has(target)) {
      const attempt = this.#plain(compilation, modules);
      if (!this.#trying.has(target)) {
        this.#trying.set(target, attempt.catch(() => {}));
      }
      if (await attempt) return Deno.version.deno;
    }
    if (target !== Deno.build.target) {
      throw new Error(
        `${compilation.name} could not be compiled for ${target}: its runtime base of Deno ` +
          `${Deno.version.deno} cannot be downloaded here; compile where the internet can be reached`,
      );
    }
    await this.#fromNpm(compilation, modules);
    return npmRuntimeVersion;
  }

  /**
   * Bundles a program's modules into a few, next to its output. Such an executable starts in about
   * half the time: it has fewer modules to load, and does not set up npm packages. A module that is
   * imported dynamically stays a separate module.
   *
   * @returns The bundle; undefined where the program cannot be bundled, which a line explains.
   */
  async #bundle(compilation: Compilation): Promise<Modules | undefined> {
    const { name, entry, output, flags, include = [] } = compilation;
    const unbundledBecause = (reason: string) => {
      this.#say(
        `${name} is compiled from its modules as they are, and starts somewhat slower than a bundle: ${reason}`,
      );
      return undefined;
    };
    // A bundle has one place for all modules, so that no path from one to a file would be right.
    if (include.length > 0) {
      return unbundledBecause("it embeds files or modules by their paths");
    }
    const directory = join(dirname(output), "bundle");
    const modules = join(directory, "modules");
    await Deno.mkdir(directory, { recursive: true });
    // Keeps Deno from looking for the configuration of a directory above.
    await Deno.writeTextFile(join(directory, "deno.json"), "{}\n");
    const { success, text } = await deno(
      Deno.execPath(),
      [
        "bundle",
        "--platform",
        "deno",
        "--code-splitting",
        "--outdir",
        modules,
        entry,
      ],
      compilation,
      { env: certificates() },
    );
    if (!success) {
      // It needs esbuild, from npm, and cannot bundle native addons.
      return unbundledBecause(/^error: (.*)/m.exec(text)?.[1] ?? text.trim());
    }
    for await (const { name } of Deno.readDir(modules)) {
      const code = await Deno.readTextFile(join(modules, name));
      const [global] = /\b__(?:dirname|filename)\b/.exec(code) ?? [];
      if (global !== undefined) {
        return unbundledBecause(
          `a package in it uses ${global}, which a bundle does not have`,
        );
      }
    }
    const main = join(modules, `${parse(entry).name}.js`);
    await Deno.writeTextFile(
      main,
      `${permissionsRecord(flags)}${await Deno.readTextFile(main)}`,
    );
    return { entry: main, include: [modules] };
  }

  /** Returns false when it failed only because there is no runtime base. */
  async #plain(compilation: Compilation, modules: Modules): Promise<boolean> {
    const unanswered = new AbortController();
    const ended = new AbortController();
    let probe: Promise<void> | undefined;
    const result = await deno(
      Deno.execPath(),
      compileArgs(compilation, modules),
      compilation,
      {
        signal: unanswered.signal,
        line(line) {
          const url = /^Download (\S+\/denort-\S+)/.exec(line)?.[1];
          if (url) {
            probe ??= answers(url, ended.signal).catch(() =>
              unanswered.abort()
            );
          }
        },
      },
    );
    const gaveUp = unanswered.signal.aborted;
    ended.abort();
    await probe;
    if (result.success) return true;
    // A base that the user named with DENORT_BIN is never replaced.
    const baseFailed = gaveUp || result.text.includes("Setting up base binary");
    if (!baseFailed || Deno.env.get("DENORT_BIN")) {
      throw failure(compilation, result.text);
    }
    this.#unreachable.add(compilation.target ?? Deno.build.target);
    return false;
  }

  async #fromNpm(compilation: Compilation, modules: Modules): Promise<void> {
    this.#npm ??= npmRuntimeAnnounced(this.#say);
    const npm = await this.#npm;
    await denoOrThrow(
      npm.deno,
      compileArgs(compilation, modules),
      compilation,
      {
        DENORT_BIN: npm.denort,
        ...certificates(),
      },
    );
  }
}

/** Makes Deno trust the system's certificates, such as a company's; older versions do not by default. */
function certificates(): Record<string, string> {
  return {
    DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla,system",
  };
}

function npmRuntimeAnnounced(
  say: (line: string) => void,
): Promise<{ deno: string; denort: string }> {
  if (Deno.build.target === "x86_64-unknown-linux-gnu") {
    say(
      `deno compile: the runtime base of Deno ${Deno.version.deno} cannot be downloaded here; using Deno ` +
        `${npmRuntimeVersion} and its runtime base from npm (${
          npmRuntimePackages.join(", ")
        })`,
    );
  }
  return npmRuntime();
}

/** The modules of a program as they are, with a copy of its lock file: an older Deno may rewrite that. */
async function unbundled(
  { entry, output, include = [] }: Compilation,
): Promise<Modules> {
  const lock = join(dirname(output), "deno.lock");
  for (let directory = dirname(entry);; directory = dirname(directory)) {
    try {
      await Deno.copyFile(join(directory, "deno.lock"), lock);
      return { entry, include, lock };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (directory === dirname(directory)) return { entry, include };
  }
}

/**
 * Records an executable's permissions for `describe`: a process can ask for one path, host or
 * name at a time, but not for the list of those that it has been granted.
 */
function permissionsRecord(flags: readonly string[]): string {
  const permissions = JSON.stringify(grantedPermissions(flags));
  return `globalThis[Symbol.for("baler.permissions")] = ${permissions};\n`;
}

async function assertExists(
  { name }: Compilation,
  path: string,
): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    throw new Error(
      `${name} could not be compiled: it includes ${path}, which cannot be read: ${
        (error as Error).message
      }`,
      { cause: error },
    );
  }
}

/**
 * The flags of every `deno compile`. V8's code cache is disabled: it would be a file of a predictable
 * name in the temporary directory, and a user who can write there could run code in the executable.
 */
export const COMPILE_FLAGS: readonly string[] = [
  "--no-check",
  "--no-code-cache",
];

function compileArgs(
  { output, flags, exclude = [], target }: Compilation,
  { entry, include, lock }: Modules,
): string[] {
  return [
    "compile",
    "--output",
    output,
    ...COMPILE_FLAGS,
    ...lock === undefined ? [] : [`--lock=${lock}`],
    ...flags,
    ...include.flatMap((path) => ["--include", path]),
    ...exclude.flatMap((path) => ["--exclude", path]),
    ...target ? ["--target", target] : [],
    entry,
  ];
}

async function denoOrThrow(
  path: string,
  args: string[],
  compilation: Compilation,
  env: Record<string, string>,
): Promise<void> {
  const result = await deno(path, args, compilation, { env });
  if (!result.success) throw failure(compilation, result.text);
}

/** Returns the error of a compilation, without the stack trace of Deno's own code. */
function failure({ name, entry }: Compilation, text: string): Error {
  return new Error(
    `${name} (${entry}) could not be compiled:\n${
      text.replace(/\n+Stack backtrace:\n[^]*$/, "").trim()
    }`,
  );
}

async function deno(
  path: string,
  args: string[],
  { entry }: Compilation,
  options: {
    signal?: AbortSignal;
    env?: Record<string, string>;
    line?: (line: string) => void;
  },
): Promise<{ success: boolean; text: string }> {
  const child = new Deno.Command(path, {
    args,
    // Deno looks up deno.json and deno.lock from here.
    cwd: dirname(entry),
    env: { DENO_NO_UPDATE_CHECK: "1", ...options.env },
    signal: options.signal,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  let seen = 0;
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf("\n", seen)) >= 0; seen = end + 1) {
      options.line?.(stripAnsiCode(text.slice(seen, end)));
    }
  }
  const { success } = await child.status;
  return { success, text: stripAnsiCode(text) };
}

/** Throws when the server does not answer at all. What it answers is left to Deno. */
async function answers(url: string, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([
    ended,
    AbortSignal.timeout(SERVER_TIMEOUT_MS),
  ]);
  try {
    await (await fetch(url, { method: "HEAD", signal })).body?.cancel();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
