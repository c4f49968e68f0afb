// The process group of a command: lists and kills the command's children that have
// not left the group.

import process from "node:process";
import { guardGroup, TERM_GRACE_MS, unguardGroup } from "./cleanup_guard.ts";

const FIRST_POLL_MS = 2;
const MAX_POLL_MS = 50;
const FIRST_LIST_MS = 100;
/** How long a process may take to exit after SIGKILL, in milliseconds. */
const KILL_GRACE_MS = 1_000;

// Prints the processes of a group, `PID COMMAND LINE` each, without zombies. Uses
// /proc if it exists: a small container has no ps.
const LIST = `
group=$1
if [ -r /proc/self/stat ]; then
  for directory in /proc/[0-9]*; do
    read -r line 2>/dev/null <"$directory/stat" || continue
    set -- \${line##*) }
    [ "$3" = "$group" ] && [ "$1" != Z ] || continue
    pid=\${directory#/proc/}
    echo "$pid $(tr '\\0' ' ' <"$directory/cmdline" 2>/dev/null)"
  done
else
  ps -A -o pgid= -o stat= -o pid= -o args= | while read -r pgid stat rest; do
    case $stat in Z*) continue ;; esac
    [ "$pgid" = "$group" ] && echo "$rest"
  done
fi
`;

/** A process of a group. */
export interface GroupMember {
  /** Its process id. */
  pid: number;
  /** Its command line. */
  command: string;
}

/** A process group, which is killed at the latest when this process exits. */
export class ProcessGroup {
  readonly #pid: number;
  #isReleased = false;
  #ended: Promise<void> | undefined;

  /**
   * Guards a group: if this process dies, the group is killed.
   *
   * @param pid The process that leads it, spawned with `detached`.
   * @throws {Error} When there is no `/bin/sh`, or it may not be run.
   */
  constructor(pid: number) {
    this.#pid = pid;
    guardGroup(pid);
  }

  /**
   * Returns the processes that are still running in the group. Must be called when
   * its leader has exited: if none is left, the group is released.
   */
  async members(): Promise<GroupMember[]> {
    const members = this.exists() ? await listed(this.#pid) : [];
    if (members.length === 0) await this.#release();
    return members;
  }

  /**
   * Kills all processes of the group: with SIGTERM, and with SIGKILL
   * {@linkcode TERM_GRACE_MS} later. Resolves when they have exited.
   */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    if (this.#isReleased) return;
    if (Deno.build.os === "windows") {
      // Windows has no process groups: the process tree is killed instead.
      await new Deno.Command("taskkill", {
        args: ["/T", "/F", "/PID", String(this.#pid)],
        stdout: "null",
        stderr: "null",
      }).output().catch(() => {});
      return;
    }
    this.#kill("SIGTERM");
    if (!await this.#isGoneWithin(TERM_GRACE_MS)) {
      this.#kill("SIGKILL");
      await this.#isGoneWithin(KILL_GRACE_MS);
    }
    await this.#release();
  }

  async #isGoneWithin(timeoutMs: number): Promise<boolean> {
    const start = performance.now();
    let listAfterMs = FIRST_LIST_MS;
    for (let pollMs = FIRST_POLL_MS; this.exists(); pollMs *= 2) {
      const elapsedMs = performance.now() - start;
      if (elapsedMs > timeoutMs) return false;
      // Where PID 1 does not wait for orphans, a group of zombies stays.
      if (elapsedMs > listAfterMs) {
        if ((await listed(this.#pid)).length === 0) return true;
        listAfterMs *= 2;
      }
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(pollMs, MAX_POLL_MS))
      );
    }
    return true;
  }

  async #release(): Promise<void> {
    // Its number may be another group's by now.
    this.#isReleased = true;
    await unguardGroup(this.#pid);
  }

  /** True while a process is in the group; a zombie counts. */
  exists(): boolean {
    // Windows has no groups.
    if (Deno.build.os === "windows" || this.#isReleased) return false;
    try {
      return process.kill(-this.#pid, 0);
    } catch (error) {
      return (error as { code?: string }).code === "EPERM";
    }
  }

  #kill(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.#pid, signal);
    } catch {
      // It has exited.
    }
  }
}

async function listed(group: number): Promise<GroupMember[]> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", LIST, "baler-list", String(group)],
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trimEnd().split("\n").flatMap(
    (line) => {
      const [, pid, command] = /^\s*(\d+) ?(.*)$/.exec(line) ?? [];
      return pid ? [{ pid: Number(pid), command: command!.trim() }] : [];
    },
  );
}
