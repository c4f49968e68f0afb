// The interrupt: the first Ctrl-C cancels the work so that it can clean up,
// the second ends everything now, a third without a moment for temporary files.

import { killAll, terminateAll } from "../process/child.ts";

/** The signals that end a program, and the exit code that tells of each. */
const EXIT_CODES: Partial<Record<Deno.Signal, number>> = Deno.build.os ===
    "windows"
  ? { SIGINT: 130 }
  : { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** How long what is ended now has to take away what lies about, in milliseconds. */
const FORCE_EXIT_GRACE_MS = 500;

/** Turns the signals that end a program into a cancellation. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners: [Deno.Signal, () => void][] = [];
  #exitCode: number | undefined;
  #isEnding = false;

  /**
   * @param onFirst Called at the first signal.
   * @param onSecond Called at the second, before everything ends.
   */
  constructor(
    onFirst: (signal: Deno.Signal) => void,
    onSecond: () => void = () => {},
  ) {
    for (const [name, code] of Object.entries(EXIT_CODES)) {
      const signal = name as Deno.Signal;
      const listener = () => {
        if (this.#isEnding) {
          killAll();
          Deno.exit(code);
        }
        if (this.#exitCode !== undefined) {
          this.#isEnding = true;
          onSecond();
          void terminateAll(FORCE_EXIT_GRACE_MS).then(() => Deno.exit(code));
          return;
        }
        this.cancel(new Error(`cancelled by ${signal}`), code);
        onFirst(signal);
      };
      Deno.addSignalListener(signal, listener);
      this.#listeners.push([signal, listener]);
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code, once the work is cancelled. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /**
   * Cancels the work for another reason.
   *
   * @param reason Why.
   * @param exitCode What the program then exits with.
   */
  cancel(reason: Error, exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#controller.abort(reason);
  }

  /** Gives the signals back their usual meaning. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  }
}
