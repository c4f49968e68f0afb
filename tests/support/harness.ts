// baler as a person has it: run from source and as the compiled executable, each test in a folder of
// its own, with none of this machine's configuration, and with nothing left behind at its end.

import { assert, assertEquals } from "@std/assert";
import { DELIMITER, dirname, fromFileUrl, join, resolve } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { copyExecutable, writeFile } from "./executable_file.ts";
import { skippable } from "./programs.ts";
import { within } from "./within.ts";

const root = resolve(import.meta.dirname!, "../..");
const decoder = new TextDecoder();

/** The two ways to run baler. */
export type HostKind = "source" | "compiled";

/** What a run of baler ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for messages about a test that failed, and where it does not matter which. */
  readonly output: string;
}

/** How a run of baler differs from `baler ARGS` in the test's folder. */
export interface RunOptions {
  /** The folder that it is started in, from the test's folder. */
  readonly cwd?: string;
  /** Variables of the environment beside {@linkcode Workspace.env}. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that starts the one whose words come behind its own. */
  readonly through?: readonly string[];
  /** What it reads; nothing unless given. */
  readonly stdin?: string;
}

/** A run of baler that is under way. */
export interface Running {
  readonly pid: number;
  /** Waits until stdout or stderr has this; gives all that came up to then. */
  shows(pattern: string | RegExp): Promise<string>;
  kill(signal: Deno.Signal): void;
  /** Closes the end of stdout that the test reads. */
  closeStdout(): Promise<void>;
  /** Writes to its stdin, which stays open. */
  write(text: string): Promise<void>;
  /** Waits for its end. */
  ended(): Promise<Ended>;
}

/** One test's baler, and the folder that it works in. */
export class Workspace {
  readonly kind: HostKind;
  /** The test's folder; absolute, gone at its end. */
  readonly path: string;
  /** The whole environment of baler. */
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

  /** How baler is started, for what cannot be started by {@linkcode start}. */
  get argv(): readonly string[] {
    return this.#argv;
  }

  /** The person's home. */
  get home(): string {
    return join(this.#aside, "home");
  }

  /** The absolute path of a name in the test's folder. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file, making the folders on its way; what is no text and no bytes is written as JSON. */
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

  /** Reads a file of the test's folder. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(this.at(name));
  }

  /** The names in a folder of the test's folder, sorted. */
  async names(folder = "."): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir(this.at(folder))) {
      found.push(name);
    }
    return found.sort();
  }

  /** Runs baler to its end. */
  async baler(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return await this.start(args, options).ended();
  }

  /** Runs baler, which has to succeed. */
  async succeeds(args: readonly string[], options?: RunOptions) {
    const ended = await this.baler(args, options);
    assertEquals(ended.code, 0, ended.output);
    return ended;
  }

  /** Builds a template, given as a value, which has to succeed. */
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

  /** Fails when a process that baler started is still there, or a temporary file of it. */
  async assertNothingLeft(): Promise<void> {
    // A process that was sent SIGKILL takes a moment to be gone, and tells nobody but its parent.
    const deadline = performance.now() + 10_000;
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

  /** Ends what the test left running, and removes its folder. */
  async clear(): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    for (const { pid } of await this.#processes()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await Deno.remove(this.#aside, { recursive: true });
  }

  /** The processes that have this test's environment, or work in its folder. */
  async #processes(): Promise<{ pid: number; command: string }[]> {
    if (Deno.build.os !== "linux") return [];
    const found: { pid: number; command: string }[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === Deno.pid) continue;
      try {
        const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
        const folder = await Deno.readLink(`/proc/${pid}/cwd`);
        if (
          !environment.includes(this.#marker) &&
          !folder.startsWith(this.#aside)
        ) continue;
        const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
        found.push({ pid, command: command.replaceAll("\0", " ").trim() });
      } catch {
        // It has ended meanwhile, or is another person's.
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
 * @param options `ignore`: why it is skipped, shown in its name; `limitMs`: see {@linkcode within}.
 */
export function forEachHost(
  name: string,
  test: (bench: Workspace) => Promise<void>,
  options: { ignore?: string | false | undefined; limitMs?: number } = {},
): void {
  for (const kind of KINDS) {
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
 * How long this thread has been at work, in milliseconds: what else the machine
 * does meanwhile does not count, where the system tells it.
 */
export function workingTime(): number {
  if (Deno.build.os !== "linux") return performance.now();
  const stat = Deno.readTextFileSync("/proc/thread-self/stat");
  // The name stands in parentheses, and may have spaces; times are in hundredths.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/**
 * Asserts that an output tells one error in a person's words: no stack, no name of a source file,
 * nothing of the runtime beneath it.
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

/** The compiled example plugins, by their names. */
export async function examplePlugin(name: string): Promise<string> {
  return await once(name, async () => {
    const [made] = await compile([name], { say: () => {} });
    return made!.path;
  });
}

/** A plugin of tests/fixtures/builds, run from its source: a command of a path and its arguments. */
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

/** Where Deno keeps what it has fetched: a home of its own must not make it fetch that again. */
async function sourceEnv(): Promise<Record<string, string>> {
  const folder = await once("DENO_DIR", async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json"],
    }).output();
    return String(JSON.parse(decoder.decode(stdout)).denoDir);
  });
  return { PATH: Deno.env.get("PATH")!, DENO_DIR: folder };
}

/** A machine without Deno; fixture plugins are named by a path, and find their cache. */
async function compiledEnv(): Promise<Record<string, string>> {
  const { DENO_DIR } = await sourceEnv() as { DENO_DIR: string };
  const folders = Deno.env.get("PATH")!.split(DELIMITER).filter((folder) =>
    !hasDeno(folder)
  );
  return { PATH: folders.join(DELIMITER), DENO_DIR };
}

function hasDeno(folder: string): boolean {
  try {
    return Deno.statSync(join(folder, "deno")).isFile;
  } catch {
    return false;
  }
}

/** The compiled host in a folder of its own: the plugins that lie beside it in dist/ would be found. */
async function compiledHost(): Promise<string> {
  return await once("baler", async () => {
    const [made] = await compile(["baler"], { say: () => {} });
    const folder = await Deno.makeTempDir({ prefix: "baler-test-host-" });
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(folder, { recursive: true }),
    );
    const path = join(folder, "baler");
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
    // It may have ended without having read it.
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

// BEGIN old names, until every branch uses the new ones.
export { Workspace as Bench };
export { oldWithin as within };
function oldWithin<T>(seconds: number, what: string, promise: Promise<T>) {
  return within(what, promise, seconds * 1000);
}
// END old names.
