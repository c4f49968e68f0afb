// A plugin: a process that has been launched, whose components are given out
// as objects that look as if they lived here.

import { Connection, type EndReason } from "../../plugin/rpc/connection.ts";
import { ConnectionClosedError } from "../../plugin/rpc/protocol.ts";
import { after } from "../../plugin/common/long_timeout.ts";
import { Turns } from "../../plugin/common/event_loop_yield.ts";
import { type Child, type Exit, exitText } from "../process/child.ts";
import { Conversation } from "./call_burst.ts";
import { startFailure } from "./executable.ts";
import { startedChild } from "../process/prelaunch.ts";
import {
  answerToHello,
  HelloReader,
  type PluginInfo,
  pluginInfo,
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
import { startRefusal } from "../process/process_group.ts";
import { LifeWatch } from "./heartbeat.ts";

/** How long one that was told to end by SIGTERM has until SIGKILL, in milliseconds. */
const TERM_GRACE = 2_000;

/** How long the last words of a plugin are waited for, in milliseconds. */
const LAST_WORDS = 100;

/** How long a process may live on once its stdout is closed, in milliseconds. */
const DRAIN_EXIT = 2_000;

/** After how long the event loop gets its turn, in milliseconds, whatever is answered promptly. */
const TURN = 5;
const turns = new Turns(TURN);

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
  readonly #conversation = new Conversation(() => this.#connection.nudge());
  readonly #start = Promise.withResolvers<void>();
  readonly #hello: HelloReader;
  /** Whether what comes on stdout is listened to: not once it is no plugin. */
  #isListening = true;
  #life: LifeWatch | undefined;
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
    this.#hello = new HelloReader((line) => this.#relay.line(line));
    this.#child = startedChild({
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
      pour: (bypass) => this.#child.stdin!.pour(bypass),
      peer: name,
      isSoon: () => this.#conversation.call(),
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
   * @param grace How long it may take to end by itself, in milliseconds; as it
   * was launched with unless given.
   * @returns What went wrong with its end, where nothing else tells of it: an
   * exit code other than 0, a signal, or that it had to be ended. It is no
   * exception, since all that was asked of the plugin has been done by then.
   */
  close(
    reason: EndReason = new ConnectionClosedError(
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
    reason: EndReason,
    grace: number,
  ): Promise<PluginError | undefined> {
    this.#conversation.end();
    this.#connection.close(reason);
    this.#child.stdin?.close();
    const stopTerm = after(grace, () => {
      this.#fate ??= `did not end within ${
        grace / 1000
      } s of being told to shut down; it was ended`;
      this.#child.kill("SIGTERM");
    });
    const stopKill = after(
      grace + TERM_GRACE,
      () => this.#child.kill("SIGKILL"),
    );
    const exit = await this.#child.exited.catch(() => undefined);
    stopTerm();
    stopKill();
    this.#relay.end();
    if (exit === undefined || this.#isTold) return undefined;
    if (this.#fate === undefined && exit.code === 0) return undefined;
    const what = this.#fate ?? `${exitText(exit)} while it shut down`;
    return new PluginError(this.name, what, this.lastLines, exit);
  }

  #limitStart(): void {
    const { startTimeout = START_TIMEOUT, signal } = this.#options;
    const stop = after(startTimeout, () => {
      this.#kill(
        `did not say hello within ${
          startTimeout / 1000
        } s${this.#hello.unfinished}; is it a baler plugin?`,
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
    if (!this.#conversation.isOn || !this.#connection.isAnswerNear) {
      return false;
    }
    for (const other of started) {
      if (other !== this && !other.#connection.isIdle) return false;
    }
    return !turns.isDue;
  }

  #receive(chunk: Uint8Array): void {
    this.#life?.heard();
    if (this.#info !== undefined) return this.#connection.receive(chunk);
    if (!this.#isListening) return;
    try {
      const hello = this.#hello.push(chunk);
      if (hello === undefined) return;
      this.#greet(hello.json);
      this.#connection.receive(hello.rest);
    } catch (error) {
      this.#isListening = false;
      this.#kill(`is not a baler plugin: ${(error as Error).message}`);
    }
  }

  #greet(json: Record<string, unknown>): void {
    const answer = pluginInfo(json, this.name);
    // Where it is gone, its exit tells more.
    this.#child.stdin!.write(answerToHello(answer)).catch(() => {});
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
    this.#watchLife();
    this.#start.resolve();
  }

  /** Ends a plugin that owes answers and shows no sign of life. */
  #watchLife(): void {
    const { answerTimeout = ANSWER_TIMEOUT } = this.#options;
    const watch = new LifeWatch({
      hasWork: () => this.#connection.pending > 0,
      ask: () => void this.#connection.call(0, "ping", []).catch(() => {}),
      onSilence: () => {
        const what = `has shown no sign of life for ${answerTimeout / 1000} s`;
        this.#isTold = true;
        this.#connection.close((method) => this.#errorIn(method, what));
        this.#child.kill("SIGKILL");
      },
    }, answerTimeout);
    this.#life = watch;
    const stop = () => watch[Symbol.dispose]();
    this.#child.exited.then(stop, stop);
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
    started.delete(this);
    this.#relay.end();
    if (this.#info === undefined) return this.#fail(this.#notStarted(exit));
    const what = this.#fate ?? exitText(exit);
    this.#isTold ||= this.#connection.pending > 0;
    this.#connection.receiveEnd((method) => this.#errorIn(method, what, exit));
  }

  /** Why there was no hello before it was gone. */
  #notStarted(exit: Exit): Error {
    if (this.#closing !== undefined) {
      return new ConnectionClosedError(`${this.name} has been closed`);
    }
    const refusal = startRefusal(exit.code, this.lastLines.at(-1));
    if (refusal !== undefined) {
      return startFailure(this.name, this.#argv, new Error(refusal));
    }
    const what = this.#fate ??
      `${
        exitText(exit)
      } before it said hello${this.#hello.unfinished}; is it a baler plugin?`;
    return new PluginError(this.name, what, this.lastLines, exit);
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

function served(components: Record<string, string[]>): string {
  const all = Object.entries(components).flatMap(([kind, names]) =>
    names.map((name) => name === "" ? `any ${kind}` : `${kind} "${name}"`)
  );
  return all.length === 0 ? "nothing" : all.join(", ");
}
