// Zero-copy forwarding: a stream between two plugins arrives whole and in order without entering the host's memory, whichever plugin dies, and however slow the reader is.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { libc } from "../../host/process/libc.ts";
import {
  closePooledPipes,
  SplicePipe,
} from "../../host/process/splice_pipe.ts";
import { launch, type Plugin } from "../../host/mod.ts";
import { chunkResponseLine } from "../../plugin/rpc/payload/spliced_payload.ts";
import type { PipeEnd, SpliceBuffer } from "../../plugin/rpc/transport.ts";
import { encode } from "../../plugin/rpc/message_encoder.ts";
import { Connection } from "../../plugin/rpc/connection.ts";
import { DEFAULT_LIMITS } from "../../plugin/rpc/protocol.ts";
import { References } from "../../plugin/rpc/references/references.ts";
import {
  GREETING,
  program,
  shellLine,
  testLinux,
  WORK_IS_A_STREAM,
} from "../support/plugin_process.ts";
import { Random } from "../support/random.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";

Deno.test("chunkResponseLine() returns the line that the encoder writes", () => {
  const references = new References({
    dropsLateWrites: false,
    name: "the other side",
    call: () => Promise.resolve(),
    release() {},
    abort() {},
  }, DEFAULT_LIMITS);
  for (let count = 1; count <= 20; count++) {
    const values = Array.from({ length: count }, (_, n) => new Uint8Array(n));
    const value = count === 1
      ? { done: false, value: values[0] }
      : { done: false, values };
    assertEquals(
      chunkResponseLine(count + 5, values.map(({ length }) => length)),
      encode({ return: count + 5, value }, references).line,
    );
  }
});

// Connections

/** Bytes on their way, in pieces of any size. */
class Queue {
  #bytes = new Uint8Array(0);

  get length(): number {
    return this.#bytes.length;
  }

  readonly write = (bytes: Uint8Array): void => {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
  };

  read(most: number): Uint8Array {
    const piece = this.#bytes.slice(0, most);
    this.#bytes = this.#bytes.slice(most);
    return piece;
  }
}

/** A pipe without a kernel: a queue, of which so many bytes can be moved. */
class QueuePipe implements PipeEnd {
  readonly descriptor = null;

  constructor(readonly queue: Queue, readonly maxBytes: number) {}
}

/** A splice buffer without a kernel. */
class MemorySpliceBuffer implements SpliceBuffer {
  static open = 0;
  readonly #queue = new Queue();
  remaining: number;

  constructor(readonly length: number) {
    this.remaining = length;
    MemorySpliceBuffer.open++;
  }

  append(bytes: Uint8Array): void {
    assert(bytes.length <= this.remaining, "more bytes than remain");
    this.remaining -= bytes.length;
    this.#queue.write(bytes);
  }

  spliceFrom(pipe: PipeEnd): number {
    assert(pipe instanceof QueuePipe);
    const piece = pipe.queue.read(Math.min(pipe.maxBytes, this.remaining));
    this.append(piece);
    return piece.length;
  }

  async spliceTo(
    _pipe: unknown,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    assertEquals(this.remaining, 0);
    await write(this.#queue.read(Infinity));
    this.release();
  }

  release(): void {
    MemorySpliceBuffer.open--;
  }
}

/** A reader and a writer of a stream, and a host between them, in one process. */
class Relay {
  readonly toGiver = new Queue();
  readonly fromGiver = new Queue();
  readonly toTaker = new Queue();
  readonly fromTaker = new Queue();
  readonly giver: Connection;
  readonly taker: Connection;
  readonly hostOfGiver: Connection;
  readonly hostOfTaker: Connection;
  readonly #random: Random;
  /** How many bytes were spliced, and how many payloads. */
  splicedBytes = 0;
  splicedPayloads = 0;

