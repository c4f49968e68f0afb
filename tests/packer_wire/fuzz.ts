// The fuzzer of Packer's wire: feeds mutated sessions to both sides. A case is
// its number: the same number, the same bytes.

import { HOOK_PROVISION } from "../../plugin/contract/hook.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { Builder } from "../../plugin/contract/builder.ts";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import {
  RemoteBuilder,
  serveBuilder,
} from "../../plugin/packer_wire/builder.ts";
import {
  COMPONENT_ID,
  WireConnection,
} from "../../plugin/packer_wire/connection.ts";
import { decodeCommandFinished } from "../../plugin/packer_wire/gob.ts";
import { decodeProtobufSpec } from "../../plugin/packer_wire/hcl_spec_protobuf.ts";
import { ProtocolError } from "../../plugin/rpc/protocol.ts";
import { MsgpackDecoder } from "../../plugin/packer_wire/msgpack.ts";
import { encodeAll } from "../../plugin/packer_wire/msgpack_writer.ts";
import type { RpcMethods } from "../../plugin/packer_wire/net_rpc.ts";
import type { Transport } from "../../plugin/packer_wire/yamux.ts";
import {
  encodeHeader,
  HEADER_BYTES,
} from "../../plugin/packer_wire/yamux_frame.ts";
import type { Random } from "../support/random.ts";

/** The side that a case is fed to. */
export type Side = "host" | "plugin";

/** A connection in memory, one end of it. */
class MemoryTransport implements Transport {
  readonly written: Uint8Array[] = [];
  peer: MemoryTransport | undefined;
  #incoming: Uint8Array[] = [];
  #isClosed = false;
  #wake: (() => void) | undefined;

  feed(bytes: Uint8Array): void {
    this.#incoming.push(bytes);
    this.#wake?.();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#incoming.length === 0) {
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#incoming.shift()!;
    const piece = chunk.subarray(0, buffer.length);
    buffer.set(piece);
    if (piece.length < chunk.length) {
      this.#incoming.unshift(chunk.subarray(piece.length));
    }
    return piece.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice();
    if (this.peer) {
      this.written.push(copy);
      this.peer.feed(copy);
    }
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }
}

const BUILD: BuildContext = {
  name: "one",
  type: "machine",
  workingDirectory: "/",
  userVariables: {},
  sensitiveVariables: [],
  debug: false,
  force: false,
  onError: "cleanup",
  coreVersion: "1",
  packerVersion: "1.9.4",
  startedAt: new Date(0),
};

const silentUi: Ui = {
  say() {},
  message() {},
  error() {},
  machine() {},
  ask: () => "yes",
  progress() {},
};

/** A machine in memory. */
const machine: Communicator = {
  start({ stdin, stdout, stderr }) {
    const work = (async () => {
      await stdin?.cancel().catch(() => {});
      const writer = stdout?.getWriter();
      await writer?.write(new Uint8Array(300));
      await writer?.close();
      await stderr?.close();
      return 3;
    })();
    work.catch(() => {});
    return { wait: () => work };
  },
  async upload({ source }) {
    for await (const _ of source);
  },
  async download({ destination }) {
    const writer = destination.getWriter();
    await writer.write(new Uint8Array(1000));
    await writer.close();
  },
  uploadDir() {},
  downloadDir() {},
};

const builder: Builder = {
  prepare: () => ({ warnings: ["w"], generatedData: ["g"] }),
  async run({ ui, hook, signal }) {
    ui.say("hello");
    ui.progress({ label: "disk", current: 1, total: 2 });
    await hook.run({ name: HOOK_PROVISION, ui, communicator: machine, signal });
    return {
      builderId: "b",
      id: "i",
      files: ["f"],
      destroy() {},
      toString: () => "a",
    };
  },
};

const nowhere = () => new WritableStream<Uint8Array>();

