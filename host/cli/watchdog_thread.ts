// The program of the watchdog's thread.

/** A message from the main thread to the watchdog; absent parts do not change. */
export interface WatchdogMessage {
  /** Not 0 when the main thread handles the second signal. */
  acknowledged?: Int32Array<SharedArrayBuffer>;
  /** The process ids of the leaders of all groups; 0 in a free slot. */
  groups?: Int32Array<SharedArrayBuffer>;
  /** The process id of the reaper. */
  reaper?: number | undefined;
  /** The names of the active builds. */
  active?: string[];
}

/**
 * Runs in the thread. Its source text is the program of the thread, since a
 * compiled executable does not contain a module that only a Worker imports. It
 * must not use anything that is declared outside of it.
 */
export function watchdogThread(): void {
  /** How long the main thread has to acknowledge the second signal, in milliseconds. */
  const NOTICE_TIMEOUT_MS = 100;
  /** How long it has to exit after the second signal, in milliseconds. */
  const EXIT_TIMEOUT_MS = 450;
  /** The time between SIGTERM and SIGKILL, in milliseconds. */
  const TERM_GRACE_MS = 250;
  const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

  const state: WatchdogMessage = {};
  let signals = 0;

  self.addEventListener("message", (event) => {
    Object.assign(state, (event as MessageEvent<WatchdogMessage>).data);
  });
  for (const [name, exitCode] of Object.entries(EXIT_CODES)) {
    try {
      Deno.addSignalListener(
        name as Deno.Signal,
        () => receive(name, exitCode),
      );
    } catch {
      // A system without this signal.
    }
  }

  (self as unknown as { postMessage(message: string): void })
    .postMessage("ready");

  function receive(signal: string, exitCode: number): void {
    if (++signals !== 2) return;
    setTimeout(() => {
      if (!isAcknowledged()) endAll(signal, exitCode);
    }, NOTICE_TIMEOUT_MS);
    setTimeout(() => {
      if (isAcknowledged()) exit(exitCode);
    }, EXIT_TIMEOUT_MS);
  }

  function isAcknowledged(): boolean {
    return state.acknowledged !== undefined &&
      Atomics.load(state.acknowledged, 0) !== 0;
  }

  function endAll(signal: string, exitCode: number): void {
    const { active = [] } = state;
    const suffix = active.length === 0
      ? ""
      : ` These builds may not have been cleaned up: ${active.join(", ")}.`;
    // An asynchronous write, since stderr may block.
    void Deno.stderr.write(
      new TextEncoder().encode(
        `\nKilled by the second ${signal} while baler was busy.${suffix}\n`,
      ),
    ).catch(() => {});
    signalGroups("SIGTERM");
    // When this process has exited, the reaper kills the processes that have left their group.
    kill(state.reaper, "SIGCONT");
    kill(state.reaper, "SIGUSR1");
    setTimeout(() => {
      signalGroups("SIGKILL");
      exit(exitCode);
    }, TERM_GRACE_MS);
  }

  function signalGroups(signal: "SIGTERM" | "SIGKILL"): void {
    for (const group of state.groups ?? []) if (group > 0) kill(-group, signal);
  }

  function kill(pid: number | undefined, signal: Deno.Signal): void {
    if (pid === undefined) return;
    try {
      Deno.kill(pid, signal);
    } catch {
      // It has exited.
    }
  }

  /** Exits with a code where the C library can be called, and by SIGKILL elsewhere. */
  function exit(exitCode: number): void {
    try {
      Deno.dlopen("libc.so.6", {
        _exit: { parameters: ["i32"], result: "void" },
      }).symbols._exit(exitCode);
    } catch {
      Deno.kill(Deno.pid, "SIGKILL");
    }
  }
}
