// Runs baler as a user does, from source and as the compiled executable: each test in a directory of its own, without
// this machine's configuration, and with a check at the end that nothing is left behind.

import { assert, assertEquals } from "@std/assert";
import { DELIMITER, dirname, fromFileUrl, join, resolve } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { copyExecutable, writeFile } from "./executable_file.ts";
import { skippable } from "./programs.ts";
import { within } from "./within.ts";

const root = resolve(import.meta.dirname!, "../..");
const decoder = new TextDecoder();

/** How long a process that was sent SIGKILL may take to disappear, in milliseconds. */
const LEFTOVER_LIMIT_MS = 30_000;

/** The two ways to run baler. */
export type HostKind = "source" | "compiled";

/** The result of a run of baler. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout and then stderr: for messages of failed assertions, and where it does not matter which. */
  readonly output: string;
}

/** Options of a run of baler. */
export interface RunOptions {
  /** The working directory, relative to the test's directory. */
  readonly cwd?: string;
  /** Environment variables in addition to {@linkcode Workspace.env}. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the one that follows as its arguments, such as `nohup`. */
  readonly through?: readonly string[];
  /** The contents of stdin; empty by default. */
  readonly stdin?: string;
}

/** A running baler. */
export interface Running {
  readonly pid: number;
  /** Waits until stdout or stderr matches; returns all output up to then. */
  shows(pattern: string | RegExp): Promise<string>;
  kill(signal: Deno.Signal): void;
  /** Closes the read end of its stdout. */
  closeStdout(): Promise<void>;
  /** Writes to its stdin and leaves it open. */
  write(text: string): Promise<void>;
  /** Waits until it has exited. */
  ended(): Promise<Ended>;
}

/** The directory that one test works in, and the baler that it runs. */
export class Workspace {
  readonly kind: HostKind;
  /** The absolute path of the test's directory. */
  readonly path: string;
  /** The environment of baler; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly #argv: readonly string[];
  readonly #marker: string;
  readonly #aside: string;
  readonly #running = new Set<Deno.ChildProcess>();

  private constructor(
    kind: HostKind,
    argv: readonly string[],
    path: string,
    aside: string,
    environment: Record<string, string>,
  ) {
    this.kind = kind;
    this.path = path;
    this.#argv = argv;
    this.#aside = aside;
    this.#marker = `TEST_RUN_OF_BALER=${crypto.randomUUID()}`;
    const [name, value] = this.#marker.split("=") as [string, string];
    this.env = { ...environment, [name]: value };
  }

  static async make(kind: HostKind): Promise<Workspace> {
    const aside = await Deno.realPath(
      await Deno.makeTempDir({ prefix: "baler-test-" }),
    );
    for (const name of ["work", "home", "tmp"]) {
      await Deno.mkdir(join(aside, name));
    }
    const environment = {
      HOME: join(aside, "home"),
      TMPDIR: join(aside, "tmp"),
      ...await (kind === "source" ? sourceEnv() : compiledEnv()),
    };
    const argv = kind === "source" ? sourceArgv() : [await compiledHost()];
    return new Workspace(kind, argv, join(aside, "work"), aside, environment);
  }

  /** The command that starts baler, for tests that cannot use {@linkcode start}. */
  get argv(): readonly string[] {
    return this.#argv;
  }

  /** The user's home directory. */
  get home(): string {
    return join(this.#aside, "home");
  }

  /** The absolute path of a name in the test's directory. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file and makes the directories above it. What is neither a string nor bytes is written as JSON. */
  async write(
    name: string,
    content: unknown,
    { mode = 0o644 }: { readonly mode?: number } = {},
  ): Promise<string> {
    const path = resolve(this.path, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeFile(
      path,
      typeof content === "string" || content instanceof Uint8Array
        ? content
        : JSON.stringify(content, null, 2),
      mode,
    );
    return path;
  }

  /** Reads a file of the test's directory. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(this.at(name));
  }

  /** The sorted names in a directory below the test's. */
  async names(directory = "."): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir(this.at(directory))) {
      found.push(name);
    }
    return found.sort();
  }

  /** Runs baler and waits until it has exited. */
  async baler(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return await this.start(args, options).ended();
  }

