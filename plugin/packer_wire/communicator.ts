// The communicator on Packer's wire: commands, uploads and downloads, whose
// bytes go over streams of their own.

import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../contract/communicator.ts";
import type { WireConnection } from "./connection.ts";
import {
  decodeCommandFinished,
  encodeCommandFinished,
  MAX_COMMAND_FINISHED_BYTES,
} from "./gob.ts";
import { ConnectionClosedError } from "../rpc/protocol.ts";
import type { RpcClient, RpcMethods } from "./net_rpc.ts";
import { copyFrom, copyTo, readableOf, writableOf } from "./streams.ts";
import {
  fields,
  isMap,
  number,
  replyError,
  streamId,
  string,
  strings,
} from "./values.ts";
import type { YamuxStream } from "./yamux.ts";

/** The status of a command when the connection to the machine was lost: `CmdDisconnect`. */
const DISCONNECTED = 2300218;

/** The status of a command when no status came, as in packer-plugin-sdk. */
const NO_STATUS = 123;

/** The permission bits of Go's `os.FileMode`, and its bits for setuid, setgid and sticky. */
const GO_MODE_BITS = [
  [0o4000, 1 << 23],
  [0o2000, 1 << 22],
  [0o1000, 1 << 20],
] as const;

/** The mode of an upload whose size is known and whose mode is not. */
const DEFAULT_MODE = 0o644;

/**
 * Serves a communicator.
 *
 * @param communicator The communicator.
 * @param connection The connection that it is served on.
 * @param methods Gets the methods.
 */
export function serveCommunicator(
  communicator: Communicator,
  connection: WireConnection,
  methods: RpcMethods,
): void {
  methods.set(
    "Communicator.Start",
    (argument) => start(communicator, connection, fields(argument)),
  );
  methods.set("Communicator.Upload", async (argument) => {
    const { Path, ReaderStreamId, FileInfo } = fields(argument);
    const stream = await connection.dialStream(streamId(ReaderStreamId));
    try {
      await communicator.upload({
        path: string(Path),
        source: readableOf(stream),
        ...(isMap(FileInfo) ? fileOf(FileInfo) : {}),
      });
      stream.end();
    } finally {
      // Drops what was not read, where the communicator did not want it all.
      stream.reset();
    }
  });
  methods.set("Communicator.Download", async (argument) => {
    const { Path, WriterStreamId } = fields(argument);
    const stream = await connection.dialStream(streamId(WriterStreamId));
    try {
      await communicator.download({
        path: string(Path),
        destination: writableOf(stream),
      });
    } catch (error) {
      stream.reset();
      throw error;
    }
    stream.end();
  });
  for (
    const [name, transfer] of [
      [
        "UploadDir",
        (options: DirectoryTransfer) => communicator.uploadDir(options),
      ],
      [
        "DownloadDir",
        (options: DirectoryTransfer) => communicator.downloadDir(options),
      ],
    ] as const
  ) {
    methods.set(`Communicator.${name}`, async (argument) => {
      const { Dst, Src, Exclude } = fields(argument);
      await transfer({
        source: string(Src),
        destination: string(Dst),
        exclude: strings(Exclude),
      });
    });
  }
}

