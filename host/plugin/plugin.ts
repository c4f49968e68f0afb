// A plugin: a process that has been launched, whose components are given out
// as objects that look as if they lived here.

import { type CloseReason, Connection } from "../../plugin/rpc/connection.ts";
import { ConnectionClosedError } from "../../plugin/rpc/protocol.ts";
import { setLongTimeout } from "../../plugin/common/long_timeout.ts";
import { EventLoopYield } from "../../plugin/common/event_loop_yield.ts";
import { type Child, describeExit, type Exit } from "../process/child.ts";
import { CallBurst } from "./call_burst.ts";
import { spawnError } from "./executable.ts";
import { claimPrelaunchedOrSpawn } from "../process/prelaunch.ts";
import {
  encodeHandshakeReply,
  HandshakeReader,
  parseHello,
  type PluginInfo,
} from "./handshake.ts";
import {
  ANSWER_TIMEOUT,
  GRACE,
  type LaunchOptions,
  START_TIMEOUT,
} from "./launch_options.ts";
import { NO_LOG } from "../log/log.ts";
import { LogRelay } from "../log/log_relay.ts";
import { PluginError } from "./plugin_error.ts";
import { execFailure } from "../process/process_group.ts";
import { HeartbeatMonitor } from "./heartbeat.ts";

/** How long one that was told to end by SIGTERM has until SIGKILL, in milliseconds. */
const TERM_GRACE = 2_000;

/** How long the last words of a plugin are waited for, in milliseconds. */
const STDERR_DRAIN_MS = 100;

/** How long a process may live on once its stdout is closed, in milliseconds. */
const EXIT_AFTER_EOF_MS = 2_000;

/** After how long the event loop gets its turn, in milliseconds, whatever is answered promptly. */
const TURN = 5;
const turns = new EventLoopYield(TURN);

