// A plugin's session with the host: from the handshake to the end of the process.

import { adaptComponent, isConfigurable } from "./component_adapter.ts";
import { Connection } from "../rpc/connection.ts";
import {
  CREATE_METHOD,
  ONE_INSTANCE_CODE,
  PING_METHOD,
} from "../rpc/message.ts";
import { FrameReader } from "../rpc/frame_reader.ts";
import {
  ConnectionClosedError,
  DEFAULT_LIMITS,
  type Hello,
  PROTOCOL_VERSIONS,
} from "../rpc/protocol.ts";
import { type Components, instanceOf } from "./components.ts";
import type { WireStreams } from "./stdio.ts";

/**
 * How long calls in flight may clean up after the host has exited without any
 * activity, in milliseconds. Activity is a line on the console, or a call of an
 * object of the host.
 */
const CLEANUP_GRACE_MS = 10_000;

/** The size of the buffer that messages are read into, in bytes. */
const READ_BYTES = 64 * 1024;

/** Explains to a user who runs the plugin manually what it is, and exits with code 1. */
export function exitRunManually(): never {
  console.error(
    "This is a baler plugin; baler runs it.\n" +
      'Name it in a template, for example {"builders": {"NAME": "' +
      `${Deno.execPath()}"}}, and run "baler build TEMPLATE".\n` +
      'Run it with the argument "describe" to see what it serves.',
  );
  Deno.exit(1);
}

/** One connection to a host, and the components that the host has created. */
export class Session {
  readonly #components: Components;
  readonly #streams: WireStreams;
  readonly #rawConfig: boolean;
  readonly #connection: Connection;
  /** Reads the host's answer to the handshake. */
  readonly #handshake = new FrameReader(DEFAULT_LIMITS);
  /** The single instances that the host already uses. */
  readonly #given = new Set<object>();
  #isWelcome = false;
  #isEnding = false;

  /**
   * @param components The components, by kind and name.
   * @param streams The wire to the host.
   * @param rawConfig Whether components decode their configuration themselves.
   */
  constructor(
    components: Components,
    streams: WireStreams,
    rawConfig: boolean,
  ) {
    this.#components = components;
    this.#streams = streams;
    this.#rawConfig = rawConfig;
    this.#connection = new Connection(streams, {
      peer: "the host",
      onFreshLines: true,
      dropsLateWrites: true,
      root: {
        [PING_METHOD]() {},
        [CREATE_METHOD]: (kind: unknown, name: unknown) =>
          this.#create(String(kind), String(name)),
      },
      onProtocolError: (error) => {
        console.error(`${error.name}: ${error.message}`);
        void this.#end(1);
      },
    });
  }

  /**
   * Serves the host, and exits with it.
   *
   * @param hello The plugin's side of the handshake.
   */
  async run(hello: Hello): Promise<void> {
    // Ctrl-C in a terminal reaches the host too, which aborts the calls' signals.
    onSignal("SIGINT", () => {});
    onSignal("SIGTERM", () => this.#end(0));
    onSignal("SIGHUP", () => this.#end(0));
    // A write beyond `ulimit -f` fails with EFBIG instead of ending the process.
    onSignal("SIGXFSZ", () => {});
    // On a new line, even if an incomplete line was printed before.
    this.#streams.write(
      new TextEncoder().encode(`\n{"json":${JSON.stringify(hello)}}\n`),
    );
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const target = this.#connection.readTarget;
      if (target === undefined) await this.#connection.flushPromptResponses();
      const read = this.#streams.read(
        target ?? buffer,
        target !== undefined || this.#connection.expectsMore,
      );
      const count = read instanceof Promise ? await read : read;
      if (count === null) break;
      if (target === undefined) this.#receive(buffer.subarray(0, count));
      else this.#connection.commitRead(count);
    }
    if (!this.#isWelcome) exitRunManually();
    await this.#end(0);
  }

  /** Handles the host's answer to the handshake; the connection handles what follows. */
  #receive(chunk: Uint8Array): void {
    if (this.#isWelcome) return this.#connection.receive(chunk);
    const end = chunk.indexOf(10) + 1;
    try {
      this.#handshake.push(
        end === 0 ? chunk : chunk.subarray(0, end),
        (frame) => {
          if (typeof frame.json.refuse === "string") {
            console.error(frame.json.refuse);
            Deno.exit(1);
          }
          if (
            !PROTOCOL_VERSIONS.includes(frame.json.welcome as number)
          ) exitRunManually();
          this.#isWelcome = true;
        },
      );
    } catch (error) {
      // Something other than a host writes to stdin.
      console.error(`${(error as Error).name}: ${(error as Error).message}`);
      exitRunManually();
    }
    if (this.#isWelcome) this.#connection.receive(chunk.subarray(end));
  }

  async #create(kind: string, name: string): Promise<object> {
    const byName = Object.hasOwn(this.#components, kind)
      ? this.#components[kind]
      : undefined;
    const source = byName === undefined
      ? undefined
      : Object.hasOwn(byName, name)
      ? byName[name]
      : byName[""];
    if (source === undefined) {
      throw new Error(`this plugin serves no ${kind} "${name}"`);
    }
    if (typeof source !== "function" && isConfigurable(kind)) {
      // A second build would overwrite its configuration: the host starts another process.
      if (this.#given.has(source)) {
        throw Object.assign(
          new Error(`this plugin serves one ${kind} "${name}" per process`),
          { code: ONE_INSTANCE_CODE },
        );
      }
      this.#given.add(source);
    }
    return adaptComponent(
      kind,
      await instanceOf(source, name),
      this.#rawConfig,
    );
  }

  /** Aborts the calls in flight, waits until they have cleaned up, and exits. */
  async #end(code: number): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#connection.close(new ConnectionClosedError("baler has exited"));
    const lines = countConsoleLines();
    let timer: ReturnType<typeof setTimeout>;
    const waitFrom = (before: number) => {
      timer = setTimeout(() => {
        const activity = lines() + this.#connection.refusedCalls;
        if (activity > before) return waitFrom(activity);
        console.error(
          `The calls in flight did not finish their cleanup within ${
            CLEANUP_GRACE_MS / 1000
          } s; exiting.`,
        );
        Deno.exit(1);
      }, CLEANUP_GRACE_MS);
    };
    waitFrom(this.#connection.refusedCalls);
    await this.#connection.idle();
    clearTimeout(timer!);
    terminateGroup();
    Deno.exit(code);
  }
}

/** Counts the lines that are written to the console from now on. */
function countConsoleLines(): () => number {
  let lines = 0;
  for (const name of ["debug", "log", "info", "warn", "error"] as const) {
    const write = console[name];
    console[name] = (...values: unknown[]) => {
      lines++;
      try {
        write.apply(console, values);
      } catch {
        // stderr has no reader any more, since the host has exited.
      }
    };
  }
  return () => lines;
}

/**
 * Sends SIGTERM to the processes that this plugin has started and left running. The
 * host does so too, and SIGKILL follows, but the host may have died. A plugin without
 * the permission to run has started none.
 */
function terminateGroup(): void {
  if (Deno.build.os === "windows") return;
  try {
    // This process handles SIGTERM itself, and is about to exit.
    Deno.kill(-Deno.pid, "SIGTERM");
  } catch {
    // It leads no group, or has no permission to run.
  }
}

function onSignal(signal: Deno.Signal, listener: () => void): void {
  try {
    Deno.addSignalListener(signal, listener);
  } catch {
    // Windows has few signals; there the plugin exits at the end of stdin.
  }
}
