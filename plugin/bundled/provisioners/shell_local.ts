// The provisioner shell-local runs scripts on this machine, while the one that
// is being built is up.

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
  /** The configuration that it takes. */
  readonly options: typeof localShellOptions = localShellOptions;
  #shell!: LocalShell;

  /** Takes the scripts. */
  async prepare(
    { config, build }: PrepareOptions<LocalShellConfig>,
  ): Promise<void> {
    this.#shell = await LocalShell.of(config, build);
  }

  /** Runs the scripts. */
  async provision({ ui, data, signal }: ProvisionOptions): Promise<void> {
    await this.#shell.run({ ui, data, signal });
  }
}

if (import.meta.main) serveProvisioner(new ShellLocalProvisioner());
