// Hook: a point in a builder's run at which other components run, first of all
// the provisioners.

import type { Communicator } from "./communicator.ts";
import type { Ui } from "./ui.ts";

/** The name of the hook with which a builder runs the provisioners. */
export const HOOK_PROVISION = "provision";

/** The name of the hook with which a builder runs the error-cleanup provisioner, after a failure. */
export const HOOK_CLEANUP_PROVISION = "cleanup-provision";

/** The argument of {@linkcode Hook.run}. */
export interface HookOptions {
  /** The hook's name: {@linkcode HOOK_PROVISION} or {@linkcode HOOK_CLEANUP_PROVISION}. */
  name: string;
  /** Shows what the components do. */
  ui: Ui;
  /** The connection to the machine; undefined when there is none. */
  communicator?: Communicator;
  /**
   * The values that the builder publishes, which templates read as
   * ``{{build `NAME`}}``, for example `{ ID: "i-1234", Host: "10.0.0.5" }`.
   */
  data?: Record<string, unknown>;
  /** Aborted when the build is cancelled. */
  signal?: AbortSignal;
}

/** Called by a builder at certain points of its run. */
export interface Hook {
  /**
   * Runs the components of the hook.
   *
   * @param options The hook's name, the ui, the communicator and the data.
   * @throws {Error} When one of them failed; the builder then cleans up and
   * throws the error. After the host has died, only a call for
   * {@linkcode HOOK_PROVISION} throws; others do nothing.
   */
  run(options: HookOptions): void | Promise<void>;
}
