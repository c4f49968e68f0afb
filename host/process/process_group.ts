// Process groups: starts a process and signals it together with all its
// descendants, on each platform.

/** Whether the system has process groups, so that one signal reaches a whole tree. */
export const HAS_PROCESS_GROUPS: boolean = Deno.build.os !== "windows";

/** The command that starts another one in a session of its own, and so in a process group. */
const SETSID_PATH = "/usr/bin/setsid";
let hasSetsid: boolean | undefined;

/** A command that starts a process in a group of its own. */
export interface GroupCommand {
  /** The command and its arguments. */
  argv: readonly string[];
  /** Whether it has to be spawned with the option `detached`. */
  detached: boolean;
}

/**
 * Returns the command that starts a process in a group of its own.
 *
 * With the option `detached` Deno forks this process in a way that copies its
 * page tables, which blocks it for milliseconds. Where setsid(1) exists, it is
 * spawned instead, without such a fork, and executes the command in its place.
 *
 * @param argv The command and its arguments.
 */
export function inOwnGroup(argv: readonly string[]): GroupCommand {
  if (!HAS_PROCESS_GROUPS) return { argv, detached: false };
  // Where setsid fails to find the command, its error message is not baler's.
  if (!argv[0]?.startsWith("/")) return { argv, detached: true };
  hasSetsid ??= Deno.build.os === "linux" && exists(SETSID_PATH);
  return hasSetsid
    ? { argv: [SETSID_PATH, ...argv], detached: false }
    : { argv, detached: true };
}

/**
 * Returns why setsid(1) could not execute the command.
 *
 * @param code The exit code of the process.
 * @param line The last line that it wrote to stderr.
 * @returns The system's error message; undefined where the command was executed.
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
 * Sends a signal to a process and all that it has started.
 *
 * Windows has no process groups and no signals: there the process tree is
 * killed, whatever the signal.
 *
 * @param pid The process id of the group's leader.
 * @param signal The signal.
 * @returns Whether a process received it.
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
