// Orphans of a PID namespace. A command's parent is outside of the namespace; when
// that is killed first, the process that adopts the command must collect its exit
// status. Until then the kernel keeps the namespace and its first process, which
// waits for ever under a parent that collects none, such as the first process of
// many containers.

import { becomeSubreaper, reap } from "../../process/system_calls.ts";

/**
 * Adopts orphans, and takes the exit status of those from other PID namespaces.
 * Deno takes those of its own children.
 *
 * @returns What stops it.
 */
export function reapOrphans(): Disposable {
  becomeSubreaper();
  Deno.addSignalListener("SIGCHLD", reapAll);
  return {
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGCHLD", reapAll);
    },
  };
}

function reapAll(): void {
  // Orphans become children of the main thread.
  const list = Deno.readTextFileSync(
    `/proc/self/task/${Deno.pid}/children`,
  );
  for (const word of list.split(" ")) {
    const pid = Number(word);
    if (pid > 0 && isOrphan(pid)) reap(pid);
  }
}

/** Whether a child has exited, and was in a PID namespace within this one. */
function isOrphan(pid: number): boolean {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /^State:\tZ/m.test(status) &&
      /^NSpid:\t\d+\t\d+/m.test(status);
  } catch {
    // It is gone already.
    return false;
  }
}
