// Signals whose inherited disposition would break this process.

let isDone = false;

/**
 * Replaces dispositions that a parent may have set and that exec(2) keeps.
 * Called before the first process is spawned.
 *
 * - SIGCHLD, where the parent ignored it: the kernel would discard the exit
 *   status of each child, and waitpid(2) would fail with ECHILD.
 * - SIGXFSZ: a write beyond the limit of `ulimit -f` would kill this process.
 *   With a listener the write fails with EFBIG instead.
 */
export function handleChildSignals(): void {
  if (isDone) return;
  isDone = true;
  if (Deno.build.os === "windows") return;
  for (const signal of ["SIGCHLD", "SIGXFSZ"] as const) {
    try {
      Deno.addSignalListener(signal, () => {});
    } catch {
      // A system without this signal.
    }
  }
}
