// The host's ui as a plugin of Packer's gets it: its calls are answered at once, since Go waits for each answer
// before it goes on. The host shows lines in the order in which they were sent.

import type { Progress, Ui } from "../../plugin/contract/ui.ts";

/** How many calls may be in flight before one waits for the host. */
const MAX_IN_FLIGHT = 256;

/** A ui whose calls do not wait for the host, unless many are in flight. */
export class PromptUi implements Ui {
  readonly #ui: Ui;
  #inFlight = 0;

  /**
   * @param ui The host's.
   */
  constructor(ui: Ui) {
    this.#ui = ui;
  }

  /** Announces a step of the build. */
  say(line: string): void | Promise<void> {
    return this.#send(this.#ui.say(line));
  }

  /** Shows a detail of the current step. */
  message(line: string): void | Promise<void> {
    return this.#send(this.#ui.message(line));
  }

  /** Shows what went wrong. */
  error(line: string): void | Promise<void> {
    return this.#send(this.#ui.error(line));
  }

  /** Says something to a program that reads the machine-readable output. */
  machine(category: string, ...data: string[]): void | Promise<void> {
    return this.#send(this.#ui.machine(category, ...data));
  }

  /** Asks a question and waits for a line of input. */
  ask(query: string): string | Promise<string> {
    return this.#ui.ask(query);
  }

  /** Reports how far a piece of long work has come. */
  progress(progress: Progress): void | Promise<void> {
    return this.#send(this.#ui.progress(progress));
  }

  #send(call: void | Promise<void>): void | Promise<void> {
    this.#inFlight++;
    const answered = Promise.resolve(call)
      // A ui that fails is the host's: it ends the work in another way.
      .catch(() => {})
      .finally(() => this.#inFlight--);
    if (this.#inFlight >= MAX_IN_FLIGHT) return answered;
  }
}
