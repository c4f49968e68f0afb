// The provision hook: runs a build's provisioners, one after the other, at
// the moment at which its builder has a machine for them.

import { goDuration } from "../../plugin/common/duration.ts";
import {
  type Hook,
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type HookOptions,
} from "../../plugin/contract/hook.ts";
import { delay } from "../../plugin/common/delay.ts";
import type { Provisioner } from "../../plugin/contract/provisioner.ts";
import { setLongTimeout } from "../../plugin/common/long_timeout.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { errorMessage } from "../errors/error_message.ts";

/** A provisioner that is ready to run. */
export interface ProvisionStep {
  /** Its `type` in the template. */
  name: string;
  component: Provisioner;
  /** How long to wait before it, in milliseconds. */
  pauseBefore: number;
  /** How often it is tried again when it fails. */
  maxRetries: number;
  /** How long it may take, in milliseconds; 0 for as long as it takes. */
  timeout: number;
}

/** What a provision hook is made of. */
export interface ProvisionHookOptions {
  /** Where it shows what it does, when the builder gives no ui. */
  ui: Ui;
  /** True to ask before each provisioner. */
  debug: boolean;
  /** The provisioners, in their order. */
  steps: readonly ProvisionStep[];
  /** The one that runs when a step failed. */
  cleanup?: ProvisionStep;
  /** Aborted when the build is cancelled. */
  signal: AbortSignal;
}

/** Runs a build's provisioners. */
export class ProvisionHook implements Hook {
  readonly #options: ProvisionHookOptions;
  #data: Record<string, unknown> = {};

  constructor(options: ProvisionHookOptions) {
    this.#options = options;
  }

  /** What the builder has published so far; the host's own business. */
  get data(): Record<string, unknown> {
    return this.#data;
  }

  /**
   * Runs the provisioners, or the cleanup provisioner.
   *
   * @throws {Error} When one of them failed for good.
   */
  async run(options: HookOptions): Promise<void> {
    const { steps, cleanup } = this.#options;
    this.#data = { ...this.#data, ...options.data };
    if (options.name === HOOK_PROVISION) {
      const { signal } = this.#options;
      for (const step of steps) await this.#provision(step, options, signal);
    } else if (options.name === HOOK_CLEANUP_PROVISION) {
      // A build that is cancelled is given the time to clean up.
      const signal = new AbortController().signal;
      if (cleanup !== undefined) {
        await this.#provision(cleanup, options, signal);
      }
    }
  }

  async #provision(
    step: ProvisionStep,
    options: HookOptions,
    cancelled: AbortSignal,
  ): Promise<void> {
    const ui = options.ui ?? this.#options.ui;
    const signal = options.signal === undefined
      ? cancelled
      : AbortSignal.any([options.signal, cancelled]);
    if (step.pauseBefore !== 0) {
      await ui.say(
        `Pausing ${
          goDuration(step.pauseBefore)
        } before the next provisioner...`,
      );
      await delay(step.pauseBefore, signal);
    }
    if (this.#options.debug) {
      try {
        await ui.ask(
          `Pausing before the next provisioner (${step.name}). Press enter to continue.`,
        );
      } catch {
        // Where nobody can be asked, nobody is waited for.
        if (signal.aborted) throw signal.reason;
      }
    }
    for (let triesLeft = step.maxRetries;; triesLeft--) {
      try {
        return await this.#try(step, options, ui, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (triesLeft <= 0) {
          if (step.maxRetries > 0) await ui.say("retry limit reached.");
          throw error;
        }
        await ui.say(
          `Provisioner failed with ${
            JSON.stringify(errorMessage(error))
          }, retrying with ${triesLeft} trie(s) left`,
        );
      }
    }
  }

  async #try(
    step: ProvisionStep,
    options: HookOptions,
    ui: Ui,
    cancelled: AbortSignal,
  ): Promise<void> {
    let signal = cancelled;
    let stop = () => {};
    if (step.timeout !== 0) {
      await ui.say(
        `Setting a ${
          goDuration(step.timeout)
        } timeout for the next provisioner...`,
      );
      const late = new AbortController();
      const tell = async () => {
        await ui.error("Cancelling provisioner after a timeout...");
      };
      stop = setLongTimeout(step.timeout, () => {
        // The builder may have a ui of its own, which need not answer.
        tell().catch(() => {});
        late.abort(
          new DOMException(
            `the provisioner ${step.name} took longer than its timeout of ${
              goDuration(step.timeout)
            }`,
            "TimeoutError",
          ),
        );
      });
      signal = AbortSignal.any([cancelled, late.signal]);
    }
    try {
      await step.component.provision({
        ui,
        communicator: options.communicator,
        data: this.#data,
        signal,
      });
    } finally {
      stop();
    }
  }
}