/** What a host does with a plugin: some of everything. */
async function build(host: WireConnection): Promise<void> {
  const client = await host.dial(COMPONENT_ID);
  await client.call("Builder.ConfigSpec");
  const remote = new RemoteBuilder(client, host);
  await remote.prepare({ config: { a: [1, { b: "c" }] }, build: BUILD });
  const artifact = await remote.run({
    ui: silentUi,
    hook: {
      async run({ communicator, ui }) {
        ui.say("provisioning");
        const running = await communicator!.start({
          command: "x",
          stdin: new Blob(["in"]).stream(),
          stdout: nowhere(),
          stderr: nowhere(),
        });
        await running.wait();
        await communicator!.upload({
          path: "/x",
          source: new Blob(["abc"]).stream(),
          size: 3,
        });
        await communicator!.download({ path: "/x", destination: nowhere() });
      },
    },
    signal: new AbortController().signal,
  });
  await artifact?.state?.("generated_data");
  await artifact?.destroy();
}

function servePlugin(plugin: WireConnection): void {
  const methods: RpcMethods = new Map();
  serveBuilder(
    { create: () => Promise.resolve(builder), specEncoding: "gob" },
    plugin,
    methods,
  );
  plugin.serve(COMPONENT_ID, methods);
}

/** Less than usual, so that a limit is met now and then. */
const LIMITS = { streams: 60, pendingDials: 20, messageBytes: 1e6, calls: 50 };

function connect(transport: Transport, side: Side): WireConnection {
  const role = side === "host" ? "client" : "server";
  const connection = new WireConnection(transport, { role, limits: LIMITS });
  if (side === "plugin") servePlugin(connection);
  return connection;
}

/** The frames of a session that goes well, of each side. */
export async function record(): Promise<Record<Side, Uint8Array[]>> {
  const [host, plugin] = [new MemoryTransport(), new MemoryTransport()];
  host.peer = plugin;
  plugin.peer = host;
  const remote = connect(plugin, "plugin");
  const connection = connect(host, "host");
  await build(connection);
  await connection.close();
  await remote.close();
  return { host: framesOf(host.written), plugin: framesOf(plugin.written) };
}

function framesOf(written: readonly Uint8Array[]): Uint8Array[] {
  const bytes = concat(written);
  const view = new DataView(bytes.buffer);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint8(at + 1) === 0 ? view.getUint32(at + 8) : 0;
    frames.push(bytes.slice(at, at + HEADER_BYTES + length));
    at += HEADER_BYTES + length;
  }
  return frames;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Values that somewhere mean something. */
const VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 1, 2, 3, 5, 2 ** 31, 2 ** 32, 2n ** 64n - 1n, 1.5],
  ...["", "__proto__", "constructor", "generated_data", "x".repeat(3000)],
  ...[[], {}, [[]], { Configs: 1 }, { Configs: [[]] }, new Uint8Array(5)],
  ...[{ Configs: [JSON.parse('{"__proto__": {"polluted": 1}}')] }],
  ...[{ StreamId: 1 }, { Name: [], Data: 1, StreamId: 3 }, { Message: {} }],
  ...[{ Command: 1, StdoutStreamId: 2, ResponseStreamId: 2 }],
  ...[{ Path: null, ReaderStreamId: -1, FileInfo: { S: -5, M: "x" } }],
];

const METHODS: readonly string[] = [
  ...["Builder.Prepare", "Builder.Run", "Builder.Cancel", "Builder.ConfigSpec"],
  ...["Ui.Say", "Ui.Ask", "Ui.Machine", "Ui.NewTrackProgress", "Uidisk-1.Add"],
  ...["Hook.Run", "Hook.Cancel", "Communicator.Start", "Communicator.Upload"],
  ...["Communicator.Download", "Communicator.UploadDir", "Artifact.State"],
  ...["Artifact.Destroy", "toString", "constructor", "", "."],
];

