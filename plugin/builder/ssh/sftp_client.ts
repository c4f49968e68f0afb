// A client of SFTP, the file transfer subsystem of sshd, version 3.
// Source: draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL file for
// posix-rename@openssh.com and the order of a symlink's arguments.

import { LocalProcess } from "../../process/local_process.ts";

/** The bytes of one read or write. Every server takes 32 KiB. */
const BLOCK_BYTES = 32 * 1024;

/** How many reads or writes of one file are in flight. */
const MAX_IN_FLIGHT = 64;

/** The longest packet that is accepted from a server, in bytes. */
const MAX_PACKET_BYTES = 1024 * 1024;

/** How much of the client's stderr is kept, in characters. */
const MAX_STDERR_CHARS = 2_048;

const TYPE = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fsetstat: 10,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
} as const;

/** What a file is opened for. */
export const OPEN = {
  read: 0x01,
  write: 0x02,
  create: 0x08,
  truncate: 0x10,
  exclusive: 0x20,
} as const;

const STATUS_OK = 0;
const STATUS_EOF = 1;
const STATUS_NO_SUCH_FILE = 2;

const HAS_SIZE = 0x1;
const HAS_OWNER = 0x2;
const HAS_MODE = 0x4;
const HAS_TIMES = 0x8;
const HAS_EXTENDED = 0x80000000;

const TYPE_BITS = 0o170000;

/** What is known of a file. */
export interface SftpAttributes {
  /** Its kind. */
  kind: "file" | "directory" | "symlink" | "other";
  /** Its permission bits. */
  mode: number;
}

/** The server refused a request. */
export class SftpError extends Error {
  /** The name of the class. */
  override name = "SftpError";
  /** Whether there is no such file. */
  readonly isNotFound: boolean;

  /**
   * A refusal.
   *
   * @param code The server's status code.
   * @param message Its message.
   */
  constructor(code: number, message: string) {
    super(message || `SFTP status ${code}`);
    this.isNotFound = code === STATUS_NO_SUCH_FILE;
  }
}

/** One session with the subsystem. */
export class SftpClient implements AsyncDisposable {
  readonly #process: LocalProcess;
  readonly #pending = new Map<number, PromiseWithResolvers<Reader>>();
  readonly #ready = Promise.withResolvers<Reader>();
  readonly #send: (packet: Uint8Array) => Promise<void>;
  #extensions = new Set<string>();
  #received: Uint8Array = new Uint8Array();
  #nextId = 0;
  #failure: Error | undefined;
  #stderr = "";

