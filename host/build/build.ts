// One build: a builder, the provisioners that it lets at its machine, and the
// post-processors that work on its artifact.

import type { Builder } from "../../plugin/contract/builder.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import type { Provisioner } from "../../plugin/contract/provisioner.ts";
import { BuildPlugins } from "./build_plugins.ts";
import { AggregateBuildError } from "../errors/error_message.ts";
import type {
  BuildPlan,
  ComponentPlan,
  PostProcessorPlan,
  ProvisionerPlan,
} from "../plan/build_plan.ts";
import { GRACE, type LaunchOptions } from "../plugin/launch_options.ts";
import { type Log, NO_LOG } from "../log/log.ts";
import { GraceTimeout } from "../plugin/grace_timeout.ts";
import type { PluginError } from "../plugin/plugin_error.ts";
import {
  type ArtifactSummary,
  postProcess,
  type PostProcessStep,
} from "./post_process.ts";
import { ProvisionHook, type ProvisionStep } from "./provision_hook.ts";
import { expectArtifact, expectPrepareResult } from "./component_results.ts";
import type { BuildUi } from "../terminal/ui.ts";

/**
 * How long a build may take to end once it is cancelled. A plugin of Packer's may first wait for its machine to
 * shut down, and leaves it behind when it is ended meanwhile; a second Ctrl-C ends it at once.
 */
function cancelGraceMs(plan: BuildPlan, { grace }: LaunchOptions): number {
  const components: ComponentPlan[] = [plan.builder, ...plan.provisioners];
  return grace === undefined &&
      components.some(({ plugin }) => plugin.isPackers)
    ? PACKER_CANCEL_GRACE_MS
    : 2 * (grace ?? GRACE);
}

/** Packer itself waits without end; its plugins' usual timeout for a shutdown is five minutes. */
const PACKER_CANCEL_GRACE_MS = 10 * 60_000;

/** One build. */
export class Build implements AsyncDisposable {
  readonly #plan: BuildPlan;
  readonly #ui: BuildUi;
  readonly #plugins: BuildPlugins;
  readonly #log: Log;
  readonly #grace: number;
  #builder: Builder | undefined;
  #provisioners: ProvisionStep[] = [];
  #cleanup: ProvisionStep | undefined;
  #postProcessors: PostProcessStep[][] = [];

  /**
   * @param plan What it is made of.
   * @param ui Where it shows what it does.
   * @param launch How its plugins are launched.
   * @param bundled Makes the components that come with baler, where they are not
   * to have a process of this build's own.
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
      launch,
      (plugin) => ui.message(`Waiting for ${plugin} to say hello...`),
      bundled,
    );
    this.#grace = cancelGraceMs(plan, launch);
  }

  /** The build's name. */
  get name(): string {
    return this.#plan.context.name;
  }

  /** Where its plugins' stderr goes, and what people need not see. */
  get log(): Log {
    return this.#log;
  }

  /** Where it shows what it does. */
  get ui(): BuildUi {
    return this.#ui;
  }

  /**
   * Launches the build's plugins and gives each component its configuration;
   * nothing is built yet.
   *
   * @param onFine Told of each component that has nothing to say.
   * @returns What the components warn of.
   * @throws {AggregateBuildError} With everything that a component refuses.
   */
  async prepare(
    onFine: (component: ComponentPlan) => void = () => {},
  ): Promise<string[]> {
    const { builder, provisioners, errorCleanupProvisioner, postProcessors } =
      this.#plan;
    const warnings: string[] = [];
    const errors: unknown[] = [];

    const published = Promise.withResolvers<readonly string[] | undefined>();

    const prepared = async <T extends object>(
      kind: string,
      plan: ComponentPlan,
      method: "prepare" | "configure",
      generatedData?: Promise<readonly string[] | undefined>,
    ): Promise<T | undefined> => {
      try {
        const component = await this.#plugins.component<T>(kind, plan.plugin);
        const take = (component as Record<string, unknown>)[method] as (
          options: unknown,
        ) => Promise<unknown>;
        const names = await generatedData;
        const returned = await take.call(component, {
          config: plan.config,
          build: {
            ...this.#plan.context,
            ...plan.variables,
            ...(names === undefined ? {} : { generatedData: names }),
          },
        });
        const result = expectPrepareResult(returned, method);
        if (kind === "builder") published.resolve(result.generatedData ?? []);
        const warned = (result.warnings ?? []).map(String);
        for (const warning of warned) warnings.push(warning);
        if (warned.length === 0) onFine(plan);
        return component;
      } catch (error) {
        errors.push(plan.locate(error));
        // The others are checked all the same, as far as that goes.
        if (kind === "builder") published.resolve(undefined);
      }
    };
    const provisioner = async (plan: ProvisionerPlan) => ({
      ...plan,
      component: await prepared<Provisioner>(
        "provisioner",
        plan,
        "prepare",
        published.promise,
      ),
    });
    const postProcessor = async (plan: PostProcessorPlan) => ({
      ...plan,
      component: await prepared<PostProcessor>(
        "post-processor",
        plan,
        "configure",
        published.promise,
      ),
    });

    // All at once: most of the time goes into starting processes.
    const [builderComponent, steps, cleanup, sequences] = await Promise.all([
      prepared<Builder>("builder", builder, "prepare"),
      Promise.all(provisioners.map(provisioner)),
      errorCleanupProvisioner && provisioner(errorCleanupProvisioner),
      Promise.all(
        postProcessors.map((sequence) =>
          Promise.all(sequence.map(postProcessor))
        ),
      ),
    ]);
    if (errors.length > 0) throw new AggregateBuildError(errors);
    // Without an error each of them is there.
    this.#builder = builderComponent;
    this.#provisioners = steps as ProvisionStep[];
    this.#cleanup = cleanup as ProvisionStep | undefined;
    this.#postProcessors = sequences as PostProcessStep[][];
    return warnings;
  }

  /**
   * Builds.
   *
   * @param signal Cancels the build when aborted.
   * @returns The artifacts that it leaves.
   * @throws {Error} When the build failed, or was cancelled.
   */
  async run(signal: AbortSignal): Promise<ArtifactSummary[]> {
    if (this.#builder === undefined) {
      throw new Error("the build is not prepared");
    }
    using _patience = new GraceTimeout(
      signal,
      this.#grace,
      () => this.#plugins.giveUp(this.#grace),
    );
    signal.throwIfAborted();
    const hook = new ProvisionHook({
      ui: this.#ui,
      debug: this.#plan.context.debug,
      steps: this.#provisioners,
      cleanup: this.#cleanup,
      signal,
    });
    const artifact = expectArtifact(
      await this.#builder.run({ ui: this.#ui, hook, signal }),
    );
    if (artifact === undefined) return [];
    return await postProcess(this.#postProcessors, artifact, {
      ui: this.#ui,
      data: hook.data,
      signal,
    });
  }

  /**
   * Ends the build's plugins.
   *
   * @returns What went wrong with the end of those that went wrong.
   */
  close(): Promise<PluginError[]> {
    return this.#plugins.close();
  }

  /** Ends the build's plugins. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