  /** Runs baler and asserts that it succeeded. */
  async succeeds(args: readonly string[], options?: RunOptions) {
    const ended = await this.baler(args, options);
    assertEquals(ended.code, 0, ended.output);
    return ended;
  }

  /** Builds a template, given as a value, and asserts that the build succeeded. */
  async builds(
    template: unknown,
    args: readonly string[] = [],
    options?: RunOptions,
  ): Promise<Ended> {
    await this.write("template.json", template);
    return await this.succeeds(["build", ...args, "template.json"], options);
  }

  /** Starts baler. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    const [command, ...words] = [
      ...options.through ?? [],
      ...this.#argv,
      ...args,
    ];
    const child = new Deno.Command(command!, {
      args: words,
      cwd: resolve(this.path, options.cwd ?? "."),
      env: { ...this.env, ...options.env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#running.add(child);
    child.status.finally(() => this.#running.delete(child));
    return running(child, options.stdin);
  }

  /** Asserts that no process that baler started and no temporary file is left. */
  async assertNothingLeft(): Promise<void> {
    // A process that was sent SIGKILL exits a moment later, which only its parent is notified of.
    const deadline = performance.now() + LEFTOVER_LIMIT_MS;
    let left = await this.#processes();
    while (left.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      left = await this.#processes();
    }
    assertEquals(left, [], "processes are left");
    const temporary = [...Deno.readDirSync(join(this.#aside, "tmp"))];
    const files = temporary.map(({ name }) => name);
    assertEquals(files, [], "temporary files are left");
  }

  /** Kills what the test left running, and removes its directory. */
  async clear(): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    for (const { pid } of await this.#processes()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has exited meanwhile.
      }
    }
    await Deno.remove(this.#aside, { recursive: true });
  }

  /** The processes with this test's environment, or with a working directory in the test's. */
  async #processes(): Promise<{ pid: number; command: string }[]> {
    if (Deno.build.os !== "linux") return [];
    const found: { pid: number; command: string }[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === Deno.pid) continue;
      try {
        const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
        const directory = await Deno.readLink(`/proc/${pid}/cwd`);
        if (
          !environment.includes(this.#marker) &&
          !directory.startsWith(this.#aside)
        ) continue;
        const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
        found.push({ pid, command: command.replaceAll("\0", " ").trim() });
      } catch {
        // It has exited meanwhile, or belongs to another user.
      }
    }
    return found;
  }
}

/** The ways to run baler that are tested: `BALER_TEST_HOSTS=source` spares the compiled executable. */
const KINDS: readonly HostKind[] = kindsOf(
  Deno.env.get("BALER_TEST_HOSTS") || "all",
);

function kindsOf(setting: string): readonly HostKind[] {
  if (setting === "all") return ["source", "compiled"];
  if (setting === "source" || setting === "compiled") return [setting];
  throw new Error(
    `BALER_TEST_HOSTS must be source, compiled or all, not "${setting}"`,
  );
}

/**
 * Registers a test for each way to run baler. Whatever it proves, it also proves that no process and no
 * temporary file is left behind.
 *
 * @param name The test's name.
 * @param test The test.
 * @param options `ignore`: why it is skipped, shown in its name; `limitMs`: see {@linkcode within}; `only`: the one
 * way to run baler, for a test that takes long.
 */
export function forEachHost(
  name: string,
  test: (bench: Workspace) => Promise<void>,
  options: {
    ignore?: string | false | undefined;
    limitMs?: number;
    only?: HostKind;
  } = {},
): void {
  for (const kind of KINDS) {
    if (options.only !== undefined && options.only !== kind) continue;
    Deno.test({
      ...skippable(`${name} (${kind})`, options.ignore || undefined),
      async fn() {
        const workspace = await Workspace.make(kind);
        try {
          await within(name, test(workspace), options.limitMs);
          await workspace.assertNothingLeft();
        } finally {
          await workspace.clear();
        }
      },
    });
  }
}

/**
 * Asserts that an output is written for users: no stack trace, no name of a source file, no message of the runtime.
 */
export function assertForPeople({ output }: Ended): void {
  for (
    const trace of [
      /^\s+at .*[:(]/m,
      /Stack backtrace/,
      /\b[a-z_]+\.ts:\d+/,
      /\b(Type|Reference|Range)Error\b/,
      /Uncaught/,
      /\[object |undefined|Cannot read propert/,
      /run again with|during compilation/,
    ]
  ) {
    assert(!trace.test(output), `${trace} in:\n${output}`);
  }
}

/**
 * The path of a compiled example plugin.
 *
 * @param name Its directory below examples/.
 */
export async function examplePlugin(name: string): Promise<string> {
  return await once(name, async () => {
    const [made] = await compile([name], { say: () => {} });
    return made!.path;
  });
}

/**
 * The command that runs a plugin of tests/fixtures/builds from source.
 *
 * @param name The file's name, without its extension.
 */
export function fixturePlugin(name: string): string[] {
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-all",
    fromFileUrl(import.meta.resolve(`../fixtures/builds/${name}.ts`)),
  ];
}

function sourceArgv(): string[] {
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...["read", "write", "run", "env", "sys"].map((one) => `--allow-${one}`),
    join(root, "cli.ts"),
  ];
}

/** Deno's cache: the test's own home directory must not make Deno download everything again. */
async function sourceEnv(): Promise<Record<string, string>> {
  const directory = await once("DENO_DIR", async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json"],
    }).output();
    return String(JSON.parse(decoder.decode(stdout)).denoDir);
  });
  return { PATH: Deno.env.get("PATH")!, DENO_DIR: directory };
}