  private constructor(argv: readonly string[]) {
    const { readable, writable } = new TransformStream<Uint8Array>(
      undefined,
      undefined,
      { highWaterMark: 1 },
    );
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    this.#send = (packet) => writer.write(packet);
    const decoder = new TextDecoder();
    this.#ready.promise.catch(() => {});
    this.#process = new LocalProcess({
      argv,
      stdin: readable,
      stdout: new WritableStream({ write: (chunk) => this.#receive(chunk) }),
      stderr: new WritableStream({
        write: (chunk) => {
          this.#stderr =
            (this.#stderr + decoder.decode(chunk, { stream: true })).slice(
              -MAX_STDERR_CHARS,
            );
        },
      }),
    });
    void this.#process.wait().catch(() => {}).then(() =>
      this.#fail(
        new Error(
          this.#stderr.trim() ||
            "the SFTP session ended; does sshd have the subsystem?",
        ),
      )
    );
  }

  /**
   * Opens a session.
   *
   * @param argv The command that speaks to the subsystem.
   * @throws {Error} When there is no session.
   */
  static async open(argv: readonly string[]): Promise<SftpClient> {
    const client = new SftpClient(argv);
    try {
      await client.#send(packet(TYPE.init, [u32(3)]));
      const reader = await client.#ready.promise;
      reader.u32();
      while (reader.rest > 0) {
        client.#extensions.add(reader.text());
        reader.bytes();
      }
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether requests can be sent. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Opens a file, runs a function with its handle, and closes it.
   *
   * @param path The file.
   * @param flags Bits of {@linkcode OPEN}.
   * @param mode The mode of a file that is created; the server's default unless given.
   * @param use What is done with it.
   */
  async withFile<T>(
    path: string,
    flags: number,
    mode: number | undefined,
    use: (handle: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const reader = await this.#request(
      TYPE.open,
      [text(path), u32(flags), attributes(mode)],
      TYPE.handle,
    );
    const handle = reader.bytes();
    let isFailed = true;
    try {
      const result = await use(handle);
      isFailed = false;
      return result;
    } finally {
      const closed = this.#status(TYPE.close, [bytes(handle)]);
      // What is written may be refused here at last.
      await (isFailed ? closed.catch(() => {}) : closed);
    }
  }

  /**
   * Writes a stream to an open file.
   *
   * @param handle The file.
   * @param source What is written.
   * @param signal Stops when aborted.
   * @returns The number of bytes.
   */
  async write(
    handle: Uint8Array,
    source: ReadableStream<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<number> {
    const inFlight = new Set<Promise<void>>();
    let failure: { error: unknown } | undefined;
    let offset = 0;
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
        signal?.throwIfAborted();
        if (failure) throw failure.error;
        const block = chunk.subarray(at, at + BLOCK_BYTES);
        const written = this.#status(TYPE.write, [
          bytes(handle),
          u64(offset),
          bytes(block),
        ]).catch((error) => void (failure ??= { error }))
          .finally(() => inFlight.delete(written));
        inFlight.add(written);
        offset += block.length;
        if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
      }
    }
    await Promise.all(inFlight);
    if (failure) throw failure.error;
    return offset;
  }

  /**
   * Reads an open file to its end.
   *
   * @param handle The file.
   * @param take Gets the content, in order.
   * @param signal Stops when aborted.
   */
  async read(
    handle: Uint8Array,
    take: (chunk: Uint8Array) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const ask = (offset: number, length: number) => {
      const answer = this.#request(
        TYPE.read,
        [bytes(handle), u64(offset), u32(length)],
        TYPE.data,
      ).then((reader) => reader.bytes(), (error) => {
        if (error instanceof EndOfFile) return undefined;
        throw error;
      });
      answer.catch(() => {});
      return { answer, offset, length };
    };
    let next = 0;
    const asked: ReturnType<typeof ask>[] = [];
    for (let most = 2;;) {
      while (asked.length < most) {
        asked.push(ask(next, BLOCK_BYTES));
        next += BLOCK_BYTES;
      }
      signal?.throwIfAborted();
      const { answer, offset, length } = asked.shift()!;
      const data = await answer;
      if (data === undefined) {
        return void await Promise.all(
          asked.map(({ answer }) => answer),
        );
      }
      if (data.length === 0 || data.length > length) {
        throw new Error(
          "the SFTP server sent another length than it was asked for",
        );
      }
      await take(data);
      if (data.length < length) {
        // A short read: what is missing comes next.
        asked.unshift(ask(offset + data.length, length - data.length));
      }
      most = Math.min(most + 2, MAX_IN_FLIGHT);
    }
  }

  /** Lists a directory: the names and attributes of what is in it. */
  async list(
    path: string,
  ): Promise<{ name: string; attributes: SftpAttributes }[]> {
    const opened = await this.#request(
      TYPE.opendir,
      [text(path)],
      TYPE.handle,
    );
    const handle = opened.bytes();
    const found: { name: string; attributes: SftpAttributes }[] = [];
    try {
      for (;;) {
        const reader = await this.#request(
          TYPE.readdir,
          [bytes(handle)],
          TYPE.name,
        );
        for (let count = reader.u32(); count > 0; count--) {
          const name = reader.text();
          reader.bytes();
          const attributes = reader.attributes();
          if (name === "." || name === "..") continue;
          if (name === "" || /[/\0]/.test(name)) {
            throw new Error(`the SFTP server listed ${JSON.stringify(name)}`);
          }
          found.push({ name, attributes });
        }
      }
    } catch (error) {
      if (!(error instanceof EndOfFile)) throw error;
      return found;
    } finally {
      await this.#status(TYPE.close, [bytes(handle)]).catch(() => {});
    }
  }

  /** The attributes of a file; nothing when there is none. */
  async stat(
    path: string,
    followsLinks: boolean,
  ): Promise<SftpAttributes | undefined> {
    try {
      const reader = await this.#request(
        followsLinks ? TYPE.stat : TYPE.lstat,
        [text(path)],
        TYPE.attrs,
      );
      return reader.attributes();
    } catch (error) {
      if (error instanceof SftpError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** Sets the mode of an open file. */
  setHandleMode(handle: Uint8Array, mode: number): Promise<void> {
    return this.#status(TYPE.fsetstat, [bytes(handle), attributes(mode)]);
  }

  /** Sets the mode of a file. */
  setMode(path: string, mode: number): Promise<void> {
    return this.#status(TYPE.setstat, [text(path), attributes(mode)]);
  }

  /** Renames a file, over one that is there where the server can. */
  async rename(from: string, to: string): Promise<void> {
    const name = "posix-rename@openssh.com";
    if (this.#extensions.has(name)) {
      return await this.#status(TYPE.extended, [
        text(name),
        text(from),
        text(to),
      ]);
    }
    await this.remove(to).catch(() => {});
    await this.#status(TYPE.rename, [text(from), text(to)]);
  }

  /** Makes a directory. */
  makeDirectory(path: string): Promise<void> {
    return this.#status(TYPE.mkdir, [text(path), attributes(undefined)]);
  }

  /** Removes a file or a symlink. */
  remove(path: string): Promise<void> {
    return this.#status(TYPE.remove, [text(path)]);
  }

  /** Makes a symlink. */
  symlink(path: string, target: string): Promise<void> {
    return this.#status(TYPE.symlink, [text(target), text(path)]);
  }

  /** Reads where a symlink leads. */
  async readLink(path: string): Promise<string> {
    const reader = await this.#request(TYPE.readlink, [text(path)], TYPE.name);
    reader.u32();
    return reader.text();
  }

  /** Ends the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error("the SFTP session was closed"));
    await this.#process[Symbol.asyncDispose]();
  }

  async #status(type: number, parts: Uint8Array[]): Promise<void> {
    await this.#request(type, parts, TYPE.status);
  }

  async #request(
    type: number,
    parts: Uint8Array[],
    wanted: number,
  ): Promise<Reader> {
    if (this.#failure) throw this.#failure;
    const id = this.#nextId = (this.#nextId + 1) >>> 0;
    const answer = Promise.withResolvers<Reader>();
    this.#pending.set(id, answer);
    this.#send(packet(type, [u32(id), ...parts])).catch(() => {
      // The end of the process fails all requests, with its reason.
    });
    const reader = await answer.promise;
    if (reader.type === TYPE.status) {
      const code = reader.u32();
      if (code === STATUS_OK && wanted === TYPE.status) return reader;
      const message = reader.rest > 0 ? reader.text() : "";
      if (code === STATUS_EOF) throw new EndOfFile(code, message);
      throw new SftpError(code, message);
    }
    if (reader.type !== wanted) {
      throw new Error(`the SFTP server sent a packet of type ${reader.type}`);
    }
    return reader;
  }

  #receive(chunk: Uint8Array): void {
    let all = chunk;
    if (this.#received.length > 0) {
      all = new Uint8Array(this.#received.length + chunk.length);
      all.set(this.#received);
      all.set(chunk, this.#received.length);
    }
    let at = 0;
    while (all.length - at >= 4) {
      const length = new DataView(all.buffer, all.byteOffset + at).getUint32(0);
      if (length < 1 || length > MAX_PACKET_BYTES) {
        const error = new Error(
          "the SFTP server sent no packet; does the machine print something at login?",
        );
        this.#fail(error);
        throw error;
      }
      if (all.length - at - 4 < length) break;
      this.#take(all.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#received = all.slice(at);
  }

  #take(content: Uint8Array): void {
    const reader = new Reader(content);
    if (reader.type === TYPE.version) return this.#ready.resolve(reader);
    const id = reader.u32();
    this.#pending.get(id)?.resolve(reader);
    this.#pending.delete(id);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#ready.reject(error);
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}

class EndOfFile extends SftpError {}

/** Reads the fields of a packet. */
class Reader {
  readonly type: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    this.type = bytes[0]!;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  u32(): number {
    if (this.rest < 4) throw new Error("the SFTP server sent a short packet");
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  bytes(): Uint8Array {
    const length = this.u32();
    if (length > this.rest) {
      throw new Error("the SFTP server sent a short packet");
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  attributes(): SftpAttributes {
    const flags = this.u32();
    let bits = 0;
    if (flags & HAS_SIZE) [this.u32(), this.u32()];
    if (flags & HAS_OWNER) [this.u32(), this.u32()];
    if (flags & HAS_MODE) bits = this.u32();
    if (flags & HAS_TIMES) [this.u32(), this.u32()];
    if (flags & HAS_EXTENDED) {
      for (let count = this.u32(); count > 0; count--) {
        this.bytes();
        this.bytes();
      }
    }
    const kinds: Record<number, SftpAttributes["kind"]> = {
      0o100000: "file",
      0o040000: "directory",
      0o120000: "symlink",
    };
    return { kind: kinds[bits & TYPE_BITS] ?? "other", mode: bits & 0o7777 };
  }
}

function packet(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const all = new Uint8Array(4 + length);
  new DataView(all.buffer).setUint32(0, length);
  all[4] = type;
  let at = 5;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function u32(value: number): Uint8Array {
  const all = new Uint8Array(4);
  new DataView(all.buffer).setUint32(0, value);
  return all;
}

function u64(value: number): Uint8Array {
  const all = new Uint8Array(8);
  new DataView(all.buffer).setBigUint64(0, BigInt(value));
  return all;
}

function bytes(value: Uint8Array): Uint8Array {
  const all = new Uint8Array(4 + value.length);
  new DataView(all.buffer).setUint32(0, value.length);
  all.set(value, 4);
  return all;
}

function text(value: string): Uint8Array {
  return bytes(new TextEncoder().encode(value));
}

function attributes(mode: number | undefined): Uint8Array {
  if (mode === undefined) return u32(0);
  const all = new Uint8Array(8);
  const view = new DataView(all.buffer);
  view.setUint32(0, HAS_MODE);
  view.setUint32(4, mode & 0o7777);
  return all;
}
