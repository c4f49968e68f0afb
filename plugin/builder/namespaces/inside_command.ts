// How a plugin starts its own executable again in namespaces, and what it sends
// it: a task in the first line of its stdin, and archives in frames.

import { fromFileUrl } from "@std/path";
import type { Snapshot } from "../trees/pack.ts";
import type { UnpackOptions } from "../trees/unpack.ts";
import type { MachineMounts } from "./mounts.ts";

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
      fromFileUrl(import.meta.resolve("./main.ts")),
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
