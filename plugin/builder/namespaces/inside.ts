// What a plugin's own executable does when it is started again in namespaces: it
// unpacks a tree, packs it, or is the first process of a machine. The first line
// of its stdin says what; archives go through its stdin and stdout.

import { fromFileUrl } from "@std/path";
import { pack, type Snapshot, snapshot } from "../trees/pack.ts";
import { Unpacker, type UnpackOptions } from "../trees/unpack.ts";
import { ByteReader } from "../trees/byte_reader.ts";
import { chroot, ignoreChildren, raiseLoopback } from "./libc.ts";
import { type MachineMounts, mountMachine } from "./mounts.ts";

/** The argument of an executable that was started again. */
export const INSIDE = "baler-inside";

/** Something to do in namespaces. */
export type InsideTask =
  | {
    /** Unpacks the archives of stdin, {@linkcode frame}d, into a tree. */
    task: "unpack";
    /** The tree; nothing outside of it is written. */
    root: string;
    options: Omit<UnpackOptions, "keepsOwners">;
    keepsOwners: boolean;
  }
  | {
    /** Packs a tree to stdout; the second line of stdin has what it was like, as JSON. */
    task: "pack";
    root: string;
    isDifference: boolean;
    maxTime: number | null;
    /** What the machine made to mount something at, each before what is in it. */
    made: readonly string[];
  }
  | {
    /** Mounts a machine, and keeps it until the end of stdin. */
    task: "machine";
    mounts: MachineMounts;
    hasOwnNetwork: boolean;
  };

/** What the task `unpack` writes to stdout, as JSON. */
export interface Unpacked {
  /** What the tree is like. */
  snapshot: Snapshot;
  /** How many bytes its files have. */
  bytes: number;
  /** How many entries were unpacked. */
  entries: number;
  /** How many device nodes were left out. */
  devices: number;
}

/** What the task `machine` writes to stdout, as JSON in one line, when it is ready. */
export interface MachineReady {
  /** The machine's first process, by its number outside. */
  pid: number;
  /** What was made in the tree to mount something at. */
  made: string[];
}

/** The command that starts this program again, to do a task. */
export async function insideCommand(): Promise<string[]> {
  const program = await Deno.realPath(Deno.execPath());
  return [
    program,
    ...Deno.build.standalone ? [] : [
      ...["run", "--quiet", "--no-prompt", "--allow-all"],
      fromFileUrl(import.meta.resolve("./inside_main.ts")),
    ],
    INSIDE,
  ];
}

/**
 * What is written to its stdin first.
 *
 * @param task What it does.
 */
export function taskLine(task: InsideTask): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(task)}\n`);
}

/** Does what stdin says, and ends this process. */
export async function runInside(): Promise<never> {
  try {
    const reader = new ByteReader(Deno.stdin.readable);
    const task = JSON.parse(await reader.readLine()) as InsideTask;
    switch (task.task) {
      case "unpack":
        await unpackTree(task, reader);
        break;
      case "pack":
        await packTree(task, reader);
        break;
      case "machine":
        await runMachine(task, reader);
    }
    Deno.exit(0);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}

/** How much one frame has at most, in bytes. */
const MAX_FRAME_BYTES = 1024 * 1024;

/**
 * Puts archives into one stream: each chunk behind its length, and behind each
 * archive the length 0.
 *
 * @param archives The archives.
 */
export async function* frame(
  archives: AsyncIterable<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  for await (const archive of archives) {
    for await (const chunk of archive) {
      for (let at = 0; at < chunk.length; at += MAX_FRAME_BYTES) {
        const part = chunk.subarray(at, at + MAX_FRAME_BYTES);
        yield lengthOf(part.length);
        yield part;
      }
    }
    yield lengthOf(0);
  }
}

function lengthOf(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

/** Takes archives out of a stream that {@linkcode frame} made. */
async function* unframe(
  reader: ByteReader,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const nextLength = async () => {
    const bytes = await reader.read(4);
    return bytes && new DataView(bytes.buffer).getUint32(0);
  };
  for (;;) {
    const first = await nextLength();
    if (first === undefined) return;
    yield (async function* () {
      for (let length: number | undefined = first; length !== 0;) {
        if (length === undefined) {
          throw new Error("it ends early: whoever wrote it has failed");
        }
        const part = await reader.readSome(length);
        if (part === undefined) throw new Error("it ends early");
        yield part;
        length -= part.length;
        if (length === 0) length = await nextLength();
      }
    })();
  }
}

async function unpackTree(
  { root, options, keepsOwners }: InsideTask & { task: "unpack" },
  reader: ByteReader,
): Promise<void> {
  chroot(root);
  const unpacker = new Unpacker({ ...options, keepsOwners });
  for await (const archive of unframe(reader)) {
    await unpacker.unpack(archive);
  }
  const { bytes, entries, devices, owners } = unpacker;
  await write(
    new TextEncoder().encode(JSON.stringify(
      {
        snapshot: snapshot(keepsOwners ? owners : undefined),
        ...{ bytes, entries, devices },
      } satisfies Unpacked,
    )),
  );
}

async function packTree(
  { root, isDifference, maxTime, made }: InsideTask & { task: "pack" },
  reader: ByteReader,
): Promise<void> {
  const before = JSON.parse(await reader.readLine()) as Snapshot;
  chroot(root);
  for (const path of made.toReversed()) removeIfEmpty(path);
  for await (
    const chunk of pack({
      before,
      isDifference,
      maxTime: maxTime ?? undefined,
    })
  ) await write(chunk);
}

/** Removes what was made to mount something at, unless the image uses it by now. */
function removeIfEmpty(path: string): void {
  try {
    const { isFile, size } = Deno.lstatSync(path);
    if (!isFile || size === 0) Deno.removeSync(path);
  } catch { /* There is something in it, or it is gone. */ }
}

async function runMachine(
  { mounts, hasOwnNetwork }: InsideTask & { task: "machine" },
  reader: ByteReader,
): Promise<void> {
  // /proc is still that of the namespace outside.
  const pid = Number(Deno.readLinkSync("/proc/self"));
  if (hasOwnNetwork) raiseLoopback();
  const made = mountMachine(mounts);
  ignoreChildren();
  const ready = JSON.stringify({ pid, made } satisfies MachineReady);
  await write(new TextEncoder().encode(`${ready}\n`));
  while (await reader.readSome(1) !== undefined);
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await Deno.stdout.write(bytes.subarray(at));
  }
}
