// A directory tree that becomes the root of a machine: it is unpacked and packed
// in a user namespace, so that its files have their owners, and by a process
// that can reach nothing else.

import { filter } from "../../process/byte_streams.ts";
import type { Snapshot } from "../trees/pack.ts";
import {
  frame,
  insideCommand,
  type InsideTask,
  taskLine,
  type Unpacked,
} from "./inside_command.ts";
import type { UserNamespace } from "./user_namespace.ts";

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
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (
      const chunk of runTask(
        namespace,
        { task: "unpack", root, options, keepsOwners: !namespace.hasOwners },
        frame(archives),
        signal,
      )
    ) chunks.push(chunk.slice());
    const result = JSON.parse(await new Blob(chunks).text()) as Unpacked;
    return new Tree(namespace, root, result);
  }

  /** The files that have other owners in the source than the user namespace can have. */
  get owners(): [path: string, uid: number, gid: number][] {
    const { files, keepsOwners } = this.#snapshot;
    if (!keepsOwners) return [];
    return files.flatMap(([path, , , , , uid, gid]) =>
      uid === 0 && gid === 0 ? [] : [[path, uid, gid]]
    );
  }

  /**
   * Packs the tree into a tar archive; the same tree makes the same bytes.
   *
   * @param options What of it.
   * @throws {Error} When something in it cannot be read.
   */
  pack(options: PackTreeOptions): AsyncGenerator<Uint8Array> {
    return packTree(this.#namespace, this.root, this.#snapshot, options);
  }
}

/**
 * Packs a directory as it is, with the owners that its files have in a user
 * namespace.
 *
 * @param namespace The user namespace.
 * @param root The directory; nothing outside of it is read.
 * @param options The latest time, and what ends it.
 * @throws {Error} When something in it cannot be read.
 */
export async function* packDirectory(
  namespace: UserNamespace,
  root: string,
  options: Omit<PackTreeOptions, "isDifference" | "made">,
): AsyncGenerator<Uint8Array> {
  const before = { files: [], keepsOwners: false };
  yield* packTree(namespace, root, before, options);
}

async function* packTree(
  namespace: UserNamespace,
  root: string,
  before: Snapshot,
  { isDifference = false, maxTime, made = [], signal }: PackTreeOptions,
): AsyncGenerator<Uint8Array> {
  yield* runTask(
    namespace,
    {
      ...{ task: "pack", root, isDifference, made },
      maxTime: maxTime ?? null,
    },
    [new TextEncoder().encode(`${JSON.stringify(before)}\n`)],
    signal,
  );
}

async function* runTask(
  namespace: UserNamespace,
  task: InsideTask,
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const source = (async function* () {
    yield taskLine(task);
    yield* input;
  })();
  try {
    yield* filter(namespace.inside(await insideCommand()), source, { signal });
  } catch (error) {
    signal.throwIfAborted();
    // Of what the process wrote, which command it was says nothing.
    const message = (error as Error).message.replace(
      /^\S+ exited with \d+: /,
      "",
    );
    throw new Error(`cannot ${task.task} the tree: ${message}`, {
      cause: error,
    });
  }
}
