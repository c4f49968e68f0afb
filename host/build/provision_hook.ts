// The provision hook: runs the provisioners of a build, one after the other, when
// its builder calls it.

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
import {
  SizeCounter,
  type WrittenSize,
} from "../../plugin/rpc/written_size.ts";
import { errorMessage } from "../errors/error_message.ts";
import { Semaphore } from "./semaphore.ts";

/** How many runs of the hook of one build may be active at a time. */
const CONCURRENT_RUNS = 16;

/**
 * The most that a builder may publish, in values, and in characters and bytes:
 * it is kept until the build ends, and sent to each of its components.
 */
const MAX_DATA_VALUES = 100_000;
const MAX_DATA_LENGTH = 16 * 1024 * 1024;

/** A provisioner that is ready to run. */
export interface ProvisionStep {
  /** Its `type` in the template. */
  name: string;
  component: Provisioner;
  /** How long to wait before it runs, in milliseconds. */
  pauseBefore: number;
  /** How often it is retried when it fails. */
  maxRetries: number;
  /** How long it may take, in milliseconds; 0 for no limit. */
  timeout: number;
}

/** The options of a provision hook. */
export interface ProvisionHookOptions {
  /** Shows its output, unless the builder passes a ui. */
  ui: Ui;
  /** Whether to ask before each provisioner. */
  debug: boolean;
  /** The provisioners, in their order. */
  steps: readonly ProvisionStep[];
  /** The provisioner that runs after a failure. */
  cleanup?: ProvisionStep | undefined;
  /** Aborted when the build is cancelled. */
  signal: AbortSignal;
}

/** Runs the provisioners of a build. */
export class ProvisionHook {
  readonly #options: ProvisionHookOptions;
  readonly #semaphore = new Semaphore(CONCURRENT_RUNS);
  readonly #published = new PublishedData();
  #hasFailed = false;
  #hasCleanedUp = false;

  constructor(options: ProvisionHookOptions) {
    this.#options = options;
  }

  /** The hook for the builder: only the methods of the interface. */
  get forPlugins(): Hook {
    return new PluginHook(this);
  }

  /** The data that the builder has published. */
  get data(): Record<string, unknown> {
    return this.#published.data;
  }

  /** Whether a provisioner has failed and the cleanup provisioner has not run since. */
  get lacksCleanup(): boolean {
    return this.#options.cleanup !== undefined && this.#hasFailed &&
      !this.#hasCleanedUp && !this.#options.signal.aborted;
  }

  /**
   * Runs the provisioners, or the cleanup provisioner.
   *
   * @throws {Error} When one of them failed for good.
   * @throws {TypeError} When the options do not match the interface.
   */
  async run(options: HookOptions): Promise<void> {
    checkOptions(options);
    this.#published.add(options.data);
    await this.#semaphore.run(() => this.#run(options));
  }

  async #run(options: HookOptions): Promise<void> {
    const { steps, cleanup, signal } = this.#options;
    if (options.name === HOOK_PROVISION) {
      try {
        for (const step of steps) await this.#provision(step, options, signal);
      } catch (error) {
        this.#hasFailed = true;
        throw error;
      }
    } else if (options.name === HOOK_CLEANUP_PROVISION) {
      this.#hasCleanedUp = true;
      // Not the signal of the build: a cancelled build may still clean up.
      const unaborted = new AbortController().signal;
      if (cleanup !== undefined) {
        await this.#provision(cleanup, options, unaborted);
      }
    }
  }

  async #provision(
    step: ProvisionStep,
    options: HookOptions,
    cancelled: AbortSignal,
  ): Promise<void> {
    const ui = options.ui ?? this.#options.ui;
    const signal = isAbsent(options.signal)
      ? cancelled
      : AbortSignal.any([options.signal, cancelled]);
    await this.#pauseBefore(step, ui, signal);
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

  async #pauseBefore(
    { name, pauseBefore }: ProvisionStep,
    ui: Ui,
    signal: AbortSignal,
  ): Promise<void> {
    if (pauseBefore !== 0) {
      const pause = goDuration(pauseBefore);
      await ui.say(`Pausing ${pause} before the next provisioner...`);
      await delay(pauseBefore, signal);
    }
    if (!this.#options.debug) return;
    try {
      await ui.ask(
        `Pausing before the next provisioner (${name}). Press enter to continue.`,
      );
    } catch {
      // Without a terminal the build continues at once.
      if (signal.aborted) throw signal.reason;
    }
  }

  async #try(
    step: ProvisionStep,
    options: HookOptions,
    ui: Ui,
    cancelled: AbortSignal,
  ): Promise<void> {
    const timeout = step.timeout === 0
      ? undefined
      : await startTimeout(step, ui);
    try {
      await step.component.provision({
        ui,
        communicator: options.communicator,
        data: this.#published.data,
        signal: timeout === undefined
          ? cancelled
          : AbortSignal.any([cancelled, timeout.signal]),
      });
    } finally {
      timeout?.stop();
    }
  }
}

