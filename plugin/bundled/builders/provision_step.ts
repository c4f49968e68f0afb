// The step of a builder in which the provisioners run, and what follows when one
// of them fails. It is the same for every builder with a machine.

import type { OnError } from "../../contract/build_context.ts";
import {
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type HookOptions,
} from "../../contract/hook.ts";
import { askOnError } from "../../builder/ask_on_error.ts";
import type { BuilderRunOptions } from "../../contract/builder.ts";

/** The arguments of {@linkcode provision}. */
export interface ProvisionStepOptions
  extends BuilderRunOptions, Pick<HookOptions, "communicator" | "data"> {
  /** `-on-error`: what to do when a provisioner fails. */
  onError: OnError;
}

/**
 * Runs the provisioners; after a failure, unless `-on-error` says otherwise, the
 * error-cleanup provisioner.
 *
 * @param options The hook and its arguments.
 * @throws {Error} When a provisioner failed; the signal's reason when it is aborted.
 */
export async function provision(
  { ui, hook, signal, onError, ...machine }: ProvisionStepOptions,
): Promise<void> {
  for (;;) {
    try {
      await hook.run({ name: HOOK_PROVISION, ui, signal, ...machine });
      signal.throwIfAborted();
      return;
    } catch (error) {
      signal.throwIfAborted();
      const choice = onError === "ask"
        ? await askOnError("StepProvision", error, ui)
        : onError;
      if (choice === "retry") continue;
      if (choice === "abort") {
        if (onError !== "ask") await reportAborted(ui, error, "StepProvision");
        await ui.error('aborted: skipping cleanup of step "StepConnect"');
        throw error;
      }
      await ui.say(
        "Provisioning step had errors: Running the cleanup provisioner, if present...",
      );
      try {
        // Without the signal: a cancelled build is cleaned up, too.
        await hook.run({ name: HOOK_CLEANUP_PROVISION, ui, ...machine });
      } catch (cleanupError) {
        throw new Error(
          `Cleanup failed: ${(cleanupError as Error).message}. ` +
            `Original Provisioning error: ${(error as Error).message}`,
          { cause: error },
        );
      }
      if (choice === "run-cleanup-provisioner") {
        await reportAborted(ui, error, "StepConnect");
      }
      throw error;
    }
  }
}

// Packer's names of the steps, for programs that search its output.
async function reportAborted(
  ui: BuilderRunOptions["ui"],
  error: unknown,
  step: string,
): Promise<void> {
  await ui.error((error as Error).message);
  await ui.error(`Step "${step}" failed, aborting...`);
}
