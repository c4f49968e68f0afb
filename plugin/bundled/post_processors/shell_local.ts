// The post-processor shell-local runs scripts on this machine after the build,
// and passes the artifact on.

import type { PrepareOptions } from "../../contract/builder.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { servePostProcessor } from "../../sdk/serve.ts";
import {
  LocalShell,
  type LocalShellConfig,
  localShellOptions,
} from "../shell/local_shell.ts";

/** Runs scripts on this machine. */
export default class ShellLocalPostProcessor
  implements PostProcessor<LocalShellConfig> {
  /** Its options. */
  readonly options: typeof localShellOptions = localShellOptions;
  #shell!: LocalShell;

  /** Checks the configuration and the scripts that it names. */
  async configure(
    { config, build }: PrepareOptions<LocalShellConfig>,
  ): Promise<void> {
    const { execute_command } = config;
    // A single string is a command line, as in versions of Packer that took no list.
    this.#shell = await LocalShell.create(
      execute_command?.length === 1
        ? { ...config, execute_command: ["sh", "-c", ...execute_command] }
        : config,
      build,
    );
  }

  /** Runs the scripts; the artifact must be kept, since it is passed on. */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    await this.#shell.run({ ui, data, signal });
    return { artifact, keep: true, mustKeep: true };
  }
}

if (import.meta.main) servePostProcessor(new ShellLocalPostProcessor());
