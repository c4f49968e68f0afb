// Spliced payloads, the zero-copy path: chunks of a stream between two plugins need
// not enter the memory of the host. The kernel moves them from pipe to pipe
// (splice(2)), which takes a fraction of the time of reading and writing them.

import type {
  SpliceBuffer,
  SpliceTarget,
  SpliceTransport,
} from "../transport.ts";
import {
  ForwardedResult,
  type Payload,
  type PayloadPolicy,
  type ResultSender,
} from "./payload.ts";

/**
 * Returns a policy that keeps the chunks of a stream out of memory. It accepts
 * only a response that consists of chunks of bytes and nothing else.
 *
 * @param transport The splice feature of the transport that the chunks come over.
 */
export function splicedPayloads(transport: SpliceTransport): PayloadPolicy {
  return ({ json, line, lengths, length }) => {
    const call = json.return as number;
    if (line !== chunkResponseLine(call, lengths)) return undefined;
    const buffer = transport.acquire(length);
    return buffer && new SplicedPayload(buffer, line.slice(head(call).length));
  };
}

/** A payload in the kernel, which is also the result that is forwarded. */
class SplicedPayload extends ForwardedResult implements Payload {
  readonly parts: readonly Uint8Array[] = [];
  readonly isOpaque = true;
  readonly readTarget = undefined;
  readonly #buffer: SpliceBuffer;
  /** The line of the response behind the number of the call. */
  readonly #tail: string;

  constructor(buffer: SpliceBuffer, tail: string) {
    super();
    this.#buffer = buffer;
    this.#tail = tail;
  }

  get remaining(): number {
    return this.#buffer.remaining;
  }

  append(bytes: Uint8Array): void {
    this.#buffer.append(bytes);
  }

  commitRead(): void {}

  get spliceTarget(): SpliceTarget {
    return this.#buffer;
  }

  forward(): ForwardedResult {
    return this;
  }

  override sendTo(call: number, sender: ResultSender): void {
    if (!sender.isOpen) return this.discard();
    const { sendBuffer, splice } = sender;
    sendBuffer.send(head(call) + this.#tail, []);
    sendBuffer.flush();
    sendBuffer.track(this.#buffer.length, splice!.write(this.#buffer));
  }

  discard(): void {
    this.#buffer.release();
  }
}

/** The beginning of a response, to the end of the number of its call. */
function head(call: number): string {
  return `{"json":{"return":${call}`;
}

/**
 * Returns the line of a response that consists of chunks of bytes, exactly as the
 * encoder writes it.
 *
 * @param call The number of the call.
 * @param lengths The length of each chunk, in bytes.
 */
export function chunkResponseLine(
  call: number,
  lengths: readonly number[],
): string {
  const bytes = `"bytes":[${lengths.join()}]`;
  if (lengths.length === 1) {
    return `${
      head(call)
    },"value":{"done":false,"value":0},${bytes}},"meta":{"values":{"value.value":[["custom","bytes"]]},"v":1}}`;
  }
  const indexes = lengths.map((_, index) => index).join();
  const annotations = lengths.map((_, index) =>
    `"value.values.${index}":[["custom","bytes"]]`
  ).join();
  return `${
    head(call)
  },"value":{"done":false,"values":[${indexes}]},${bytes}},"meta":{"values":{${annotations}},"v":1}}`;
}