/** The plugins that have said hello, and are not gone. */
const started = new Set<Plugin>();

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
  readonly #conversation = new CallBurst(() =>
    this.#connection.sendEmptyLine()
  );
  readonly #start = Promise.withResolvers<void>();
  readonly #hello: HandshakeReader;
  /** Whether what comes on stdout is listened to: not once it is no plugin. */
  #isListening = true;
  #life: HeartbeatMonitor | undefined;
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
    this.#hello = new HandshakeReader((line) => this.#relay.line(line));
    this.#child = claimPrelaunchedOrSpawn({
      argv,
      env: options.env,
      cwd: options.cwd,
      onStdout: (chunk) => this.#receive(chunk),
      onStdoutEnd: () => this.#stdoutEnded(),
      onStderr: (chunk) => this.#relay.push(chunk),
      bypass: () => this.#connection.bypass,
      onMoved: () => this.#connection.moved(),
      isAnswerNear: () => this.#isAnswerNear(),
    });
    this.#connection = new Connection({
      write: (bytes) => this.#child.stdin?.write(bytes),
      bypass: (length) => this.#child.bypass(length),
      pour: (bypass) => this.#child.stdin!.writeSpliced(bypass),
      peer: name,
      announcesMore: () => this.#conversation.recordCall(),
      onText: (line) => this.#relay.line(line),
      onProtocolError: async (error) => {
        // What it wrote before it to stderr may not have been read yet.
        await new Promise((resolve) => setTimeout(resolve, STDERR_DRAIN_MS));
        const what = error.message.slice(name.length + 1);
        this.#terminationReason ??= what;
        this.#failureReported ||= this.#connection.pending > 0;
        const told = (method: string | undefined) =>
          this.#errorDuring(method, what, undefined, { cause: error });
        void this.close(told);
        return told;
      },
    });
    this.started = this.#start.promise;
    this.started.catch(() => {});
    this.#armStartTimeout();
    this.#child.exited.then(
      (exit) => this.#onExit(exit),
      (error) => this.#fail(spawnError(name, argv, error as Error)),
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
   * @param grace How long it may take to end by itself, in milliseconds; as it
   * was launched with unless given.
   * @returns What went wrong with its end, where nothing else tells of it: an
   * exit code other than 0, a signal, or that it had to be ended. It is no
   * exception, since all that was asked of the plugin has been done by then.
   */
  close(
    reason: CloseReason = new ConnectionClosedError(
      `${this.name} has been closed`,
    ),
    grace: number = this.#options.grace ?? GRACE,
  ): Promise<PluginError | undefined> {
    return this.#closing ??= this.#end(reason, grace);
  }

  /** Ends the plugin; {@linkcode Plugin.close} also says how that went. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(
    reason: CloseReason,
    grace: number,
  ): Promise<PluginError | undefined> {
    this.#conversation.end();
    this.#connection.close(reason);
    this.#child.stdin?.close();
    const stopTerm = setLongTimeout(grace, () => {
      this.#terminationReason ??= `did not end within ${
        grace / 1000
      } s of being told to shut down; it was ended`;
      this.#child.kill("SIGTERM");
    });
    const stopKill = setLongTimeout(
      grace + TERM_GRACE,
      () => this.#child.kill("SIGKILL"),
    );
    const exit = await this.#child.exited.catch(() => undefined);
    stopTerm();
    stopKill();
    this.#relay.end();
    if (exit === undefined || this.#failureReported) return undefined;
    if (this.#terminationReason === undefined && exit.code === 0) {
      return undefined;
    }
    const what = this.#terminationReason ??
      `${describeExit(exit)} while it shut down`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  #armStartTimeout(): void {
    const { startTimeout = START_TIMEOUT, signal } = this.#options;
    const stop = setLongTimeout(startTimeout, () => {
      this.#kill(
        `did not say hello within ${
          startTimeout / 1000
        } s${this.#hello.partialLine}; is it a baler plugin?`,
      );
    });
    const abort = () => {
      this.#fail(signal!.reason);
      this.#child.kill("SIGKILL");
    };
    signal?.addEventListener("abort", abort, { once: true });
    const settled = () => {
      stop();
      signal?.removeEventListener("abort", abort);
    };
    this.started.then(settled, settled);
  }

  /** Whether nothing is under way in this host but a call that is answered soon. */
  #isAnswerNear(): boolean {
    if (!this.#conversation.isActive || !this.#connection.awaitsOnlyAnswer) {
      return false;
    }
    for (const other of started) {
      if (other !== this && !other.#connection.isIdle) return false;
    }
    return !turns.shouldYield;
  }

  #receive(chunk: Uint8Array): void {
    this.#life?.beat();
    if (this.#info !== undefined) return this.#connection.receive(chunk);
    if (!this.#isListening) return;
    try {
      const hello = this.#hello.push(chunk);
      if (hello === undefined) return;
      this.#completeHandshake(hello.json);
      this.#connection.receive(hello.rest);
    } catch (error) {
      this.#isListening = false;
      this.#kill(`is not a baler plugin: ${(error as Error).message}`);
    }
  }

  #completeHandshake(json: Record<string, unknown>): void {
    const answer = parseHello(json, this.name);
    // Where it is gone, its exit tells more.
    this.#child.stdin!.write(encodeHandshakeReply(answer)).catch(() => {});
    if ("refuse" in answer) {
      this.#isListening = false;
      this.#fail(
        new PluginError(this.name, `cannot be used: ${answer.refuse}`),
      );
      void this.close();
      return;
    }
    this.#info = answer;
    started.add(this);
    this.#options.log?.write(this.name, ["Plugin started"]);
    this.#startHeartbeat();
    this.#start.resolve();
  }

  /** Ends a plugin that owes answers and shows no sign of life. */
  #startHeartbeat(): void {
    const { answerTimeout = ANSWER_TIMEOUT } = this.#options;
    const watch = new HeartbeatMonitor({
      isBusy: () => this.#connection.pending > 0,
      ping: () => void this.#connection.call(0, "ping", []).catch(() => {}),
      onTimeout: () => {
        const what = `has shown no sign of life for ${answerTimeout / 1000} s`;
        this.#failureReported = true;
        this.#connection.close((method) => this.#errorDuring(method, what));
        this.#child.kill("SIGKILL");
      },
    }, answerTimeout);
    this.#life = watch;
    const stop = () => watch[Symbol.dispose]();
    this.#child.exited.then(stop, stop);
  }

  /** Why this host ended it, where it did so unasked. */
  #terminationReason: string | undefined;
  /** Whether someone who waited for it has been told what went wrong. */
  #failureReported = false;

  /**
   * Ends the process at once. What waits for it fails when it is gone, and all
   * that it wrote has been read.
   */
  #kill(why: string): void {
    this.#terminationReason ??= why;
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
    }, EXIT_AFTER_EOF_MS);
    const settled = () => clearTimeout(patience);
    this.#child.exited.then(settled, settled);
  }

  #onExit(exit: Exit): void {
    started.delete(this);
    this.#relay.end();
    if (this.#info === undefined) return this.#fail(this.#notStarted(exit));
    const what = this.#terminationReason ?? describeExit(exit);
    this.#failureReported ||= this.#connection.pending > 0;
    this.#connection.receiveEnd((method) =>
      this.#errorDuring(method, what, exit)
    );
  }

  /** Why there was no hello before it was gone. */
  #notStarted(exit: Exit): Error {
    if (this.#closing !== undefined) {
      return new ConnectionClosedError(`${this.name} has been closed`);
    }
    const refusal = execFailure(exit.code, this.lastLines.at(-1));
    if (refusal !== undefined) {
      return spawnError(this.name, this.#argv, new Error(refusal));
    }
    const what = this.#terminationReason ??
      `${
        describeExit(exit)
      } before it said hello${this.#hello.partialLine}; is it a baler plugin?`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  /** An error that tells what the plugin was doing. */
  #errorDuring(
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
    this.#failureReported = true;
    this.#start.reject(error);
    this.#connection.close(error as Error);
  }
}

function served(components: Record<string, string[]>): string {
  const all = Object.entries(components).flatMap(([kind, names]) =>
    names.map((name) => name === "" ? `any ${kind}` : `${kind} "${name}"`)
  );
  return all.length === 0 ? "nothing" : all.join(", ");
}
