// A plugin: its process, and the connection over which the host calls its
// objects.

import { Connection } from "../../plugin/rpc/connection.ts";
import { CREATE_METHOD, PING_METHOD } from "../../plugin/rpc/message.ts";
import type { CloseReason } from "../../plugin/rpc/outgoing_calls.ts";
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
  ANSWER_TIMEOUT_MS,
  type LaunchOptions,
  SHUTDOWN_GRACE_MS,
  START_TIMEOUT_MS,
} from "./launch_options.ts";
import { NO_LOG } from "../log/log.ts";
import { LogRelay } from "../log/log_relay.ts";
import { PluginError } from "./plugin_error.ts";
import { type PluginState, toClosing, toExited } from "./plugin_state.ts";
import { execFailure } from "../process/process_group.ts";
import { trackHandshake } from "../process/reaper.ts";
import { HeartbeatMonitor } from "./heartbeat.ts";

/** The time between SIGTERM and SIGKILL, in milliseconds. */
const TERM_GRACE_MS = 2_000;

/** How long stderr is read after a protocol error, in milliseconds. */
const STDERR_DRAIN_MS = 100;

/** How long a process may exist after the end of its stdout, in milliseconds. */
const EXIT_AFTER_EOF_MS = 2_000;

/** After how long spinning yields to the event loop, in milliseconds. */
const YIELD_INTERVAL_MS = 5;
const eventLoopYield = new EventLoopYield(YIELD_INTERVAL_MS);

/** The plugins whose state is "running" or "closing", with a complete handshake. */
const connected = new Set<Plugin>();

/** A plugin that runs in a process of its own. */
export class Plugin implements AsyncDisposable {
  /** The plugin's name in the log and in errors. */
  readonly name: string;
  /** Resolves when the handshake is complete; rejects when it fails. */
  readonly started: Promise<void>;
  readonly #argv: readonly string[];
  readonly #options: LaunchOptions;
  readonly #child: Child;
  readonly #relay: LogRelay;
  readonly #connection: Connection;
  readonly #burst = new CallBurst(() => this.#connection.sendEmptyLine());
  readonly #start = Promise.withResolvers<void>();
  readonly #handshake: HandshakeReader;
  #state: PluginState = { phase: "starting" };
  #activity = 0;
  /** Whether its output is not read at the moment, because the host has no room for it. */
  #isPaused = false;

