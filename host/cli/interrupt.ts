// The interrupt: the first Ctrl-C cancels the work, which cleans up. The second
// terminates all processes after a short grace period, in which they delete their
// temporary files; a third kills them at once.

import { killAll, terminateAll } from "../process/child.ts";
import { setSignalHandler } from "./exit_signals.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * How long processes have after the second signal to delete their temporary
 * files, in milliseconds. The exit should take less than half a second.
 */
const FORCE_EXIT_GRACE_MS = 300;

/** Turns the signals that end a program into a cancellation. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #watchdog = new Watchdog();
  readonly #onSecond: (signal: Deno.Signal) => void;
  readonly #onFirst: (signal: Deno.Signal) => void;
  #exitCode: number | undefined;
  #isExiting = false;

  /**
   * @param onFirst Called at the first signal.
   * @param onSecond Called at the second one, before the processes are terminated.
   */
  constructor(
    onFirst: (signal: Deno.Signal) => void,
    onSecond: (signal: Deno.Signal) => void = () => {},
  ) {
    this.#onFirst = onFirst;
    this.#onSecond = onSecond;
    setSignalHandler((signal, exitCode) => this.#receive(signal, exitCode));
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code once the work is cancelled. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /**
   * Starts the thread that terminates all processes at the second signal when the
   * main thread is blocked.
   *
   * @param delayMs How long to wait before, in milliseconds.
   * @returns A promise that resolves when the thread counts signals.
   */
  startWatchdog(delayMs: number): Promise<void> {
    return this.#watchdog.start(delayMs);
  }

  /**
   * Passes the active builds to the watchdog, for its last message.
   *
   * @param names The names of the builds.
   */
  setActive(names: readonly string[]): void {
    this.#watchdog.setActive(names);
  }

  /**
   * Cancels the work for another reason than a signal.
   *
   * @param reason The reason.
   * @param exitCode The exit code of the program from then on.
   */
  cancel(reason: Error, exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#controller.abort(reason);
  }

  /** Restores the default handler of the signals. */
  [Symbol.dispose](): void {
    setSignalHandler();
    this.#watchdog[Symbol.dispose]();
  }

  #receive(signal: Deno.Signal, exitCode: number): void {
    if (this.#isExiting) {
      killAll();
      Deno.exit(exitCode);
    }
    if (this.#exitCode === undefined) {
      this.cancel(new Error(`cancelled by ${signal}`), exitCode);
      this.#onFirst(signal);
      return;
    }
    this.#isExiting = true;
    this.#watchdog.acknowledge();
    this.#onSecond(signal);
    void terminateAll(FORCE_EXIT_GRACE_MS).then(() => Deno.exit(exitCode));
  }
}
