// Process groups: the one place that knows how a process is ended together
// with all that it started, on each platform.

import { spawnSync } from "node:child_process";
import process from "node:process";

/** Whether the system has process groups, so that one signal reaches a whole tree. */
export const HAS_PROCESS_GROUPS: boolean = Deno.build.os !== "windows";

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
    const { status } = spawnSync("taskkill", [
      "/PID",
      String(pid),
      "/T",
      "/F",
    ], { stdio: "ignore", windowsHide: true });
    return status === 0;
  }
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