  constructor(random: Random, give: () => unknown) {
    this.#random = random;
    this.giver = new Connection(
      { write: this.fromGiver.write },
      { peer: "the host", root: { give } },
    );
    this.hostOfGiver = new Connection({
      write: this.toGiver.write,
      splice: {
        acquire: (length) => {
          if (random.once(4)) return undefined;
          this.splicedPayloads++;
          return new MemorySpliceBuffer(length);
        },
        write: () => Promise.reject(new Error("nothing is sent to the giver")),
      },
    }, { peer: "the giver" });
    this.hostOfTaker = new Connection({
      write: this.toTaker.write,
      splice: {
        acquire: () => undefined,
        write: (buffer) =>
          buffer.spliceTo({ descriptor: null }, (bytes) => {
            this.toTaker.write(bytes);
            return Promise.resolve();
          }),
      },
    }, {
      peer: "the taker",
      root: { give: () => this.hostOfGiver.call(0, "give", []) },
    });
    this.taker = new Connection(
      { write: this.fromTaker.write },
      { peer: "the host" },
    );
  }

  /** Moves bytes between the processes until none are left. */
  async run(): Promise<void> {
    for (let quiet = 0; quiet < 100;) {
      quiet++;
      if (this.#deliver(this.fromTaker, this.hostOfTaker)) quiet = 0;
      if (this.#deliver(this.toGiver, this.giver)) quiet = 0;
      if (this.#deliver(this.fromGiver, this.hostOfGiver)) quiet = 0;
      if (this.#deliver(this.toTaker, this.taker)) quiet = 0;
      await null;
    }
  }

  #deliver(queue: Queue, to: Connection): boolean {
    if (queue.length === 0) return false;
    const most = 1 + this.#random.below(this.#random.of([10, 300, 5_000]));
    const { spliceTarget } = to;
    if (spliceTarget === undefined || this.#random.once(2)) {
      to.receive(queue.read(most));
    } else {
      this.splicedBytes += spliceTarget.spliceFrom(new QueuePipe(queue, most));
    }
    return true;
  }
}

function chunksFor(random: Random): Uint8Array[] {
  const chunks = Array.from(
    { length: 20 },
    () => new Uint8Array(random.of([0, 1, 2, 700, 4_000])),
  );
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at++) chunk[at] = random.below(256);
  }
  return chunks;
}

async function allOf(stream: Promise<unknown>): Promise<unknown[]> {
  return await Array.fromAsync(await stream as ReadableStream<unknown>);
}

Deno.test("chunks that are spliced in pieces of any size arrive unchanged", async () => {
  let [payloads, bytes] = [0, 0];
  for (let seed = 0; seed < 50; seed++) {
    const random = new Random(seed);
    const chunks = chunksFor(random);
    const relay = new Relay(random, () => ReadableStream.from(chunks));
    const came = allOf(relay.taker.call(0, "give", []));
    await relay.run();
    assertEquals(await came, chunks, `of seed ${seed}`);
    assertEquals(MemorySpliceBuffer.open, 0);
    payloads += relay.splicedPayloads;
    bytes += relay.splicedBytes;
  }
  assert(payloads > 100, `${payloads} payloads`);
  assert(bytes > 100_000, `${bytes} bytes`);
});

Deno.test("only chunks of bytes are spliced", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const chunks: unknown[] = [
    { bytes },
    [bytes],
    new Map([["bytes", bytes]]),
    bytes.buffer,
    new Uint16Array([1, 2]),
    new Error("none", { cause: bytes }),
    null,
    "text",
  ];
  const random = new Random(1);
  const relay = new Relay(random, () => ReadableStream.from(chunks));
  const came = allOf(relay.taker.call(0, "give", []));
  await relay.run();
  assertEquals(await came, chunks);
  assertEquals(relay.splicedPayloads, 0);
});

for (
  const [who, end] of Object.entries({
    giver: (relay: Relay) =>
      relay.hostOfGiver.receiveEnd(new Error("the giver has exited")),
    taker: (relay: Relay) =>
      relay.hostOfTaker.receiveEnd(new Error("the taker has exited")),
  })
) {
  Deno.test(`when the ${who} exits at any point, no buffer is left and no part of a chunk arrives`, async () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed);
      const chunks = chunksFor(random);
      const relay = new Relay(random, () => ReadableStream.from(chunks));
      const came: unknown[] = [];
      const all = relay.taker.call(0, "give", []).then(async (stream) => {
        for await (const chunk of stream as ReadableStream<unknown>) {
          came.push(chunk);
        }
      });
      all.catch(() => {});
      let left = random.below(400);
      relay.hostOfGiver.receive = ((receive) => (chunk: Uint8Array) => {
        receive.call(relay.hostOfGiver, chunk);
        if (left-- === 0) end(relay);
      })(relay.hostOfGiver.receive);
      await relay.run();
      assertEquals(came, chunks.slice(0, came.length), `of seed ${seed}`);
      assertEquals(MemorySpliceBuffer.open, 0, `of seed ${seed}`);
    }
  });
}

