// Provisioner: installs and configures what is being built, through the
// builder's communicator.

import type { PrepareOptions, PrepareResult } from "./builder.ts";
import type { Communicator } from "./communicator.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** The argument of {@linkcode Provisioner.provision}. */
export interface ProvisionOptions {
  /** Shows what the provisioner does. */
  ui: Ui;
  /** The connection to the machine; undefined when the builder has none. */
  communicator?: Communicator;
  /** The values that the builder has published, for ``{{build `NAME`}}``. */
  data: Record<string, unknown>;
  /**
   * Aborted when the build is cancelled, when the provisioner's `timeout` has
   * passed, and when the host has died: stop, clean up, and throw its reason.
   */
  signal: AbortSignal;
}

/** Configures a machine that is being built. One instance serves one build. */
export interface Provisioner<Config = Record<string, unknown>> {
  /** The options of its configuration; without them every key is accepted. */
  readonly options?: Options;
  /**
   * Checks and stores the configuration, without side effects.
   *
   * @param options The configuration and the build.
   * @returns Warnings, or nothing.
   * @throws {ConfigError} With the path of each problem in the configuration.
   * @throws {Error} When the configuration is not valid otherwise.
   */
  prepare(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Provisions the machine.
   *
   * @param options The ui, the communicator and the signal.
   * @throws {Error} When it failed; the build then fails.
   */
  provision(options: ProvisionOptions): void | Promise<void>;
}
