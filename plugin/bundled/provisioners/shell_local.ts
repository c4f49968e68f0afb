// The provisioner shell-local runs scripts on this machine while the machine that
// is being built is running.

import type { PrepareOptions } from "../../contract/builder.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import {
  LocalShell,
  type LocalShellConfig,
  localShellOptions,
} from "../shell/local_shell.ts";

/** Runs scripts on this machine. */
export default class ShellLocalProvisioner
  implements Provisioner<LocalShellConfig> {
  /** Its options. */
  readonly options: typeof localShellOptions = localShellOptions;
  #shell!: LocalShell;

  /** Checks the configuration and the scripts that it names. */
  async prepare(
    { config, build }: PrepareOptions<LocalShellConfig>,
  ): Promise<void> {
    this.#shell = await LocalShell.create(config, build);
  }

  /** Runs the scripts. */
  async provision({ ui, data, signal }: ProvisionOptions): Promise<void> {
    await this.#shell.run({ ui, data, signal });
  }
}

if (import.meta.main) serveProvisioner(new ShellLocalProvisioner());
