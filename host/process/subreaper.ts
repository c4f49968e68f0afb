// The host as a subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)): a process that
// has left its group and its environment, for example by setsid(1) and env(1),
// becomes a child of the host when its parent exits, so that the host can find
// and kill it. Linux only.

import { cString, libc } from "./libc.ts";

/** `PR_SET_CHILD_SUBREAPER` (prctl(2)). */
const SET_CHILD_SUBREAPER = 36;

/** `WNOHANG` (waitpid(2)). */
const NO_HANG = 1;

/** How often the children that killed processes leave behind are looked for and killed in turn. */
const MAX_KILL_ROUNDS = 100;

/** How long adopted processes have to exit after the last plugin, in milliseconds. */
const ADOPTED_EXIT_TIMEOUT_MS = 1_000;

/**
 * The same when a guard of a killed plugin is among them, in milliseconds: the
 * guard kills process groups, and removes temporary files and whole directory
 * trees.
 */
const GUARD_EXIT_TIMEOUT_MS = 30_000;

/** How often their exit is checked for, in milliseconds. */
const ADOPTED_POLL_MS = 20;

/** How much of the list of children is read, in bytes. */
const MAX_LIST_BYTES = 1024 * 1024;

let isSubreaper = false;

/** The processes that this host has spawned itself; Deno waits for them. */
const spawned = new Set<number>();

/**
 * Makes this process the parent of all orphans among its descendants. Only for
 * a program that passes all its children to {@linkcode noteSpawned}: the others
 * are killed.
 */
export function becomeSubreaper(): void {
  if (isSubreaper) return;
  const c = libc();
  if (c === null || c.prctl(SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0) return;
  isSubreaper = true;
}

/**
 * Notes a process that this host has spawned, and waits for.
 *
 * @param pid The process.
 */
export function noteSpawned(pid: number): void {
  spawned.add(pid);
}

/**
 * Notes that Deno has waited for a process.
 *
 * @param pid The process.
 */
export function noteWaited(pid: number): void {
  spawned.delete(pid);
}

/**
 * Waits for all adopted processes to exit, and kills those that do not in time.
 * A guard that cleans up after a killed plugin gets more time.
 */
export async function endAdopted(): Promise<void> {
  if (!isSubreaper) return;
  const begin = performance.now();
  for (;;) {
    reapAdopted();
    const left = adopted();
    if (left.length === 0) return;
    const timeout = left.some(isGuard)
      ? GUARD_EXIT_TIMEOUT_MS
      : ADOPTED_EXIT_TIMEOUT_MS;
    if (performance.now() - begin >= timeout) return killAdopted();
    await new Promise((resolve) => setTimeout(resolve, ADOPTED_POLL_MS));
  }
}

/** Whether a process is a guard (plugin/process/cleanup_guard.ts). */
function isGuard(pid: number): boolean {
  return readSmallFile(`/proc/${pid}/cmdline`).includes("\0baler-guard\0");
}

/** Waits for adopted processes that have exited, so that none stays a zombie. */
export function reapAdopted(): void {
  if (!isSubreaper) return;
  for (const pid of adopted()) libc()!.waitpid(pid, null, NO_HANG);
}

/** Kills all adopted processes. */
export function killAdopted(): void {
  if (!isSubreaper) return;
  for (let round = 0; round < MAX_KILL_ROUNDS; round++) {
    const pids = adopted();
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has exited, or belongs to another user.
      }
      // The children of a killed process become children of this one.
      libc()!.waitpid(pid, null, NO_HANG);
    }
  }
}

/** Returns the children of this process that it has not spawned. */
function adopted(): number[] {
  // Orphans become children of the main thread.
  const list = readSmallFile(`/proc/self/task/${Deno.pid}/children`);
  return list.split(" ").map(Number).filter((pid) =>
    pid > 0 && !spawned.has(pid)
  );
}

/** Reads a file in /proc, which Deno's own functions may open only with all permissions. */
function readSmallFile(path: string): string {
  const c = libc()!;
  const descriptor = c.open(cString(path), 0);
  if (descriptor === -1) return "";
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(64 * 1024);
  while (text.length < MAX_LIST_BYTES) {
    const count = Number(c.read(descriptor, buffer, buffer.length));
    if (count <= 0) break;
    text += decoder.decode(buffer.subarray(0, count));
  }
  c.close(descriptor);
  return text;
}
