// A directory tree that becomes the root of a machine: it is unpacked and packed
// in a user namespace, so that its files have their owners, and by a process
// that can reach nothing else.

import { LocalProcess } from "../../bundled/communicators/local_process.ts";
import type { Snapshot } from "../trees/pack.ts";
import {
  frame,
  insideCommand,
  type InsideTask,
  taskLine,
  type Unpacked,
} from "./inside.ts";
import type { UserNamespace } from "./user_namespace.ts";

/** How much of stderr an error shows, in characters. */
const MAX_STDERR_CHARS = 4096;

/** How archives are unpacked into a {@linkcode Tree}. */
export interface TreeOptions {
  /** The user namespace that the tree belongs to. */
  namespace: UserNamespace;
  /** The tree's directory; it is made when it is not there. */
  root: string;
  /** True where files named `.wh.NAME` remove NAME, as in the layers of an OCI image. */
  hasWhiteouts: boolean;
  /** The most that all files may have together, in bytes. */
  maxBytes: number;
  /** The most entries that all archives may have together. */
  maxEntries: number;
  /** Stops when aborted. */
  signal: AbortSignal;
}

/** How a {@linkcode Tree} is packed. */
export interface PackTreeOptions {
  /** Receives the archive, and is closed at its end. */
  archive: WritableStream<Uint8Array>;
  /** True for a layer of an OCI image: what has changed since the tree was unpacked. */
  isDifference?: boolean;
  /** No time is later than this, in seconds; undefined for the times as they are. */
  maxTime: number | undefined;
  /** What a machine made in the tree to mount something at. */
  made?: readonly string[];
  /** Stops when aborted. */
  signal: AbortSignal;
}

/** A tree of files in a user namespace. */
export class Tree {
  /** Its directory. */
  readonly root: string;
  /** How many bytes its files had when it was unpacked. */
  readonly bytes: number;
  /** How many entries the archives had. */
  readonly entries: number;
  /** How many device nodes were left out, since root in the namespace can make none. */
  readonly devices: number;
  readonly #namespace: UserNamespace;
  readonly #snapshot: Snapshot;

  private constructor(
    namespace: UserNamespace,
    root: string,
    { snapshot, bytes, entries, devices }: Unpacked,
  ) {
    this.#namespace = namespace;
    this.root = root;
    this.#snapshot = snapshot;
    this.bytes = bytes;
    this.entries = entries;
    this.devices = devices;
  }

  /**
   * Unpacks tar archives, one over the other.
   *
   * @param archives Their bytes, not compressed.
   * @param options Where to, and within which limits.
   * @throws {Error} When an archive cannot be read, is damaged, or too large.
   */
  static async unpack(
    archives: AsyncIterable<AsyncIterable<Uint8Array>>,
    { namespace, root, signal, ...options }: TreeOptions,
  ): Promise<Tree> {
    await Deno.mkdir(root, { recursive: true, mode: 0o755 });
    const task = {
      ...{ task: "unpack", root, options } as const,
      keepsOwners: !namespace.hasOwners,
    };
    let failure: { error: unknown } | undefined;
    const text = new TransformStream<Uint8Array, Uint8Array>();
    const result = new Response(text.readable).text();
    result.catch(() => {});
    try {
      await runTask(namespace, task, {
        input: (async function* () {
          try {
            yield* frame(archives);
          } catch (error) {
            failure = { error };
            throw error;
          }
        })(),
        stdout: text.writable,
        signal,
      });
    } catch (error) {
      throw failure ? failure.error : error;
    }
    return new Tree(namespace, root, JSON.parse(await result) as Unpacked);
  }

  /**
   * Packs the tree into a tar archive; the same tree makes the same bytes.
   *
   * @param options Where to, and what of it.
   * @throws {Error} When something in it cannot be read.
   */
  async pack(
    { archive, isDifference = false, maxTime, made = [], signal }:
      PackTreeOptions,
  ): Promise<void> {
    const task = {
      ...{ task: "pack", root: this.root, isDifference, made } as const,
      maxTime: maxTime ?? null,
    };
    const snapshot = JSON.stringify(this.#snapshot);
    await runTask(this.#namespace, task, {
      input: [new TextEncoder().encode(`${snapshot}\n`)],
      stdout: archive,
      signal,
    });
  }
}

async function runTask(
  namespace: UserNamespace,
  task: InsideTask,
  { input, stdout, signal }: {
    input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
    stdout: WritableStream<Uint8Array>;
    signal: AbortSignal;
  },
): Promise<void> {
  let stderr = "";
  const decoder = new TextDecoder();
  await using process = new LocalProcess({
    argv: namespace.inside(await insideCommand()),
    cwd: "/",
    stdin: ReadableStream.from((async function* () {
      yield taskLine(task);
      yield* input;
    })()),
    stdout,
    stderr: new WritableStream({
      write(chunk) {
        stderr = (stderr + decoder.decode(chunk, { stream: true }))
          .slice(-MAX_STDERR_CHARS);
      },
    }),
    signal,
  });
  const status = await process.wait();
  if (status !== 0) {
    throw new Error(
      `cannot ${task.task} the tree: ${
        stderr.trim() || `the process ended with ${status}`
      }`,
    );
  }
}
