// Launching: starts a plugin's process, shakes hands, and gives its
// components out as objects that look as if they lived here.

import { Connection, type EndReason } from "../plugin/rpc/connection.ts";
import { FrameReader } from "../plugin/rpc/frame.ts";
import {
  ConnectionClosedError,
  DEFAULT_LIMITS,
  PROTOCOL_VERSIONS,
  ProtocolError,
} from "../plugin/rpc/protocol.ts";
import { VERSION } from "../plugin/version.ts";
import { type Child, type Exit, exitText } from "./child.ts";
import { checkExecutable, startFailure } from "./executable.ts";
import { startedChild } from "./head_start.ts";
import { harmlessText, type Log, NO_LOG } from "./log.ts";
import { LogRelay } from "./log_relay.ts";
import { PluginError } from "./plugin_error.ts";

/** How a plugin is launched. */
export interface LaunchOptions {
  /** What the plugin is called in the log and in errors; its path unless given. */
  name?: string;
  /** Where its stderr goes, line by line; nowhere unless given. */
  log?: Log;
  /**
   * Its environment; the host's own unless given, without the variables that
   * steer baler. BALER_HOST_ID is added to it.
   */
  env?: Record<string, string>;
  /** The folder it starts in; the host's own unless given. */
  cwd?: string;
  /** How long it may take to say hello, in milliseconds; 60,000 unless given. */
  startTimeout?: number | undefined;
  /**
   * How long it may stay without a sign of life while it has calls to answer,
   * in milliseconds; 300,000 unless given. It is asked for one, so a plugin may
   * take as long as it likes for a call, but not be stopped, nor busy for so
   * long without a turn of its event loop.
   */
  answerTimeout?: number | undefined;
  /**
   * How long it may take to end by itself when it is closed, in milliseconds;
   * 15,000 unless given. Then it gets SIGTERM, and 2,000 ms later SIGKILL.
   */
  grace?: number | undefined;
  /** Gives up the launch when aborted. */
  signal?: AbortSignal;
  /**
   * What it is doing, for the error that tells of its death; the method that
   * was called unless given.
   */
  doing?(): string | undefined;
}

/** What a plugin says of itself when it starts. */
export interface PluginInfo {
  /** The protocol version that was chosen. */
  protocol: number;
  /** The version of the library that it is written with. */
  sdk: string;
  /** Its own version, where it has one. */
  version?: string;
  /** By kind, the names of its components; "" serves under any name. */
  components: Record<string, string[]>;
}

const NEWLINE = 10;
const START_TIMEOUT = 60_000;
const ANSWER_TIMEOUT = 300_000;

/** How long a plugin may take to end by itself, in milliseconds, where nothing else is said. */
export const GRACE = 15_000;

const TERM_GRACE = 2_000;

/** How long the last words of a plugin are waited for, in milliseconds. */
const LAST_WORDS = 100;

/**
 * Launches a plugin.
 *
 * @param command Its path, or a command and its arguments, like
 * `["ssh", "build1", "/opt/x"]`.
 * @param options How it is launched.
 * @returns The plugin, once it has said hello.
 * @throws {PluginError} When it cannot be started, is no baler plugin, or does
 * not start in time.
 *
 * @example
 * ```ts ignore
 * import { launch } from "@baler/baler/host";
 *
 * interface Greeter {
 *   greet(name: string): Promise<string>;
 * }
 *
 * await using plugin = await launch("/opt/greeter");
 * const greeter = await plugin.create<Greeter>("greeter", "polite");
 * console.log(await greeter.greet("Ada"));
 * ```
 */
export async function launch(
  command: string | readonly string[],
  options: LaunchOptions = {},
): Promise<Plugin> {
  const argv = typeof command === "string" ? [command] : command;
  const name = options.name ?? argv.join(" ");
  options.signal?.throwIfAborted();
  await checkExecutable(argv, name, options.cwd);
  const plugin = new Plugin(argv, name, options);
  try {
    await plugin.started;
  } catch (error) {
    await plugin.close();
    throw error;
  }
  return plugin;
}