/** A session with something wrong in it. */
export function mutated(
  random: Random,
  frames: readonly Uint8Array[],
): Uint8Array {
  const from = random.once(2) ? 0 : random.below(frames.length);
  const part = frames.slice(from, from + 1 + random.below(frames.length));
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(part.length + 1);
    switch (random.below(7)) {
      case 0:
        if (part[at]) part[at] = flipped(random, part[at]);
        break;
      case 1:
        part.splice(at, 1);
        break;
      case 2:
        part.splice(at, 0, random.of(frames));
        break;
      case 3:
        if (part[at]) part[at] = part[at].slice(0, random.below(40));
        break;
      case 4:
        part.splice(at, 0, oddFrame(random));
        break;
      case 5:
        part.splice(at, 0, ...calls(random, part[at] ?? frames[0]!));
        break;
      default:
        part.splice(
          at,
          0,
          Uint8Array.from(
            { length: random.below(50) },
            () => random.below(256),
          ),
        );
    }
  }
  return concat(part);
}

function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let times = 1 + random.below(6); times > 0; times--) {
    copy[random.below(copy.length)]! ^= 1 << random.below(8);
  }
  return copy;
}

/** A header whose parts are each possible. */
function oddFrame(random: Random): Uint8Array {
  const type = random.below(5);
  const flags = random.of([0, 1, 2, 4, 8, 5, 9, 0xffff]);
  const id = random.of([0, 1, 2, 3, 4, 5, 7, 8, 2 ** 31, 2 ** 32 - 1]);
  const length = random.of([0, 0, 1, 4, 300, 262144, 262145, 2 ** 32 - 1]);
  const header = encodeHeader(type, flags, id, length);
  if (type !== 0 || length > 1000) return header;
  return concat([header, new Uint8Array(length).map(() => random.below(256))]);
}

/** Calls and answers that are well formed, on the stream of another frame. */
function calls(random: Random, frame: Uint8Array): Uint8Array[] {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const id = frame.length < HEADER_BYTES ? 1 : view.getUint32(4);
  return Array.from({ length: 1 + random.below(3) }, () => {
    const body = encodeAll({
      ServiceMethod: random.of(METHODS),
      Seq: random.below(5),
      ...(random.once(2) ? { Error: random.of(["", "bad", 1, null]) } : {}),
    }, random.of(VALUES));
    return concat([encodeHeader(0, 0, id, body.length), body]);
  });
}

/** How long one case may take, in milliseconds. */
const CASE_TIMEOUT_MS = 5_000;

/**
 * Feeds bytes to a side.
 *
 * @returns What was wrong; undefined when nothing was.
 */
export async function run(
  side: Side,
  input: Uint8Array,
  random: Random,
): Promise<string | undefined> {
  const begin = performance.now();
  const transport = new MemoryTransport();
  const connection = connect(transport, side);
  const work = side === "host" ? build(connection) : Promise.resolve();
  work.catch(() => {});
  for (let at = 0; at < input.length;) {
    const end = at + 1 + random.below(random.once(4) ? 20 : 5000);
    transport.feed(input.subarray(at, end));
    at = end;
    if (random.once(3)) await turn();
  }
  for (let turns = 0; turns < 3; turns++) await turn();
  const { session } = connection.broker;
  if (session.streamCount > LIMITS.streams) {
    return `${session.streamCount} streams are open`;
  }
  await connection.close();
  await connection.ended;
  // A host that waits is told.
  await work.catch(() => {});
  if (({} as { polluted?: unknown }).polluted !== undefined) {
    return "the prototype is polluted";
  }
  const took = performance.now() - begin;
  return took > CASE_TIMEOUT_MS ? `it took ${took} ms` : undefined;
}

/** Feeds bytes to the decoders alone: what they refuse, they refuse in one way. */
export function decodeAll(input: Uint8Array): string | undefined {
  for (
    const decode of [
      (bytes: Uint8Array) => {
        const decoder = new MsgpackDecoder();
        decoder.push(bytes);
        while (decoder.next());
      },
      decodeCommandFinished,
      decodeProtobufSpec,
    ]
  ) {
    try {
      decode(input);
    } catch (error) {
      if (!(error instanceof ProtocolError)) return `${error}`;
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