// Staging pipes

/** A pipe of this process's own. */
class OwnPipe implements Disposable {
  readonly end: { descriptor: number };
  readonly #read: number;

  constructor() {
    const ends = new Int32Array(2);
    const O_NONBLOCK = 0o4000;
    assertEquals(libc()!.pipe2(ends, O_NONBLOCK), 0);
    this.#read = ends[0]!;
    this.end = { descriptor: ends[1]! };
  }

  /** The same pipe, to move from. */
  get source(): { descriptor: number } {
    return { descriptor: this.#read };
  }

  /** Writes what there is room for, and returns how many bytes that is. */
  write(bytes: Uint8Array<ArrayBuffer>): number {
    const { descriptor } = this.end;
    return Number(libc()!.write(descriptor, bytes, bytes.length));
  }

  /** Reads all that is there. */
  read(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(2 * 1024 * 1024);
    const count = Number(libc()!.read(this.#read, bytes, bytes.length));
    return bytes.subarray(0, Math.max(count, 0));
  }

  [Symbol.dispose](): void {
    libc()!.close(this.#read);
    libc()!.close(this.end.descriptor);
  }
}

const noWrite = () => Promise.reject(new Error("nothing is to be written"));

testLinux(
  "bytes that are appended and bytes that are moved leave a staging pipe in order",
  async () => {
    using source = new OwnPipe();
    using target = new OwnPipe();
    for (let seed = 0; seed < 100; seed++) {
      const random = new Random(seed);
      const bytes = Uint8Array.from({ length: 60_000 }, (_, n) => n % 251);
      const pipe = SplicePipe.acquire(bytes.length)!;
      for (let at = 0; at < bytes.length;) {
        const piece = bytes.slice(at, at + 1 + random.below(9_000));
        at += piece.length;
        if (random.once(2)) pipe.append(piece);
        else {
          assertEquals(source.write(piece), piece.length);
          assertEquals(pipe.spliceFrom(source.source), piece.length);
        }
        assertEquals(pipe.remaining, bytes.length - at);
      }
      const came: Uint8Array[] = [];
      await pipe.spliceTo(target.end, (piece) => {
        // The pipe was full: what is in it came before.
        came.push(target.read(), piece.slice());
        return Promise.resolve();
      });
      came.push(target.read());
      assertEquals(
        new Uint8Array(await new Blob(came as BlobPart[]).arrayBuffer()),
        bytes,
      );
    }
    closePooledPipes();
  },
);

testLinux(
  "bytes that do not fit into a staging pipe are written behind its content",
  async () => {
    using source = new OwnPipe();
    const bytes = Uint8Array.from({ length: 9_000 }, (_, n) => n % 251);
    const pipe = SplicePipe.acquire(bytes.length)!;
    let at = 0;
    const next = (count: number) => bytes.slice(at, at += count);
    do {
      // A page of the pipe for each byte, and the rest of the last for others.
      source.write(next(1));
    } while (pipe.spliceFrom(source.source) === 1);
    assert(at < 300, `it was full after ${at} bytes`);
    pipe.append(source.read());
    pipe.append(next(4_096));
    pipe.append(next(10));
    source.write(next(10));
    assertEquals(pipe.spliceFrom(source.source), 0);
    pipe.append(source.read());
    pipe.append(next(pipe.remaining));
    const came: number[] = [];
    await pipe.spliceTo({ descriptor: null }, (piece) => {
      came.push(...piece);
      return Promise.resolve();
    });
    assertEquals(Uint8Array.from(came), bytes);
    closePooledPipes();
  },
);

testLinux(
  "no more bytes are moved than the length of the payload",
  async () => {
    using source = new OwnPipe();
    using target = new OwnPipe();
    const pipe = SplicePipe.acquire(10)!;
    source.write(new Uint8Array(30).fill(1));
    assertEquals(pipe.spliceFrom(source.source), 10);
    assertEquals(source.read().length, 20);
    await pipe.spliceTo(target.end, noWrite);
    assertEquals(target.read(), new Uint8Array(10).fill(1));
    closePooledPipes();
  },
);

testLinux(
  "staging pipes are few, refuse large payloads, and keep nothing of what was released",
  async () => {
    assertEquals(SplicePipe.acquire(1024 * 1024), undefined);
    const all = Array.from({ length: 100 }, () => SplicePipe.acquire(10));
    const had = all.filter((pipe) => pipe !== undefined);
    assert(had.length > 0 && had.length < 20, `there are ${had.length}`);
    for (const pipe of had) pipe.append(new Uint8Array([9, 9, 9]));
    for (const pipe of had) pipe.release();
    const again = had.map(() => SplicePipe.acquire(1)!);
    for (const [index, pipe] of again.entries()) {
      using target = new OwnPipe();
      pipe.append(Uint8Array.of(index));
      await pipe.spliceTo(target.end, noWrite);
      assertEquals(target.read(), Uint8Array.of(index));
    }
    closePooledPipes();
  },
);

testLinux(
  "there are no staging pipes where splice(2) is forbidden",
  async () => {
    // In a process of its own, which has not tested splice(2) yet.
    const script = `
      import { libc } from "./host/process/libc.ts";
      import { SplicePipe } from "./host/process/splice_pipe.ts";
      const c = libc();
      const { splice, pipe2, close } = c;
      let open = 0;
      Object.assign(c, {
        pipe2: (...args) => (open += 2, pipe2(...args)),
        close: (descriptor) => (open--, close(descriptor)),
        splice: Deno.args[0] === "may" ? splice : () => -1,
      });
      console.log(SplicePipe.acquire(10) !== undefined, open);
    `;
    const said = async (what: string) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--ext=ts", "--no-check", script, what],
        cwd: new URL("../..", import.meta.url),
      }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    assertEquals(await said("may"), "true 2");
    assertEquals(await said("may not"), "false 0");
  },
);

testLinux(
  "a staging pipe that is released after the pool was closed is closed too",
  async () => {
    const c = libc()!;
    const { pipe2, close } = c;
    const open = new Set<number>();
    c.pipe2 = (ends, flags) => {
      const result = pipe2(ends, flags);
      for (const end of ends as Int32Array) open.add(end);
      return result;
    };
    c.close = (descriptor) => {
      open.delete(descriptor);
      return close(descriptor);
    };
    try {
      closePooledPipes();
      const [one, other] = [SplicePipe.acquire(10)!, SplicePipe.acquire(10)!];
      assertEquals(open.size, 4);
      one.release();
      assertEquals(open.size, 4);
      closePooledPipes();
      assertEquals(open.size, 2);
      other.append(Uint8Array.of(1));
      const came: number[] = [];
      await other.spliceTo({ descriptor: null }, (bytes) => {
        came.push(...bytes);
        return Promise.resolve();
      });
      assertEquals(came, [1]);
      assertEquals(open.size, 0);
    } finally {
      Object.assign(c, { pipe2, close });
    }
  },
);

// Processes

interface Streaming {
  echo<T>(value: T): Promise<T>;
  give(seed: number, count: number): Promise<ReadableStream<Uint8Array>>;
  expected(seed: number, count: number): Promise<string>;
  take(stream: ReadableStream<Uint8Array>): Promise<string>;
  takeUntilFailure(
    stream: ReadableStream<Uint8Array>,
  ): Promise<{ lengths: number[]; message: string }>;
  takeAndExit(
    stream: ReadableStream<Uint8Array>,
    count: number,
  ): Promise<void>;
  takeAfter(stream: ReadableStream<Uint8Array>, path: string): Promise<string>;
}

async function streaming(): Promise<[Plugin, Streaming]> {
  const plugin = await launch(program("stream_plugin.ts"));
  return [plugin, await plugin.create<Streaming>("thing", "")];
}

/** How many bytes have been moved into staging pipes. */
let moved = 0;
const { spliceFrom } = SplicePipe.prototype;
SplicePipe.prototype.spliceFrom = function (pipe) {
  const count = spliceFrom.call(this, pipe);
  moved += count;
  return count;
};

testLinux(
  "a stream of large chunks is spliced, and the plugins exit by themselves",
  async () => {
    const [[one, giver], [other, taker]] = await Promise.all([
      streaming(),
      streaming(),
    ]);
    moved = 0;
    assertEquals(
      await taker.take(await giver.give(3, 300)),
      await giver.expected(3, 300),
    );
    assert(moved > 100_000, `${moved} bytes were moved`);
    assertEquals([await one.close(), await other.close()], [
      undefined,
      undefined,
    ]);
  },
);

testLinux(
  "only whole chunks arrive from a giver that dies in the middle of one",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const LENGTH = 300_000;
    const answer = (call: number) =>
      shellLine(chunkResponseLine(call, [LENGTH]));
    const calls = Array.from({ length: 30 }, (_, index) => 3 + index);
    const path = await folder.script(
      "giver",
      ...GREETING,
      ...WORK_IS_A_STREAM,
      ...calls.flatMap((call) => [
        "read -r call",
        answer(call),
        `head -c ${LENGTH} /dev/zero`,
      ]),
      "read -r call",
      answer(33),
      `head -c ${LENGTH - 1} /dev/zero`,
      "exit 3",
    );
    await using one = await launch([path]);
    const [other, taker] = await streaming();
    await using _ = other;
    const giver = await one.create<
      { work(): Promise<ReadableStream<Uint8Array>> }
    >("thing", "");
    moved = 0;
    const { lengths, message } = await taker.takeUntilFailure(
      await giver.work(),
    );
    assertEquals(lengths, calls.map(() => LENGTH));
    assertMatch(message, /giver exited with code 3/);
    assert(moved > 1_000_000, `${moved} bytes were moved`);
    // Its buffers have been released.
    const [another, againGiver] = await streaming();
    await using _another = another;
    assertEquals(
      await taker.take(await againGiver.give(5, 50)),
      await againGiver.expected(5, 50),
    );
  },
);

testLinux(
  "a taker that dies in the middle of a stream leaves others unharmed",
  async () => {
    const [one, giver] = await streaming();
    await using _one = one;
    for (let time = 0; time < 3; time++) {
      const [other, taker] = await streaming();
      await using _other = other;
      const error = await failure(
        taker.takeAndExit(await giver.give(4, 1_000), 30 + time),
      );
      assertMatch(error.message, /exited with code 7/);
    }
    const [another, taker] = await streaming();
    await using _another = another;
    moved = 0;
    assertEquals(
      await taker.take(await giver.give(4, 300)),
      await giver.expected(4, 300),
    );
    assert(moved > 100_000, `${moved} bytes were moved`);
  },
);

testLinux(
  "a taker that stops reading delays nobody else, and loses nothing",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const file = `${folder.path}/go`;
    const [[one, giver], [other, taker], [third, thirdTaker]] = await Promise
      .all([streaming(), streaming(), streaming()]);
    await using _one = one;
    await using _other = other;
    await using _third = third;
    const taken = taker.takeAfter(await giver.give(6, 200), file);
    for (let time = 0; time < 20; time++) assertEquals(await giver.echo(1), 1);
    assertEquals(
      await thirdTaker.take(await giver.give(7, 60)),
      await giver.expected(7, 60),
    );
    await Deno.writeTextFile(file, "");
    assertEquals(await taken, await giver.expected(6, 200));
  },
);
