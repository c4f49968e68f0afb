// What a plugin's own executable does when it is started again in namespaces: it
// unpacks a tree, packs it, or is the first process of a machine. The first line
// of its stdin says what; archives go through its stdin and stdout.

import { ByteReader } from "../trees/byte_reader.ts";
import { pack, type Snapshot, snapshot } from "../trees/pack.ts";
import { Unpacker } from "../trees/unpack.ts";
import type { InsideTask, MachineReady, Unpacked } from "./inside_command.ts";
import {
  chroot,
  ignoreChildren,
  raiseLoopback,
} from "../../process/system_calls.ts";
import { mountMachine } from "./mounts.ts";

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

/** How much of an archive is written at a time, in bytes: most files are small. */
const BATCH_BYTES = 256 * 1024;

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
          throw new Error("the input ends early: its sender has failed");
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
  const batch = new Uint8Array(BATCH_BYTES);
  let filled = 0;
  const options = { before, isDifference, maxTime: maxTime ?? undefined };
  for (const chunk of pack(options)) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + BATCH_BYTES - filled);
      batch.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < BATCH_BYTES) continue;
      await write(batch);
      filled = 0;
    }
  }
  await write(batch.subarray(0, filled));
}

/** Removes what was made to mount something at, unless the image uses it by now. */
function removeIfEmpty(path: string): void {
  try {
    const { isFile, size } = Deno.lstatSync(path);
    if (!isFile || size === 0) Deno.removeSync(path);
  } catch { /* It is not empty, or does not exist any more. */ }
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