/** A plugin that runs in a process of its own. */
export class Plugin implements AsyncDisposable {
  /** What it is called in the log and in errors. */
  readonly name: string;
  /** Resolves when it has said hello. */
  readonly started: Promise<void>;
  readonly #argv: readonly string[];
  readonly #options: LaunchOptions;
  readonly #child: Child;
  readonly #relay: LogRelay;
  readonly #connection: Connection;
  readonly #start = Promise.withResolvers<void>();
  #firstLine:
    | Pick<FrameReader, "push" | "unfinished">
    | undefined = new FrameReader(
      DEFAULT_LIMITS,
      (line) => this.#relay.line(line),
    );
  #info: PluginInfo | undefined;
  #closing: Promise<PluginError | undefined> | undefined;

  /** Starts the process; {@linkcode launch} also waits for its hello. */
  constructor(
    argv: readonly string[],
    name: string,
    options: LaunchOptions,
  ) {
    this.name = name;
    this.#argv = argv;
    this.#options = options;
    this.#relay = new LogRelay(name, options.log ?? NO_LOG);
    this.#child = startedChild({
      argv,
      env: options.env,
      cwd: options.cwd,
      onStdout: (chunk) => this.#receive(chunk),
      onStdoutEnd: () => this.#stdoutEnded(),
      onStderr: (chunk) => this.#relay.push(chunk),
    });
    this.#connection = new Connection({
      write: (bytes) => this.#child.write(bytes),
      peer: name,
      onText: (line) => this.#relay.line(line),
      onProtocolError: async (error) => {
        // What it wrote before it to stderr may not have been read yet.
        await new Promise((resolve) => setTimeout(resolve, LAST_WORDS));
        const what = error.message.slice(name.length + 1);
        this.#fate ??= what;
        this.#isTold ||= this.#connection.pending > 0;
        const told = (method: string | undefined) =>
          this.#errorIn(method, what, undefined, { cause: error });
        void this.close(told);
        return told;
      },
    });
    this.started = this.#start.promise;
    this.started.catch(() => {});
    this.#limitStart();
    this.#child.exited.then(
      (exit) => this.#gone(exit),
      (error) => this.#fail(startFailure(name, argv, error as Error)),
    );
  }

  /** What it said of itself. */
  get info(): PluginInfo {
    if (this.#info === undefined) throw new Error("the plugin has not started");
    return this.#info;
  }

  /** Its process id. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How many references each side holds of the other's. */
  get references(): { exported: number; imported: number } {
    return this.#connection.references;
  }

  /** Its last lines on stderr, oldest first: 20 at the most. */
  get lastLines(): string[] {
    return this.#relay.lastLines;
  }

  /**
   * Makes a component that it serves.
   *
   * @param kind The kind of component, for example `"builder"`.
   * @param name The component's name; "" for the only one that it serves.
   * @returns An object whose methods run in the plugin.
   * @throws {Error} When it serves none of that name, or cannot make it.
   */
  async create<T extends object>(kind: string, name: string): Promise<T> {
    const byKind = this.info.components;
    const names = Object.hasOwn(byKind, kind) ? byKind[kind]! : [];
    // Where only the plugin is named, the one component that it has is meant.
    const meant = name === "" && names.length === 1 ? names[0]! : name;
    if (!names.includes(meant) && !names.includes("")) {
      throw new PluginError(
        this.name,
        `serves no ${
          name === "" ? `${kind} without a name` : `${kind} "${name}"`
        }; it serves ${served(byKind)}: name one of them`,
      );
    }
    return await this.#connection.call(0, "create", [kind, meant]) as T;
  }

  /**
   * Ends the plugin: its stdin is closed, so that it gives up the work under
   * way, cleans up and exits; if it does not, it is ended.
   *
   * @param reason What calls under way fail with.
   * @returns What went wrong with its end, where nothing else tells of it: an
   * exit code other than 0, a signal, or that it had to be ended. It is no
   * exception, since all that was asked of the plugin has been done by then.
   */
  close(
    reason: EndReason = new ConnectionClosedError(
      `${this.name} has been closed`,
    ),
  ): Promise<PluginError | undefined> {
    return this.#closing ??= this.#end(reason);
  }

  /** Ends the plugin; {@linkcode Plugin.close} also says how that went. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(reason: EndReason): Promise<PluginError | undefined> {
    const { grace = GRACE } = this.#options;
    this.#connection.close(reason);
    this.#child.closeStdin();
    const term = setTimeout(() => {
      this.#fate ??= `did not end within ${
        grace / 1000
      } s of being told to shut down; it was ended`;
      this.#child.kill("SIGTERM");
    }, grace);
    const kill = setTimeout(
      () => this.#child.kill("SIGKILL"),
      grace + TERM_GRACE,
    );
    const exit = await this.#child.exited.catch(() => undefined);
    clearTimeout(term);
    clearTimeout(kill);
    this.#relay.end();
    if (exit === undefined || this.#isTold) return undefined;
    if (this.#fate === undefined && exit.code === 0) return undefined;
    const what = this.#fate ?? `${exitText(exit)} while it shut down`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  #limitStart(): void {
    const { startTimeout = START_TIMEOUT, signal } = this.#options;
    const late = setTimeout(() => {
      this.#kill(
        `did not say hello within ${
          startTimeout / 1000
        } s${this.#unfinished()}`,
      );
    }, startTimeout);
    const abort = () => {
      this.#fail(signal!.reason);
      this.#child.kill("SIGKILL");
    };
    signal?.addEventListener("abort", abort, { once: true });
    const settled = () => {
      clearTimeout(late);
      signal?.removeEventListener("abort", abort);
    };
    this.started.then(settled, settled);
  }

  /** Asks a plugin that owes answers, and says nothing, for a sign of life. */
  #watchLife(): void {
    const { answerTimeout = ANSWER_TIMEOUT } = this.#options;
    const timer = setInterval(() => {
      if (this.#isHeard || this.#connection.pending === 0) {
        this.#isHeard = false;
        this.#silence = 0;
        return;
      }
      this.#silence += answerTimeout / 4;
      if (this.#silence >= answerTimeout) {
        this.#isTold = true;
        this.#connection.close(
          (method) =>
            this.#errorIn(
              method,
              `has shown no sign of life for ${answerTimeout / 1000} s`,
            ),
        );
        this.#child.kill("SIGKILL");
      } else this.#connection.call(0, "ping", []).catch(() => {});
    }, answerTimeout / 4);
    // It must not keep a program alive that waits for nothing else.
    Deno.unrefTimer(timer as unknown as number);
    const stop = () => clearInterval(timer);
    this.#child.exited.then(stop, stop);
  }
  /** Whether anything has come from it since the last look. */
  #isHeard = true;
  #silence = 0;

  #receive(chunk: Uint8Array): void {
    this.#isHeard = true;
    if (this.#firstLine === undefined) return this.#connection.receive(chunk);
    // Line by line: what is behind the hello is the connection's.
    let rest = chunk;
    while (this.#firstLine !== undefined && rest.length > 0) {
      const end = rest.indexOf(NEWLINE) + 1 || rest.length;
      try {
        this.#firstLine.push(
          rest.subarray(0, end),
          ({ json }) => this.#hello(json),
        );
      } catch (error) {
        this.#firstLine = NOTHING_MORE;
        this.#kill(`is not a baler plugin: ${(error as Error).message}`);
        return;
      }
      rest = rest.subarray(end);
    }
    if (rest.length > 0) this.#connection.receive(rest);
  }

  #hello(json: Record<string, unknown>): void {
    const { hello, protocols, sdk, version, components } = json;
    if (
      hello !== "baler" || !Array.isArray(protocols) ||
      typeof sdk !== "string" || !isComponents(components)
    ) {
      throw new ProtocolError("its first line is no hello");
    }
    const protocol = Math.max(
      ...PROTOCOL_VERSIONS.filter((version) => protocols.includes(version)),
    );
    if (!Number.isFinite(protocol)) {
      const isOlder = Math.max(...protocols) < Math.max(...PROTOCOL_VERSIONS);
      const refuse = `baler ${VERSION} speaks protocol ${
        PROTOCOL_VERSIONS.join(", ")
      }, ${this.name} speaks ${protocols.join(", ")}: upgrade ${
        isOlder ? "the plugin" : "baler"
      }`;
      this.#writeLine({ refuse });
      this.#fail(new PluginError(this.name, `cannot be used: ${refuse}`));
      void this.close();
      return;
    }
    this.#info = {
      protocol,
      sdk,
      components,
      ...(typeof version === "string" ? { version } : {}),
    };
    this.#writeLine({ welcome: protocol, host: `baler ${VERSION}` });
    this.#firstLine = undefined;
    this.#options.log?.write(this.name, ["Plugin started"]);
    this.#watchLife();
    this.#start.resolve();
  }

  /** What has come of a line that was perhaps to be the hello. */
  #unfinished(): string {
    const text = (this.#firstLine?.unfinished ?? "").slice(0, 200);
    return text === "" ? "" : `, but only ${harmlessText(text)}`;
  }

  #writeLine(json: Record<string, unknown>): void {
    // Where it is gone, its exit tells more.
    this.#child.write(
      new TextEncoder().encode(`{"json":${JSON.stringify(json)}}\n`),
    )?.catch(() => {});
  }

  /** Why this host ended it, where it did so unasked. */
  #fate: string | undefined;
  /** Whether someone who waited for it has been told what went wrong. */
  #isTold = false;

  /**
   * Ends the process at once. What waits for it fails when it is gone, and all
   * that it wrote has been read.
   */
  #kill(why: string): void {
    this.#fate ??= why;
    this.#child.kill("SIGKILL");
  }

  /** Stdout is closed: the process is at its end, or has to be ended. */
  #stdoutEnded(): void {
    const patience = setTimeout(() => {
      this.#kill(
        `closed its stdout${
          this.#info === undefined ? " before it said hello" : " and lived on"
        }; it was ended`,
      );
    }, DRAIN_EXIT);
    const settled = () => clearTimeout(patience);
    this.#child.exited.then(settled, settled);
  }

  #gone(exit: Exit): void {
    this.#relay.end();
    if (this.#info === undefined) {
      const what = this.#fate ??
        `${
          exitText(exit)
        } before it said hello${this.#unfinished()}; is it a baler plugin?`;
      this.#fail(
        this.#closing === undefined
          ? new PluginError(this.name, what, this.lastLines, exit)
          : new ConnectionClosedError(`${this.name} has been closed`),
      );
      return;
    }
    const what = this.#fate ?? exitText(exit);
    this.#isTold ||= this.#connection.pending > 0;
    this.#connection.receiveEnd((method) => this.#errorIn(method, what, exit));
  }

  /** An error that tells what the plugin was doing. */
  #errorIn(
    method: string | undefined,
    what: string,
    exit?: Exit,
    options?: ErrorOptions,
  ): PluginError {
    const doing = this.#options.doing?.() ??
      (method === undefined ? undefined : `${method}()`);
    return new PluginError(
      this.name,
      doing === undefined ? what : `${what} (in ${doing})`,
      this.lastLines,
      exit,
      options,
    );
  }

  #fail(error: unknown): void {
    this.#isTold = true;
    this.#start.reject(error);
    this.#connection.close(error as Error);
  }
}

/** Takes what comes behind a first line that was no hello. */
const NOTHING_MORE = { push() {}, unfinished: "" };

/** How long a process may live on once its stdout is closed, in milliseconds. */
const DRAIN_EXIT = 2_000;

function isComponents(value: unknown): value is Record<string, string[]> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((names) =>
      Array.isArray(names) && names.every((name) => typeof name === "string")
    );
}

function served(components: Record<string, string[]>): string {
  const all = Object.entries(components).flatMap(([kind, names]) =>
    names.map((name) => name === "" ? `any ${kind}` : `${kind} "${name}"`)
  );
  return all.length === 0 ? "nothing" : all.join(", ");
}
