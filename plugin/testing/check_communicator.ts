// The conformance suite of communicators: what provisioners rely on, tried on a
// communicator and a machine.

import type { Communicator, RemoteCommand } from "../contract/communicator.ts";
import { communicatorChecks } from "./communicator_checks.ts";

/** How long one check may take unless told otherwise, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 60_000;

/** What {@linkcode checkCommunicator} needs. */
export interface CheckCommunicatorOptions {
  /** The communicator, connected to a machine with a POSIX shell. */
  communicator: Communicator;
  /** An empty directory of the machine, absolute, in which the checks write. */
  directory: string;
  /**
   * Whether it promises that an upload with `exclusive` fails where something is;
   * true unless given. A communicator that cannot do this ignores it.
   */
  hasExclusive?: boolean;
  /** The most that one check may take, in milliseconds; 60,000 unless given. */
  timeoutMs?: number;
  /** The checks to run, by name; all of them unless given. */
  only?: readonly string[];
  /** Called after each check, with the reason of a failure. */
  onResult?: (name: string, failure: Error | undefined) => void;
}

/** What a check works with. */
export interface CheckContext {
  /** The communicator. */
  readonly communicator: Communicator;
  /** A directory on the machine, of this check alone. */
  readonly remote: string;
  /** A directory on this machine, of this check alone. */
  readonly local: string;
  /** Runs a command to its end. */
  run(
    command: string,
    options?: { stdin?: Uint8Array | string; signal?: AbortSignal },
  ): Promise<{ status: number; stdout: Uint8Array; stderr: Uint8Array }>;
  /** Starts a command; the output is collected while it runs. */
  start(command: RemoteCommand): Promise<
    { wait(): Promise<number>; stdout(): string }
  >;
}

/** One promise of the interface. */
export interface CommunicatorCheck {
  /** What is promised, in a few words. */
  readonly name: string;
  /** True when only a communicator with `exclusive` promises it. */
  readonly needsExclusive?: boolean;
  /** Throws when the promise is broken. */
  run(context: CheckContext): Promise<void>;
}

/**
 * Checks that a communicator keeps every promise of the interface
 * {@linkcode Communicator}. It runs commands and copies files, some of them
 * several megabytes long, and removes what it has made.
 *
 * @param options The communicator and a directory of its machine.
 * @throws {AggregateError} With an error for each broken promise, all of them
 * named in the message.
 *
 * @example
 * ```ts ignore
 * import { checkCommunicator } from "@baler/baler/testing";
 *
 * Deno.test("the communicator keeps its promises", async () => {
 *   await using machine = await startMachine();
 *   await checkCommunicator({
 *     communicator: machine.communicator,
 *     directory: "/tmp/check",
 *   });
 * });
 * ```
 */
export async function checkCommunicator(
  options: CheckCommunicatorOptions,
): Promise<void> {
  const { communicator, directory, hasExclusive = true, only } = options;
  const failures: Error[] = [];
  for (const [index, check] of communicatorChecks.entries()) {
    if (only && !only.includes(check.name)) continue;
    if (check.needsExclusive && !hasExclusive) continue;
    const failure = await runCheck(
      check,
      communicator,
      `${directory}/check-${index}`,
      options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    );
    options.onResult?.(check.name, failure);
    if (failure) failures.push(failure);
  }
  if (failures.length > 0) {
    throw new AggregateError(
      failures,
      `the communicator breaks ${failures.length} promises:\n${
        failures.map(({ message }) => `- ${message}`).join("\n")
      }`,
    );
  }
}

async function runCheck(
  check: CommunicatorCheck,
  communicator: Communicator,
  remote: string,
  timeoutMs: number,
): Promise<Error | undefined> {
  const local = await Deno.makeTempDir({ prefix: "baler-check-" });
  const timeout = Promise.withResolvers<never>();
  timeout.promise.catch(() => {});
  const timer = setTimeout(
    () => timeout.reject(new Error(`not done after ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  const context = contextOf(communicator, remote, local);
  try {
    await Promise.race([
      timeout.promise,
      (async () => {
        const { status } = await context.run(`mkdir -p '${remote}'`);
        if (status !== 0) throw new Error(`mkdir exited with ${status}`);
        await check.run(context);
        await context.run(`rm -rf '${remote}'`);
      })(),
    ]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new Error(`${check.name}: ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
    await Deno.remove(local, { recursive: true }).catch(() => {});
  }
}

function contextOf(
  communicator: Communicator,
  remote: string,
  local: string,
): CheckContext {
  return {
    communicator,
    remote,
    local,
    async run(command, { stdin, signal } = {}) {
      const [stdout, stderr] = [new Collected(), new Collected()];
      const running = await communicator.start({
        command,
        stdout: stdout.writable,
        stderr: stderr.writable,
        ...(signal ? { signal } : {}),
        ...(stdin === undefined
          ? {}
          : { stdin: ReadableStream.from(slicesOf(stdin)) }),
      });
      const status = await running.wait();
      return { status, stdout: stdout.whole(), stderr: stderr.whole() };
    },
    async start(command) {
      const output = new Collected();
      const running = await communicator.start({
        ...command,
        stdout: output.writable,
      });
      return {
        wait: async () => await running.wait(),
        stdout: () => new TextDecoder().decode(output.bytes()),
      };
    },
  };
}

function* slicesOf(input: Uint8Array | string): Generator<Uint8Array> {
  const bytes = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  for (let at = 0; at < bytes.length; at += 65_536) {
    yield bytes.slice(at, at + 65_536);
  }
}

/** Collects a stream. */
class Collected {
  readonly #chunks: Uint8Array[] = [];
  #isClosed = false;
  readonly writable: WritableStream<Uint8Array> = new WritableStream({
    write: (chunk) => void this.#chunks.push(chunk.slice()),
    close: () => void (this.#isClosed = true),
  });

  bytes(): Uint8Array {
    const all = new Uint8Array(
      this.#chunks.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** All of it, when it was closed. */
  whole(): Uint8Array {
    if (!this.#isClosed) {
      throw new Error("an output was not closed when wait() returned");
    }
    return this.bytes();
  }
}