/** Starts a command. Nothing on the wire can cancel it but the end of the connection. */
async function start(
  communicator: Communicator,
  connection: WireConnection,
  argument: Record<string, unknown>,
): Promise<void> {
  const dial = async (id: unknown) =>
    streamId(id) === 0 ? undefined : await connection.dialStream(streamId(id));
  const streams: (YamuxStream | undefined)[] = [];
  for (const name of ["Stdin", "Stdout", "Stderr", "Response"]) {
    streams.push(await dial(argument[`${name}StreamId`]));
  }
  const [stdin, stdout, stderr, response] = streams;
  const controller = new AbortController();
  const { endSignal } = connection;
  const abort = () => controller.abort(endSignal.reason);
  endSignal.addEventListener("abort", abort, { once: true });
  if (endSignal.aborted) abort();
  let running: RunningCommand;
  try {
    running = await communicator.start({
      command: string(argument.Command),
      stdin: stdin && readableOf(stdin),
      stdout: stdout && writableOf(stdout),
      stderr: stderr && writableOf(stderr),
      signal: controller.signal,
    });
  } catch (error) {
    endSignal.removeEventListener("abort", abort);
    for (const stream of streams) stream?.reset();
    throw error;
  }
  void finish();

  async function finish(): Promise<void> {
    let status: number;
    try {
      status = await running.wait();
    } catch (error) {
      console.error(`a command has no status: ${(error as Error).message}`);
      status = DISCONNECTED;
    }
    endSignal.removeEventListener("abort", abort);
    await response?.write(encodeCommandFinished(Math.trunc(status)))
      .catch(() => {});
    for (const stream of [response, stdout, stderr]) stream?.end();
    // What is left of stdin has no reader any more.
    stdin?.end();
    stdin?.reset();
  }
}

/** An upload's size and mode, of a `FileInfo`. */
function fileOf({ S, M }: Record<string, unknown>): Partial<Upload> {
  const goMode = number(M);
  let mode = goMode & 0o777;
  for (const [bit, goBit] of GO_MODE_BITS) if (goMode & goBit) mode |= bit;
  const size = number(S);
  return size < 0 ? { mode } : { mode, size };
}

function goModeOf(mode: number): number {
  let goMode = mode & 0o777;
  for (const [bit, goBit] of GO_MODE_BITS) if (mode & bit) goMode |= goBit;
  return goMode;
}

/**
 * A communicator that the other side serves.
 *
 * @param client Calls what the other side serves.
 * @param connection The connection that it has.
 */
export function remoteCommunicator(
  client: RpcClient,
  connection: WireConnection,
): Communicator {
  return new RemoteCommunicator(client, connection);
}

class RemoteCommunicator implements Communicator {
  readonly #client: RpcClient;
  readonly #connection: WireConnection;

  constructor(client: RpcClient, connection: WireConnection) {
    this.#client = client;
    this.#connection = connection;
  }

  async start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
  ): Promise<RunningCommand> {
    signal?.throwIfAborted();
    const offer = (wanted: unknown) =>
      wanted === undefined ? undefined : this.#connection.offerStream();
    const stdinOffer = offer(stdin);
    const response = this.#connection.offerStream();
    const outputs = [stdout, stderr].map((destination) => ({
      destination: destination!,
      offer: offer(destination),
    }));
    const call = this.#client.call("Communicator.Start", {
      Command: command,
      StdinStreamId: stdinOffer?.id ?? 0,
      StdoutStreamId: outputs[0]!.offer?.id ?? 0,
      StderrStreamId: outputs[1]!.offer?.id ?? 0,
      ResponseStreamId: response.id,
    });
    await abortable(call, signal, []);
    // The callee has dialled them all before it answered.
    const streams: YamuxStream[] = [];
    const accepted = async (stream: Promise<YamuxStream>) => {
      streams.push(await stream);
      return stream;
    };
    const status = accepted(response.stream).then(readStatus);
    const copies = outputs.map(async ({ destination, offer }) => {
      if (offer === undefined) return;
      await copyFrom(await accepted(offer.stream), destination);
    });
    if (stdinOffer !== undefined) {
      // A command may end without having read all: that is no error.
      accepted(stdinOffer.stream)
        .then((stream) => copyTo(stdin!, stream))
        .catch(() => {});
    }
    const ended = Promise.all([status, ...copies]).then(([status]) => status);
    ended.catch(() => {});
    return { wait: () => abortable(ended, signal, streams) };
  }

  async upload(
    { path, source, mode, size, signal }: Upload,
  ): Promise<void> {
    signal?.throwIfAborted();
    const known = mode !== undefined && size === undefined
      ? await measured(source)
      : { source, size };
    const { id, stream } = this.#connection.offerStream();
    const streams: YamuxStream[] = [];
    let sourceError: unknown;
    const copied = stream.then(async (stream) => {
      streams.push(stream);
      await copyTo(known.source, stream);
    }).catch((error) => {
      sourceError = error;
    });
    const uploaded = this.#client.call("Communicator.Upload", {
      Path: path,
      ReaderStreamId: id,
      // A mode can only be sent with a size.
      FileInfo: known.size === undefined ? null : {
        N: path.slice(path.lastIndexOf("/") + 1),
        S: known.size,
        M: goModeOf(mode ?? DEFAULT_MODE),
        T: null,
      },
    });
    try {
      await abortable(uploaded, signal, streams);
    } catch (error) {
      known.source.cancel(error).catch(() => {});
      // The callee only knows that its stream broke.
      throw isOwnError(sourceError) ? sourceError : error;
    }
    await copied;
  }

  async download({ path, destination, signal }: Download): Promise<void> {
    signal?.throwIfAborted();
    const { id, stream } = this.#connection.offerStream();
    const streams: YamuxStream[] = [];
    const copied = stream.then(async (stream) => {
      streams.push(stream);
      await copyFrom(stream, destination);
    });
    copied.catch(() => {});
    await abortable(
      this.#client.call("Communicator.Download", {
        Path: path,
        WriterStreamId: id,
      }),
      signal,
      streams,
    );
    await copied;
  }

  uploadDir(transfer: DirectoryTransfer): Promise<void> {
    return this.#transfer("UploadDir", transfer);
  }

  downloadDir(transfer: DirectoryTransfer): Promise<void> {
    return this.#transfer("DownloadDir", transfer);
  }

  async #transfer(
    method: string,
    { source, destination, exclude, signal }: DirectoryTransfer,
  ): Promise<void> {
    signal?.throwIfAborted();
    const call = this.#client.call(`Communicator.${method}`, {
      Dst: destination,
      Src: source,
      Exclude: exclude ?? null,
    });
    const error = replyError(await abortable(call, signal, []));
    if (error !== undefined) throw error;
  }
}

