// The step of a builder in which the provisioners run, with the error-cleanup
// provisioner after a failure.

import type { Communicator } from "../contract/communicator.ts";
import {
  type Hook,
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
} from "../contract/hook.ts";
import type { Step } from "./steps.ts";

/** What {@linkcode provisionStep} needs. */
export interface ProvisionOptions<State> {
  /** The hook that the builder's `run` was given. */
  hook: Hook;
  /** The way to the machine, once the steps before have made it; none unless given. */
  communicator?: (state: State) => Communicator | undefined;
  /** What is published to provisioners, for ``{{build `NAME`}}``; nothing unless given. */
  data?: (
    state: State,
  ) => Record<string, unknown> | Promise<Record<string, unknown>>;
}

/**
 * The step that runs the provisioners.
 *
 * When one fails, the error-cleanup provisioner runs as `-on-error` says: not
 * with `abort`, otherwise before the steps are cleaned up; with
 * `run-cleanup-provisioner` it is the only thing that runs.
 *
 * @param options The hook, and what it is run with.
 * @returns A step for {@linkcode runSteps}.
 */
export function provisionStep<State>(
  { hook, communicator, data }: ProvisionOptions<State>,
): Step<State> {
  let failure: unknown;
  const options = async (state: State) => {
    const machine = communicator?.(state);
    const published = await data?.(state);
    return {
      ...(machine === undefined ? {} : { communicator: machine }),
      ...(published === undefined ? {} : { data: published }),
    };
  };
  return {
    name: "StepProvision",
    isErrorCleanup: true,
    async run(state, { ui, signal }) {
      failure = undefined;
      try {
        await hook.run({
          name: HOOK_PROVISION,
          ui,
          signal,
          ...await options(state),
        });
        signal.throwIfAborted();
      } catch (error) {
        // A cancelled build has no error to clean up after.
        if (!signal.aborted) failure = error;
        throw error;
      }
    },
    async cleanup(state, ui) {
      if (failure === undefined) return;
      await ui.say(
        "Provisioning step had errors: Running the cleanup provisioner, if present...",
      );
      // Without a signal: what cancels the build does not cancel this.
      await hook.run({
        name: HOOK_CLEANUP_PROVISION,
        ui,
        ...await options(state),
      });
    },
  };
}