/** A PATH without Deno, as users of the executable have it. Fixture plugins are started by Deno's path and need its cache. */
async function compiledEnv(): Promise<Record<string, string>> {
  const { DENO_DIR } = await sourceEnv() as { DENO_DIR: string };
  const directories = Deno.env.get("PATH")!.split(DELIMITER).filter((
    directory,
  ) => !hasDeno(directory));
  return { PATH: directories.join(DELIMITER), DENO_DIR };
}

function hasDeno(directory: string): boolean {
  try {
    return Deno.statSync(join(directory, "deno")).isFile;
  } catch {
    return false;
  }
}

/** Copies the compiled host to a separate directory: in dist/ it would find the plugins next to it. */
async function compiledHost(): Promise<string> {
  return await once("baler", async () => {
    const [made] = await compile(["baler"], { say: () => {} });
    const directory = await Deno.makeTempDir({ prefix: "baler-test-host-" });
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(directory, { recursive: true }),
    );
    const path = join(directory, "baler");
    await copyExecutable(made!.path, path);
    return path;
  });
}

const made = new Map<string, Promise<string>>();

function once(name: string, make: () => Promise<string>): Promise<string> {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

function running(child: Deno.ChildProcess, stdin?: string): Running {
  const texts = { stdout: "", stderr: "" };
  const readers = {
    stdout: child.stdout.getReader(),
    stderr: child.stderr.getReader(),
  };
  let wake = Promise.withResolvers<void>();
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await readers[name].read();
      texts[name] += decoder.decode(value, { stream: !done });
      wake.resolve();
      wake = Promise.withResolvers();
      if (done) return;
    }
  };
  const collected = Promise.all([collect("stdout"), collect("stderr")]);
  const writer = child.stdin.getWriter();
  const write = async (text: string) => {
    await writer.write(new TextEncoder().encode(text));
  };
  let open = true;
  const closeStdin = async () => {
    if (!open) return;
    open = false;
    // It may have exited without reading it.
    await writer.close().catch(() => {});
  };
  if (stdin !== undefined) write(stdin).catch(() => {}).then(closeStdin);
  return {
    pid: child.pid,
    async shows(pattern) {
      let finished = false;
      collected.then(() => finished = true);
      for (;;) {
        const seen = texts.stdout + texts.stderr;
        if (
          typeof pattern === "string"
            ? seen.includes(pattern)
            : pattern.test(seen)
        ) return seen;
        if (finished) throw new Error(`${pattern} is not in:\n${seen}`);
        await Promise.race([wake.promise, collected]);
      }
    },
    kill: (signal) => child.kill(signal),
    closeStdout: () => readers.stdout.cancel(),
    write,
    async ended() {
      if (stdin === undefined) await closeStdin();
      const { code } = await child.status;
      await collected;
      return {
        code,
        ...texts,
        output: `${texts.stdout}${texts.stderr}`,
      };
    },
  };
}