/** Whether an upload failed here, and not since the other side gave it up. */
function isOwnError(error: unknown): boolean {
  return error !== undefined && !(error instanceof ConnectionClosedError);
}

/**
 * Waits for a result, or for the signal. No abort crosses Packer's wire: the
 * streams are reset, so that the other side cannot go on with them.
 */
async function abortable<T>(
  result: Promise<T>,
  signal: AbortSignal | undefined,
  streams: readonly YamuxStream[],
): Promise<T> {
  if (signal === undefined) return await result;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    reject(signal.reason);
    for (const stream of streams) stream.reset();
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    result.catch(() => {});
  }
}

/** How much of an upload is read ahead to learn its size, in bytes. */
const MAX_MEASURED_BYTES = 1024 * 1024;

/** Reads the beginning of a source; its size is known where that is all. */
async function measured(
  source: ReadableStream<Uint8Array>,
): Promise<{ source: ReadableStream<Uint8Array>; size: number | undefined }> {
  const reader = source.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isAll = false;
  while (!isAll && size <= MAX_MEASURED_BYTES) {
    const { done, value } = await reader.read();
    if (done) isAll = true;
    else {
      chunks.push(value);
      size += value.length;
    }
  }
  return {
    size: isAll ? size : undefined,
    source: new ReadableStream<Uint8Array>({
      async pull(controller) {
        const chunk = chunks.shift() ??
          (isAll ? undefined : (await reader.read()).value);
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 }),
  };
}

/** The status that comes on the response stream of a command. */
async function readStatus(stream: YamuxStream): Promise<number> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const status = decodeCommandFinished(bytes);
    if (status !== undefined) {
      stream.end();
      if (status === DISCONNECTED) {
        throw new Error("the connection to the machine was lost");
      }
      return status;
    }
    const chunk = await stream.read();
    if (chunk === null) {
      stream.end();
      return NO_STATUS;
    }
    const more = new Uint8Array(
      Math.min(bytes.length + chunk.length, MAX_COMMAND_FINISHED_BYTES + 1),
    );
    more.set(bytes);
    more.set(chunk.subarray(0, more.length - bytes.length), bytes.length);
    bytes = more;
  }
}
