// The broker gives each object and each stream of bytes that one side offers a
// yamux stream of its own, found by a number. It speaks as MuxBroker of
// packer-plugin-sdk does.

import { ConnectionClosedError } from "../rpc/protocol.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";
import {
  type Transport,
  type YamuxOptions,
  YamuxSession,
  type YamuxStream,
} from "./yamux.ts";

/** How long each side waits for the other. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

const ID_BYTES = 4;

/** An accept that waits for its stream, or a stream that waits to be accepted. */
interface Waiting {
  stream?: YamuxStream;
  accept?: (stream: YamuxStream) => void;
  /** Called when the other half did not come in time, or the session has ended. */
  onTimeout: () => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How a broker is set up. */
export type MuxBrokerOptions = Omit<YamuxOptions, "onStream">;

/** One side's broker, with the session that it has made. */
export class MuxBroker {
  /** The session under it. */
  readonly session: YamuxSession;
  readonly #limits: WireLimits;
  readonly #waiting = new Map<number, Waiting>();
  #pendingDials = 0;
  #lastId = 0;

  /**
   * Starts a session over a connection.
   *
   * @param transport The connection.
   * @param options How the session is set up.
   */
  constructor(transport: Transport, options: MuxBrokerOptions) {
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...options.limits };
    this.session = new YamuxSession(transport, {
      ...options,
      onStream: (stream) => void this.#receive(stream),
    });
    void this.session.ended.then(() => this.#stopWaiting());
  }

  /** A number for something that this side offers. 0 is the plugin's component. */
  nextId(): number {
    // As in Go, 2^32 offers later the numbers begin again.
    this.#lastId = (this.#lastId % (2 ** 32 - 1)) + 1;
    return this.#lastId;
  }

  /**
   * Waits until the other side dials a number of this side, and acknowledges.
   *
   * @param id The number. One dial per number is accepted.
   * @param timeoutMs How long to wait; 5 s unless given, 0 for as long as it takes.
   * @throws {ConnectionClosedError} When the peer did not dial in time, or the session has ended.
   */
  accept(
    id: number,
    timeoutMs: number = HANDSHAKE_TIMEOUT_MS,
  ): Promise<YamuxStream> {
    const { endReason } = this.session;
    if (endReason !== undefined) return Promise.reject(endReason);
    const waiting = this.#waiting.get(id);
    if (waiting?.accept !== undefined) {
      return Promise.reject(new TypeError(`number ${id} is accepted already`));
    }
    if (waiting?.stream !== undefined) {
      this.#pendingDials--;
      this.#forget(id, waiting);
      return Promise.resolve(acknowledge(id, waiting.stream));
    }
    return new Promise((resolve, reject) => {
      this.#wait(id, timeoutMs, {
        accept: (stream) => resolve(acknowledge(id, stream)),
        onTimeout: () =>
          reject(
            this.session.endReason ??
              new ConnectionClosedError(
                `the other side did not dial ${id} within ${
                  timeoutMs / 1000
                } s`,
              ),
          ),
      });
    });
  }

  /**
   * Connects to something that the other side offers.
   *
   * @param id Its number.
   * @throws {ConnectionClosedError} When the other side does not accept it within 5 s, or the session has ended.
   */
  async dial(id: number): Promise<YamuxStream> {
    const stream = this.session.open();
    const timer = setTimeout(() => stream.reset(), HANDSHAKE_TIMEOUT_MS);
    try {
      await stream.write(encodeId(id));
      const acknowledged = decodeId(await stream.readExactly(ID_BYTES));
      if (acknowledged !== id) {
        throw new ConnectionClosedError(
          `the other side acknowledged number ${acknowledged}`,
        );
      }
      return stream;
    } catch (error) {
      stream.reset();
      throw new ConnectionClosedError(
        `cannot connect to what the other side offers as number ${id}: ${
          (error as Error).message
        }`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the session once what was sent is taken. */
  close(): Promise<void> {
    return this.session.close();
  }

  async #receive(stream: YamuxStream): Promise<void> {
    if (this.#pendingDials >= this.#limits.pendingDials) return stream.reset();
    this.#pendingDials++;
    const timer = setTimeout(() => stream.reset(), HANDSHAKE_TIMEOUT_MS);
    let id: number;
    try {
      id = decodeId(await stream.readExactly(ID_BYTES));
    } catch {
      this.#pendingDials--;
      return stream.reset();
    } finally {
      clearTimeout(timer);
    }
    const waiting = this.#waiting.get(id);
    if (waiting?.accept !== undefined) {
      this.#pendingDials--;
      this.#forget(id, waiting);
      return waiting.accept(stream);
    }
    const drop = () => {
      this.#pendingDials--;
      stream.reset();
    };
    // One dial per number: another one that waits already is not replaced.
    if (waiting !== undefined) return drop();
    this.#wait(id, HANDSHAKE_TIMEOUT_MS, { stream, onTimeout: drop });
  }

  #wait(id: number, timeoutMs: number, half: Omit<Waiting, "timer">): void {
    const onTimeout = () => {
      this.#waiting.delete(id);
      half.onTimeout();
    };
    const timer = timeoutMs === 0
      ? undefined
      : setTimeout(onTimeout, timeoutMs);
    this.#waiting.set(id, { ...half, timer });
  }

  #forget(id: number, { timer }: Waiting): void {
    this.#waiting.delete(id);
    clearTimeout(timer);
  }

  #stopWaiting(): void {
    for (const [id, waiting] of [...this.#waiting]) {
      this.#forget(id, waiting);
      waiting.onTimeout();
    }
  }
}

function acknowledge(id: number, stream: YamuxStream): YamuxStream {
  // When the session has ended, the next read or write fails.
  stream.write(encodeId(id)).catch(() => {});
  return stream;
}

function encodeId(id: number): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES);
  new DataView(bytes.buffer).setUint32(0, id, true);
  return bytes;
}

function decodeId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