/** What a builder has published, for as long as its build runs. */
class PublishedData {
  #data: Record<string, unknown> = {};
  readonly #sizes = new Map<string, WrittenSize>();

  /** By key, what was published last. */
  get data(): Record<string, unknown> {
    return this.#data;
  }

  /**
   * Adds to it, or replaces what is there.
   *
   * @param data What is published.
   * @throws {RangeError} When it would be too much. Nothing is added then.
   */
  add(data: Record<string, unknown> | null | undefined): void {
    if (isAbsent(data)) return;
    const added = Object.entries(data);
    if (added.length === 0) return;
    const counter = new SizeCounter();
    const sizes = new Map(this.#sizes);
    for (const [key, value] of added) {
      const { values, length } = counter.sizeOf(value);
      sizes.set(key, { values, length: length + key.length });
    }
    let values = 0;
    let length = 0;
    for (const size of sizes.values()) {
      values += size.values;
      length += size.length;
    }
    if (values > MAX_DATA_VALUES || length > MAX_DATA_LENGTH) {
      throw new RangeError(
        `a builder can publish at most ${MAX_DATA_VALUES} values and ${MAX_DATA_LENGTH} characters by hook.run()`,
      );
    }
    this.#data = { ...this.#data, ...data };
    for (const [key, size] of sizes) this.#sizes.set(key, size);
  }
}

/** The hook as plugins call it. */
class PluginHook implements Hook {
  readonly #hook: ProvisionHook;

  constructor(hook: ProvisionHook) {
    this.#hook = hook;
  }

  run(options: HookOptions): Promise<void> {
    return this.#hook.run(options);
  }
}

async function startTimeout(
  { name, timeout }: ProvisionStep,
  ui: Ui,
): Promise<{ signal: AbortSignal; stop: () => void }> {
  const duration = goDuration(timeout);
  await ui.say(`Setting a ${duration} timeout for the next provisioner...`);
  const controller = new AbortController();
  const announce = async () => {
    await ui.error("Cancelling provisioner after a timeout...");
  };
  const stop = setLongTimeout(timeout, () => {
    // A ui that the builder passed may never answer.
    announce().catch(() => {});
    controller.abort(
      new DOMException(
        `the provisioner ${name} took longer than its timeout of ${duration}`,
        "TimeoutError",
      ),
    );
  });
  return { signal: controller.signal, stop };
}

/** Checks the options that a plugin sent. */
function checkOptions(options: HookOptions): void {
  const { name, ui, data, signal } = options ?? {};
  if (typeof name !== "string") {
    throw new TypeError("hook.run(): `name` must be a string");
  }
  if (!isAbsent(data) && (typeof data !== "object" || Array.isArray(data))) {
    throw new TypeError("hook.run(): `data` must be an object");
  }
  if (!isAbsent(signal) && !(signal instanceof AbortSignal)) {
    throw new TypeError("hook.run(): `signal` must be an AbortSignal");
  }
  if (!isAbsent(ui) && typeof ui.say !== "function") {
    throw new TypeError("hook.run(): `ui` must have the methods of a ui");
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
