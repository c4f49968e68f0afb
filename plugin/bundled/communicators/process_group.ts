// A leash holds a process group: all that a command started ends with it, at
// the latest when this process ends, in whatever way it ends.

/**
 * What the leash runs: it waits at the end of a pipe whose other end is here.
 * A line says that the command has ended, and it goes away if nothing else is
 * left of the group; the end of the pipe is the end of the group, and of
 * the file that was made for it.
 */
const SCRIPT = `
trap '' HUP INT TERM
kill_group() { kill -"$1" "-$group" 2>/dev/null; }
group=$1
if read -r line; then
  kill_group 0 || exit 0
  echo left
  read -r line
fi
[ -z "$2" ] || trap 'rm -f -- "$2"' EXIT
kill_group TERM || exit 0
for try in 1 2 3 4 5 6 7 8 9 10; do
  kill_group 0 || exit 0
  sleep 0.2
done
kill_group KILL
`;

/** Holds the process group of one command. */
export class ProcessGroupGuard {
  readonly #pid: number;
  readonly #child: Deno.ChildProcess | undefined;
  readonly #hand: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #settled: Promise<boolean> | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Takes hold of a group.
   *
   * @param pid The process that leads it: one that was spawned `detached`.
   * @param file A file that was made for it. Who made it deletes it when the command
   * has ended; the leash does where they no longer can.
   * @throws {Error} When there is no `/bin/sh`, or it may not be run.
   */
  constructor(pid: number, file = "") {
    this.#pid = pid;
    // Windows has no groups; there the tree of processes is ended instead.
    if (Deno.build.os === "windows") return;
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT, "leash", String(pid), file],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      detached: true,
    }).spawn();
    this.#hand = this.#child.stdin.getWriter();
    // A leash that someone has killed is no fault of the command's.
    this.#hand.closed.catch(() => {});
  }

  /**
   * To be called when the command has ended: lets go, unless it left something
   * running.
   *
   * @returns True when something is still running.
   */
  settle(): Promise<boolean> {
    return this.#settled ??= this.#settle();
  }

  async #settle(): Promise<boolean> {
    if (!this.#child) return false;
    await this.#hand!.write(new TextEncoder().encode("ended\n"))
      .catch(() => {});
    const reader = this.#child.stdout.getReader();
    const left = (await reader.read()).value !== undefined;
    await reader.cancel();
    // What is left does not keep this process, and the leash stays at its end.
    if (left) this.#child.unref();
    else await this.end();
    return left;
  }

  /**
   * Ends all that is in the group: asks first, then insists, two seconds
   * later. Returns when it is gone.
   */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    if (!this.#child) {
      await new Deno.Command("taskkill", {
        args: ["/T", "/F", "/PID", String(this.#pid)],
        stdout: "null",
        stderr: "null",
      }).output().catch(() => {});
      return;
    }
    this.#child.ref();
    await this.#hand!.close().catch(() => {});
    if (!this.#child.stdout.locked) await this.#child.stdout.cancel();
    await this.#child.status;
  }
}
