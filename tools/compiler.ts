// `deno compile`, with the Deno that runs this, or with one from npm where the runtime base
// (denort) of the running one cannot be downloaded.

import { stripAnsiCode } from "@std/fmt/colors";
import { dirname, join, parse } from "@std/path";
import {
  npmRuntime,
  npmRuntimePackages,
  npmRuntimeVersion,
} from "./npm_runtime.ts";

/** One executable to be made. */
export interface Compilation {
  /** Absolute path of the main module. */
  readonly entry: string;
  /** Absolute path of the executable. */
  readonly output: string;
  /** Flags of `deno compile`. */
  readonly flags: readonly string[];
  /** The platform to compile for, this one when left out. */
  readonly target?: string;
}

// How long a server may stay silent before it counts as unreachable, in milliseconds. A download
// that is under way may take as long as it likes.
const silence = 15_000;

/**
 * Makes executables, and remembers for which platforms no runtime base can be downloaded, so that
 * only the first of many compilations tries in vain.
 */
export class Compiler {
  #unreachable = new Set<string>();
  #trying = new Map<string, Promise<unknown>>();
  #npm: Promise<{ deno: string; denort: string }> | undefined;
  #say: (line: string) => void;

  /**
   * A compiler that has tried nothing yet.
   *
   * @param say is given a line when the way of compiling changes.
   */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /**
   * Makes one executable.
   *
   * @returns the version of the Deno that is in it.
   * @throws {Error} with what Deno printed.
   */
  async compile(compilation: Compilation): Promise<string> {
    await denoOrThrow(
      Deno.execPath(),
      ["check", compilation.entry],
      compilation,
      {},
    );
    return await this.#compile(await this.#bundled(compilation));
  }

  async #compile(compilation: Compilation): Promise<string> {
    const target = compilation.target ?? Deno.build.target;
    // One at a time until it is known, else each of a batch would try the download.
    await this.#trying.get(target);
    if (!this.#unreachable.has(target)) {
      const attempt = this.#plain(compilation);
      if (!this.#trying.has(target)) {
        this.#trying.set(target, attempt.catch(() => {}));
      }
      if (await attempt) return Deno.version.deno;
    }
    if (target !== Deno.build.target) {
      throw new Error(
        `${compilation.entry} could not be compiled for ${target}: its runtime base of Deno ` +
          `${Deno.version.deno} cannot be downloaded here; compile where the internet can be reached`,
      );
    }
    await this.#fromNpm(compilation);
    return npmRuntimeVersion;
  }

  // Makes few modules of a program's many, beside its output. Such an executable starts in about
  // half the time: it has fewer modules to load, V8 keeps what it has compiled of them from one
  // run to the next, and it does not prepare for npm packages. What is imported only when it is
  // needed stays a module of its own.
  async #bundled(compilation: Compilation): Promise<Compilation> {
    const folder = join(dirname(compilation.output), "bundle");
    const modules = join(folder, "modules");
    await Deno.mkdir(folder, { recursive: true });
    // Keeps Deno from looking for the configuration of some folder above.
    await Deno.writeTextFile(join(folder, "deno.json"), "{}\n");
    const { success, text } = await deno(
      Deno.execPath(),
      [
        "bundle",
        "--platform",
        "deno",
        "--code-splitting",
        "--outdir",
        modules,
        compilation.entry,
      ],
      compilation,
      { env: certificates() },
    );
    if (!success) {
      // It needs esbuild, from npm. The executable is as good without, but slower to start.
      const why = /^error: (.*)/m.exec(text)?.[1] ?? text.trim();
      this.#say(`deno bundle failed, compiling without it: ${why}`);
      return compilation;
    }
    return {
      ...compilation,
      entry: join(modules, `${parse(compilation.entry).name}.js`),
      flags: [...compilation.flags, "--include", modules],
    };
  }

  // False when it failed for want of the runtime base, and for no other reason.
  async #plain(compilation: Compilation): Promise<boolean> {
    const unanswered = new AbortController();
    const ended = new AbortController();
    let probe: Promise<void> | undefined;
    const result = await deno(
      Deno.execPath(),
      compileArgs(compilation),
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
    // A base that the user named is never replaced by another.
    const baseFailed = gaveUp || result.text.includes("Setting up base binary");
    if (!baseFailed || Deno.env.get("DENORT_BIN")) {
      throw failure(compilation, result.text);
    }
    this.#unreachable.add(compilation.target ?? Deno.build.target);
    return false;
  }

  async #fromNpm(compilation: Compilation): Promise<void> {
    this.#npm ??= npmRuntimeAnnounced(this.#say);
    const npm = await this.#npm;
    await denoOrThrow(
      npm.deno,
      compileArgs(compilation),
      compilation,
      {
        DENORT_BIN: npm.denort,
        ...certificates(),
      },
    );
  }
}

// Where npm works through a company's certificate, Deno must know it too; older ones do not look.
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

function compileArgs(
  { entry, output, flags, target }: Compilation,
): string[] {
  return [
    "compile",
    "--output",
    output,
    "--no-check",
    ...flags,
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

// Deno adds the frames of its own code behind an error, which say nothing about the program.
function failure({ entry }: Compilation, text: string): Error {
  return new Error(
    `${entry} could not be compiled:\n${
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
    // Deno looks for deno.json and deno.lock from here.
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

// Throws when nothing at all answers; what is answered is for Deno to judge.
async function answers(url: string, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(silence)]);
  try {
    await (await fetch(url, { method: "HEAD", signal })).body?.cancel();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
