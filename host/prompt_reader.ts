// What a plugin answers promptly is read on the spot: to sleep until it comes,
// and to be woken for it, takes several times as long as such an answer.

import { type CLibrary, cLibrary, cPath, openPipeOf } from "./c_library.ts";

/** How long an answer is looked for, in milliseconds: what sleeping would take. */
const PROMPT = 0.05;

/** How often it is not looked for at the most, since none was prompt of late. */
const WARIEST = 1024;

/** Among how many of this process's descriptors its own end of a pipe is looked for. */
const MOST_DESCRIPTORS = 1024;

/** Reads the stdout of a child on the spot, beside whoever waits for it. */
export class PromptReader {
  readonly #pid: number;
  /** The pipe, open once more; null where it cannot be. */
  #descriptor: number | null | undefined;
  /** How often it is not looked for when the next is not prompt; twice as often each time. */
  #wary = 1;
  #skipped = 0;

  /**
   * @param pid The child.
   */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /**
   * Reads what comes promptly. Nobody else may be waiting for it.
   *
   * @param buffer Where it goes.
   * @returns How many bytes came; 0 where none did, which may be the end.
   */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    if (this.#skipped > 0) {
      this.#skipped--;
      return 0;
    }
    const c = cLibrary();
    if (this.#descriptor === undefined) {
      this.#descriptor = c && openOurs(c, this.#pid);
    }
    const descriptor = this.#descriptor;
    if (c === null || descriptor === null) return 0;
    const end = performance.now() + PROMPT;
    do {
      const count = Number(c.read(descriptor, buffer, buffer.length));
      if (count > 0) {
        this.#wary = 1;
        return count;
      }
    } while (performance.now() < end);
    this.#skipped = this.#wary;
    this.#wary = Math.min(2 * this.#wary, WARIEST);
    return 0;
  }

  /** Takes that it is used no longer. */
  close(): void {
    if (typeof this.#descriptor === "number") {
      cLibrary()!.close(this.#descriptor);
    }
    this.#descriptor = null;
  }
}

/** Opens a child's stdout; null where that is no pipe from it to this process. */
function openOurs(c: CLibrary, pid: number): number | null {
  const opened = openPipeOf(c, pid, 1);
  if (opened === -1) return null;
  const target = targetOf(c, opened);
  if (target?.startsWith("pipe:")) {
    for (let other = 0; other < MOST_DESCRIPTORS; other++) {
      if (other !== opened && targetOf(c, other) === target) return opened;
    }
  }
  c.close(opened);
  return null;
}

/** What a descriptor of this process is open on. */
function targetOf(c: CLibrary, descriptor: number): string | undefined {
  const name = new Uint8Array(64);
  const path = cPath(`/proc/self/fd/${descriptor}`);
  const length = Number(c.readlink(path, name, name.length));
  return length === -1
    ? undefined
    : new TextDecoder().decode(name.subarray(0, length));
}
