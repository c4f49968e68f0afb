// Process groups: the one place that knows how a process is ended together
// with all that it started, on each platform.

/** Whether the system has process groups, so that one signal reaches a whole tree. */
export const HAS_PROCESS_GROUPS: boolean = Deno.build.os !== "windows";

/** What makes a process the leader of a group of its own, and then becomes it. */
const SETSID = "/usr/bin/setsid";
let hasSetsid: boolean | undefined;

/** A command, and whether it has to be spawned `detached` to lead a group of its own. */
export interface GroupCommand {
  argv: readonly string[];
  detached: boolean;
}

/**
 * The command that starts a process in a group of its own.
 *
 * Spawned `detached`, a process is forked in a way that copies the page tables
 * of this one, which takes milliseconds in which nothing else happens; where
 * there is a setsid(1), which takes the new process's place, it is not.
 *
 * @param argv The command and its arguments.
 */
export function inOwnGroup(argv: readonly string[]): GroupCommand {
  if (!HAS_PROCESS_GROUPS) return { argv, detached: false };
  // What setsid cannot start it would report in words of its own.
  if (!argv[0]?.startsWith("/")) return { argv, detached: true };
  hasSetsid ??= Deno.build.os === "linux" && exists(SETSID);
  return hasSetsid
    ? { argv: [SETSID, ...argv], detached: false }
    : { argv, detached: true };
}

/**
 * Why the process that was to become another could not.
 *
 * @param code The code that it exited with.
 * @param line The last that it wrote.
 * @returns The system's words; undefined where it did become the other.
 */
export function execFailure(
  code: number | null,
  line: string | undefined,
): string | undefined {
  if (!hasSetsid || (code !== 126 && code !== 127)) return undefined;
  return /^setsid: failed to execute .*: ([^:]+)$/.exec(line ?? "")?.[1];
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Sends a signal to a process and all that it started.
 *
 * On Windows, which has no groups and no signals, the process tree is ended,
 * whatever the signal.
 *
 * @param pid The group's leader, started with `detached`.
 * @param signal The signal.
 * @returns Whether there was anyone to receive it.
 */
export function signalGroup(
  pid: number,
  signal: "SIGTERM" | "SIGKILL",
): boolean {
  if (!HAS_PROCESS_GROUPS) {
    return new Deno.Command("taskkill", {
      args: ["/PID", String(pid), "/T", "/F"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  }
  try {
    Deno.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
