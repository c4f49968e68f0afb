// What the tests of Packer's wire share: connections over real sockets, and a
// peer that sends frames as the test says.

import { join } from "@std/path";
import { WireConnection } from "../../plugin/packer_wire/connection.ts";
import type { WireLimits } from "../../plugin/packer_wire/limits.ts";
import {
  encodeHeader,
  HEADER_BYTES,
} from "../../plugin/packer_wire/yamux_frame.ts";

/** Both ends of a unix socket; on Windows of a TCP connection. */
export async function socketPair(): Promise<[Deno.Conn, Deno.Conn]> {
  const directory = await Deno.makeTempDir({ prefix: "baler-wire-" });
  try {
    const listener = Deno.build.os === "windows"
      ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
      : Deno.listen({ transport: "unix", path: join(directory, "socket") });
    const address = listener.addr as Deno.NetAddr | Deno.UnixAddr;
    const [accepted, dialled] = await Promise.all([
      listener.accept(),
      "port" in address
        ? Deno.connect({ hostname: "127.0.0.1", port: address.port })
        : Deno.connect({ transport: "unix", path: address.path }),
    ]);
    listener.close();
    return [dialled, accepted];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A host and a plugin that are connected, and ended with `using`. */
export class Pair implements AsyncDisposable {
  private constructor(
    readonly host: WireConnection,
    readonly plugin: WireConnection,
  ) {}

  static async open(limits: Partial<WireLimits> = {}): Promise<Pair> {
    const [one, other] = await socketPair();
    return new Pair(
      new WireConnection(one, { role: "client", limits }),
      new WireConnection(other, { role: "server", limits }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
    await this.plugin.ended;
    await this.host.ended;
  }
}

/** A frame that was read. */
export interface Frame {
  type: number;
  flags: number;
  id: number;
  length: number;
  body: Uint8Array;
}

/** A peer that speaks frames. */
export class RawPeer {
  constructor(readonly conn: Deno.Conn) {}

  async send(
    type: number,
    flags: number,
    id: number,
    length: number,
    body = new Uint8Array(0),
  ): Promise<void> {
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    bytes.set(encodeHeader(type, flags, id, length));
    bytes.set(body, HEADER_BYTES);
    await writeAll(this.conn, bytes);
  }

  /** The next frame; undefined when the connection has ended. */
  async next(): Promise<Frame | undefined> {
    const header = await this.#exactly(HEADER_BYTES);
    if (header === undefined) return undefined;
    const view = new DataView(header.buffer);
    const type = view.getUint8(1);
    const length = view.getUint32(8);
    return {
      type,
      flags: view.getUint16(2),
      id: view.getUint32(4),
      length,
      body: type === 0 ? (await this.#exactly(length))! : new Uint8Array(0),
    };
  }

  /** All frames until the end. */
  async rest(): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (let frame; (frame = await this.next()) !== undefined;) {
      frames.push(frame);
    }
    return frames;
  }

  async #exactly(
    count: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await this.conn.read(bytes.subarray(at)).catch(() => null);
      if (read === null) return undefined;
      at += read;
    }
    return bytes;
  }
}

export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Bytes of a text of hexadecimal digits. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  const clean = digits.replace(/\s/g, "");
  return Uint8Array.from(
    { length: clean.length / 2 },
    (_, index) => parseInt(clean.slice(2 * index, 2 * index + 2), 16),
  );
}

/** Bytes that differ from place to place. */
export function pattern(length: number, seed = 7): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** A hash of bytes, for comparing large ones. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex?.() ??
    [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
}
