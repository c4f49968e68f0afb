// The post-processor shell-local runs scripts on this machine when the artifact
// is there, and passes the artifact on.

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
  /** The configuration that it takes. */
  readonly options: typeof localShellOptions = localShellOptions;
  #shell!: LocalShell;

  /** Takes the scripts. */
  async configure(
    { config, build }: PrepareOptions<LocalShellConfig>,
  ): Promise<void> {
    const { execute_command } = config;
    // A lone text is a command line, as it was when this was all that it took.
    this.#shell = await LocalShell.of(
      execute_command?.length === 1
        ? { ...config, execute_command: ["sh", "-c", ...execute_command] }
        : config,
      build,
    );
  }

  /** Runs the scripts; the artifact stays, since it is the one that is passed on. */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    await this.#shell.run({ ui, data, signal });
    return { artifact, keep: true, mustKeep: true };
  }
}

if (import.meta.main) servePostProcessor(new ShellLocalPostProcessor());