  /** Spawns the process; {@linkcode launch} also waits for the handshake. */
  constructor(
    argv: readonly string[],
    name: string,
    options: LaunchOptions,
  ) {
    this.name = name;
    this.#argv = argv;
    this.#options = options;
    this.#relay = new LogRelay(name, options.log ?? NO_LOG);
    this.#handshake = new HandshakeReader((line) => this.#relay.line(line));
    this.#child = claimPrelaunchedOrSpawn({
      argv,
      env: options.env,
      cwd: options.cwd,
      stdout: {
        receive: (chunk) => this.#receive(chunk),
        end: () => this.#stdoutEnded(),
        spliceTarget: () => this.#connection.spliceTarget,
        isAnswerNear: () => this.#shouldSpin(),
      },
      onStderr: (chunk) => {
        this.#activity++;
        return this.#relay.push(chunk);
      },
    });
    this.#connection = new Connection(this.#child.transport, {
      peer: name,
      announcesMore: () => this.#burst.recordCall(),
      onText: (line) => this.#relay.line(line),
      onProtocolError: async (error) => {
        // Its last lines on stderr may not have been read yet.
        await new Promise((resolve) => setTimeout(resolve, STDERR_DRAIN_MS));
        const what = error.message.slice(name.length + 1);
        this.#state = toClosing(
          this.#state,
          what,
          this.#connection.pending > 0,
        );
        const reason = (method: string | undefined) =>
          this.#errorDuring(method, what, undefined, { cause: error });
        void this.close(reason);
        return reason;
      },
    });
    this.started = this.#start.promise;
    this.started.catch(() => {});
    this.#armStartTimeout();
    this.#child.exited.then(
      (exit) => this.#onExit(exit),
      (error) => {
        this.#state = toExited(this.#state, undefined, true);
        this.#fail(spawnError(name, argv, error as Error));
      },
    );
  }

  /**
   * The plugin's description from the handshake.
   *
   * @throws {Error} When the handshake is not complete.
   */
  get info(): PluginInfo {
    const info = this.#info;
    if (info === undefined) throw new Error("the plugin has not started");
    return info;
  }

  get #info(): PluginInfo | undefined {
    return this.#state.phase === "starting" ? undefined : this.#state.info;
  }

  /** The process id; undefined when the process could not be spawned. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether calls of the plugin are in flight. */
  get isBusy(): boolean {
    return this.#connection.pending > 0;
  }

  /** A number that grows with each chunk that the plugin writes. */
  get activity(): number {
    return this.#activity;
  }

  /** Pings the plugin. */
  ping(): void {
    this.#connection.call(0, PING_METHOD, []).catch(() => {});
  }

  /** How many references each side holds to objects of the other. */
  get references(): { exported: number; imported: number } {
    return this.#connection.references;
  }

  /** The last lines that the plugin wrote, at most 20 of stderr, oldest first. */
  get lastLines(): string[] {
    return this.#relay.lastLines;
  }

  /**
   * Creates a component that the plugin serves.
   *
   * @param kind The kind of component, for example `"builder"`.
   * @param name The component's name; "" for the only one that it serves.
   * @returns A proxy whose methods run in the plugin.
   * @throws {Error} When the plugin serves no such component, or cannot create
   * it.
   */
  async create<T extends object>(kind: string, name: string): Promise<T> {
    const byKind = this.info.components;
    const names = Object.hasOwn(byKind, kind) ? byKind[kind]! : [];
    // An empty name selects the plugin's only component of that kind.
    const chosen = name === "" && names.length === 1 ? names[0]! : name;
    if (!names.includes(chosen) && !names.includes("")) {
      throw new PluginError(
        this.name,
        `serves no ${
          name === "" ? `${kind} without a name` : `${kind} "${name}"`
        }; it serves ${served(byKind)}`,
      );
    }
    return await this.#connection.call(0, CREATE_METHOD, [kind, chosen]) as T;
  }

  /**
   * Shuts the plugin down. Closes its stdin, at which the plugin aborts the calls
   * in flight, cleans up and exits. When it does not exit within the grace
   * period, it gets SIGTERM, and SIGKILL 2 s later. A further call with a shorter
   * grace period shortens it.
   *
   * @param reason The error of the calls in flight.
   * @param grace The grace period, in milliseconds; the one that the plugin was
   * launched with unless given.
   * @returns Why the shutdown failed, if no other error has reported it: an exit
   * code other than 0, a signal, or that the process had to be killed. Returned
   * instead of thrown, since all calls have been answered by then.
   */
  async close(
    reason: CloseReason = new ConnectionClosedError(
      `${this.name} has been closed`,
    ),
    grace: number = this.#options.grace ?? SHUTDOWN_GRACE_MS,
  ): Promise<PluginError | undefined> {
    const { phase } = this.#state;
    if (phase === "starting" && typeof reason !== "function") {
      this.#start.reject(reason);
    }
    if (phase !== "exited") this.#state = toClosing(this.#state, undefined);
    this.#burst.end();
    this.#connection.close(reason);
    this.#child.stdin?.close();
    const stopTerm = setLongTimeout(grace, () => {
      this.#state = toClosing(
        this.#state,
        `did not exit within ${
          grace / 1000
        } s of being told to shut down; it was killed`,
      );
      this.#child.kill("SIGTERM");
    });
    const stopKill = setLongTimeout(
      grace + TERM_GRACE_MS,
      () => this.#child.kill("SIGKILL"),
    );
    await this.#child.exited.catch(() => undefined);
    stopTerm();
    stopKill();
    return this.#shutdownError();
  }

  /** Shuts the plugin down; {@linkcode Plugin.close} also returns whether that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Why the shutdown failed, if no caller has received the error. */
  #shutdownError(): PluginError | undefined {
    const state = this.#state;
    if (state.phase !== "exited" || state.exit === undefined) return undefined;
    const { exit, reason, isReported } = state;
    if (isReported || (reason === undefined && exit.code === 0)) {
      return undefined;
    }
    const what = reason ?? `${describeExit(exit)} while it shut down`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  #armStartTimeout(): void {
    const { startTimeout = START_TIMEOUT_MS, signal } = this.#options;
    const stop = setLongTimeout(startTimeout, () => {
      this.#kill(
        `did not complete the handshake within ${
          startTimeout / 1000
        } s (limit: BALER_PLUGIN_START_TIMEOUT)${this.#handshake.partialLine}; is it a baler plugin?`,
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

  /** Whether nothing is in flight in this host except one call whose answer is near. */
  #shouldSpin(): boolean {
    if (!this.#burst.isActive || !this.#connection.awaitsOnlyResponse) {
      return false;
    }
    for (const other of connected) {
      if (other !== this && !other.#connection.isIdle) return false;
    }
    return !eventLoopYield.shouldYield;
  }

  #receive(chunk: Uint8Array): void | Promise<void> {
    this.#activity++;
    const state = this.#state;
    if (state.phase === "running") {
      state.heartbeat.beat();
      this.#connection.receive(chunk);
      const pause = this.#options.pause?.();
      if (pause !== undefined) return this.#pause(pause);
    } else if (state.phase === "starting") this.#receiveHello(chunk);
  }

  async #pause(until: Promise<void>): Promise<void> {
    this.#isPaused = true;
    await until;
    this.#isPaused = false;
    if (this.#state.phase === "running") this.#state.heartbeat.beat();
  }

  #receiveHello(chunk: Uint8Array): void {
    try {
      const hello = this.#handshake.push(chunk);
      if (hello === undefined) return;
      this.#completeHandshake(hello.json);
      this.#connection.receive(hello.rest);
    } catch (error) {
      this.#kill(`is not a baler plugin: ${(error as Error).message}`);
    }
  }

  #completeHandshake(json: Record<string, unknown>): void {
    const answer = parseHello(json, this.name);
    // When the process has exited, its exit is reported instead of this failure.
    this.#child.stdin!.write(encodeHandshakeReply(answer)).catch(() => {});
    if ("refuse" in answer) {
      this.#fail(
        new PluginError(this.name, `cannot be used: ${answer.refuse}`),
      );
      void this.close();
      return;
    }
    const heartbeat = this.#startHeartbeat();
    this.#state = { phase: "running", info: answer, heartbeat };
    connected.add(this);
    trackHandshake(this.#child.pid!);
    this.#options.log?.write(this.name, ["Plugin started"]);
    this.#start.resolve();
  }

  /** Kills the plugin when calls are in flight and it does not respond to pings. */
  #startHeartbeat(): HeartbeatMonitor {
    const { answerTimeout = ANSWER_TIMEOUT_MS } = this.#options;
    return new HeartbeatMonitor({
      isBusy: () => this.isBusy && !this.#isPaused,
      ping: () => this.ping(),
      onTimeout: () => {
        const what = `did not respond for ${
          answerTimeout / 1000
        } s and was killed (limit: BALER_PLUGIN_ANSWER_TIMEOUT)`;
        this.#state = toClosing(this.#state, what, true);
        this.#connection.close((method) => this.#errorDuring(method, what));
        this.#child.kill("SIGKILL");
      },
    }, answerTimeout);
  }

  /**
   * Kills the process. Calls in flight fail when it has exited and its output has
   * been read.
   */
  #kill(reason: string): void {
    this.#state = toClosing(this.#state, reason);
    this.#child.kill("SIGKILL");
  }

  /** Kills the process when it does not exit soon after the end of its stdout. */
  #stdoutEnded(): void {
    const timer = setTimeout(() => {
      this.#kill(
        `closed its stdout${
          this.#state.phase === "starting"
            ? " before the handshake"
            : " but did not exit"
        }; it was killed`,
      );
    }, EXIT_AFTER_EOF_MS);
    const settled = () => clearTimeout(timer);
    this.#child.exited.then(settled, settled);
  }

  #onExit(exit: Exit): void {
    connected.delete(this);
    this.#relay.end();
    const before = this.#state;
    const isStarted = this.#info !== undefined;
    this.#state = toExited(
      before,
      exit,
      isStarted && this.#connection.pending > 0,
    );
    if (!isStarted) return this.#fail(this.#startError(exit));
    const what = this.#state.reason ?? describeExit(exit);
    this.#connection.receiveEnd((method) =>
      this.#errorDuring(method, what, exit)
    );
  }

  /** Returns the error for a process that exited before the handshake. */
  #startError(exit: Exit): Error {
    const execError = execFailure(exit.code, this.lastLines.at(-1));
    if (execError !== undefined) {
      return spawnError(this.name, this.#argv, new Error(execError));
    }
    const { reason } = this.#state as { reason?: string };
    const what = reason ??
      `${
        describeExit(exit)
      } before the handshake${this.#handshake.partialLine}; is it a baler plugin?`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  /** Creates an error that names the call in flight. */
  #errorDuring(
    method: string | undefined,
    what: string,
    exit?: Exit,
    options?: ErrorOptions,
  ): PluginError {
    const activity = this.#options.activity?.() ??
      (method === undefined ? undefined : `${method}()`);
    return new PluginError(
      this.name,
      activity === undefined ? what : `${what} (in ${activity})`,
      this.lastLines,
      exit,
      options,
    );
  }

  /** Fails the launch. */
  #fail(error: unknown): void {
    this.#state = toClosing(this.#state, undefined, true);
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
