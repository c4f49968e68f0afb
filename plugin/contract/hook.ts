// A hook is a moment in a builder's run at which others take part: most of
// all the one at which the provisioners run.

import type { Communicator } from "./communicator.ts";
import type { Ui } from "./ui.ts";

/** The name under which a builder runs the provisioners. */
export const HOOK_PROVISION = "provision";

/** The name under which a builder runs the error-cleanup provisioner after a failure. */
export const HOOK_CLEANUP_PROVISION = "cleanup-provision";

/** What a hook is given. */
export interface HookOptions {
  /** Which moment it is: {@linkcode HOOK_PROVISION} or {@linkcode HOOK_CLEANUP_PROVISION}. */
  name: string;
  /** Where the hook shows what it does. */
  ui: Ui;
  /** The way to the machine that is being built; absent where there is none. */
  communicator?: Communicator;
  /**
   * What the builder publishes to the provisioners, for templates to read as
   * ``{{build `NAME`}}``, for example `{ ID: "i-1234", Host: "10.0.0.5" }`.
   */
  data?: Record<string, unknown>;
  /** Aborted when the build is cancelled. */
  signal?: AbortSignal;
}

/** What a builder calls at the moments of its run at which others take part. */
export interface Hook {
  /**
   * Runs the hook, and returns when all that take part are done.
   *
   * @throws {Error} When one of them failed; the builder then cleans up and
   * lets the error pass.
   */
  run(options: HookOptions): void | Promise<void>;
}
