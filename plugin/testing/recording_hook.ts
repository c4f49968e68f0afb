// The hook that a builder under test gets: it runs provisioners that are objects
// of the test, and records each call.

import type { Communicator } from "../contract/communicator.ts";
import {
  type Hook,
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type HookOptions,
} from "../contract/hook.ts";
import type { ProvisionOptions } from "../contract/provisioner.ts";

/** Whatever provisions a machine: a provisioner, or an object of the test. */
export interface Provisions {
  /** Provisions the machine. */
  provision(options: ProvisionOptions): void | Promise<void>;
}

/** One call of a hook. */
export interface HookCall {
  /** The hook's name. */
  readonly name: string;
  /** The values that the builder published. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The connection to the machine; undefined when the builder has none. */
  readonly communicator?: Communicator;
}

/**
 * A hook for tests of builders.
 *
 * @example
 * ```ts
 * import { RecordingHook } from "@baler/baler/testing";
 *
 * const hook = new RecordingHook([{
 *   async provision({ ui, data }) {
 *     await ui.say(`The machine is ${data.ID}`);
 *   },
 * }]);
 * console.log(hook.calls.map(({ name }) => name));
 * ```
 */
export class RecordingHook implements Hook {
  /** The calls, in order. */
  readonly calls: HookCall[] = [];
  readonly #provisioners: readonly Provisions[];
  readonly #cleanup: Provisions | undefined;

  /**
   * Makes a hook.
   *
   * @param provisioners The provisioners, which are already prepared.
   * @param cleanup The error-cleanup provisioner.
   */
  constructor(
    provisioners: readonly Provisions[] = [],
    cleanup?: Provisions,
  ) {
    this.#provisioners = provisioners;
    this.#cleanup = cleanup;
  }

  /**
   * Records the call, and runs the provisioners.
   *
   * @throws {Error} What a provisioner threw.
   */
  async run(
    { name, ui, communicator, data = {}, signal }: HookOptions,
  ): Promise<void> {
    this.calls.push({
      name,
      data,
      ...(communicator === undefined ? {} : { communicator }),
    });
    const provisioners = name === HOOK_PROVISION
      ? this.#provisioners
      : name === HOOK_CLEANUP_PROVISION && this.#cleanup !== undefined
      ? [this.#cleanup]
      : [];
    for (const provisioner of provisioners) {
      signal?.throwIfAborted();
      await provisioner.provision({
        ui,
        data,
        signal: signal ?? new AbortController().signal,
        ...(communicator === undefined ? {} : { communicator }),
      });
    }
  }
}
