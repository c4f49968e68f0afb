// One build: a builder, the provisioners that run on its machine, and the
// post-processors that process its artifact.

import { BuildPlugins } from "./build_plugins.ts";
import type { BuildPlan, ComponentPlan } from "../plan/build_plan.ts";
import {
  type LaunchOptions,
  SHUTDOWN_GRACE_MS,
} from "../plugin/launch_options.ts";
import { type Log, NO_LOG } from "../log/log.ts";
import { CleanupMonitor } from "../plugin/cleanup_monitor.ts";
import type { PluginError } from "../plugin/plugin_error.ts";
import { type ArtifactSummary, postProcess } from "./post_process.ts";
import {
  prepareComponents,
  type PreparedComponents,
} from "./prepare_components.ts";
import { ProvisionHook } from "./provision_hook.ts";
import { expectArtifact } from "./component_results.ts";
import type { BuildUi } from "../terminal/ui.ts";

/** One build. */
export class Build implements AsyncDisposable {
  readonly #plan: BuildPlan;
  readonly #ui: BuildUi;
  readonly #plugins: BuildPlugins;
  readonly #log: Log;
  readonly #graceMs: number;
  #components: PreparedComponents | undefined;

  /**
   * @param plan Its components and their configurations.
   * @param ui Shows its output.
   * @param launch How its plugins are launched.
   * @param bundled Creates the bundled components, if this build does not have a
   * process of its own for them.
   */
  constructor(
    plan: BuildPlan,
    ui: BuildUi,
    launch: LaunchOptions,
    bundled?: BuildPlugins,
  ) {
    this.#plan = plan;
    this.#ui = ui;
    this.#log = launch.log ?? NO_LOG;
    this.#plugins = new BuildPlugins(
      { ...launch, pause: () => ui.pause },
      (plugin) =>
        ui.message(`Waiting for ${plugin} to complete the handshake...`),
      bundled,
    );
    this.#graceMs = 2 * (launch.grace ?? SHUTDOWN_GRACE_MS);
  }

  /** The build's name. */
  get name(): string {
    return this.#plan.context.name;
  }

  /** The log, for its plugins' stderr and for stack traces. */
  get log(): Log {
    return this.#log;
  }

  /** Shows its output. */
  get ui(): BuildUi {
    return this.#ui;
  }

  /**
   * Launches the build's plugins and passes each component its configuration.
   * Nothing is built yet.
   *
   * @param onValid Called with each component that has no warning and no error.
   * @returns The components' warnings.
   * @throws {AggregateBuildError} With the errors of all components.
   */
  async prepare(
    onValid: (component: ComponentPlan) => void = () => {},
  ): Promise<string[]> {
    this.#components = await prepareComponents(
      this.#plan,
      this.#plugins,
      onValid,
    );
    return this.#components.warnings;
  }

  /**
   * Runs the build.
   *
   * @param signal Cancels the build when aborted.
   * @returns The artifacts that are kept.
   * @throws {Error} When the build failed, or was cancelled.
   */
  async run(signal: AbortSignal): Promise<ArtifactSummary[]> {
    const components = this.#components;
    if (components === undefined) throw new Error("the build is not prepared");
    using _monitor = new CleanupMonitor(signal, this.#graceMs, {
      plugins: () => this.#plugins.running,
      onWaiting: (names) =>
        this.#ui.say(
          `Still cleaning up: ${
            names.join(", ")
          }. Press Ctrl-C again to kill it.`,
        ),
    });
    signal.throwIfAborted();
    const hook = new ProvisionHook({
      ui: this.#ui.forPlugins,
      debug: this.#plan.context.debug,
      steps: components.provisioners,
      cleanup: components.cleanup,
      signal,
    });
    let returned: unknown;
    try {
      returned = await components.builder.run({
        ui: this.#ui.forPlugins,
        hook: hook.forPlugins,
        signal,
      });
    } finally {
      this.#warnOfCleanup(hook);
    }
    const artifact = expectArtifact(returned);
    if (artifact === undefined) return [];
    return await postProcess(components.postProcessors, artifact, {
      ui: this.#ui,
      data: hook.data,
      signal,
    });
  }

  /** Warns when a build failed and the builder did not run the error-cleanup-provisioner as -on-error requires. */
  #warnOfCleanup(hook: ProvisionHook): void {
    const { onError } = this.#plan.context;
    // With "ask" the user may have decided against it.
    if (onError !== "cleanup" && onError !== "run-cleanup-provisioner") return;
    if (!hook.lacksCleanup) return;
    this.#ui.error(
      `Warning: the error-cleanup-provisioner was not run: the builder ${this.#plan.builder.name} does not support it.`,
    );
  }

  /**
   * Shuts the build's plugins down.
   *
   * @returns The errors of plugins that did not shut down cleanly.
   */
  close(): Promise<PluginError[]> {
    return this.#plugins.close();
  }

  /** Shuts the build's plugins down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
