// A provisioner installs and configures what is being built, through the
// builder's communicator.

import type { PrepareOptions, PrepareResult } from "./builder.ts";
import type { Communicator } from "./communicator.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** What a provisioner is given to run with. */
export interface ProvisionOptions {
  /** Where the provisioner shows what it does. */
  ui: Ui;
  /** The way to the machine; absent where the builder has none. */
  communicator?: Communicator;
  /** What the builder published, for ``{{build `NAME`}}``. */
  data: Record<string, unknown>;
  /** Aborted when the build is cancelled, or the provisioner's `timeout` is over. */
  signal: AbortSignal;
}

/** Changes a machine that is being built. One instance serves one build. */
export interface Provisioner<Config = Record<string, unknown>> {
  /** The configuration that it takes; any, when it declares none. */
  readonly options?: Options;
  /**
   * Takes the configuration and checks it, with no side effects.
   *
   * @throws {Error} When the configuration cannot be used.
   */
  prepare(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Provisions the machine.
   *
   * @throws {Error} When it failed: the build fails with it.
   */
  provision(options: ProvisionOptions): void | Promise<void>;
}
