// Prepares the components of one build concurrently: launches their plugins, and
// passes each component its configuration.

import type { Builder } from "../../plugin/contract/builder.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import type { Provisioner } from "../../plugin/contract/provisioner.ts";
import { AggregateBuildError } from "../errors/error_message.ts";
import type {
  BuildPlan,
  ComponentPlan,
  PostProcessorPlan,
  ProvisionerPlan,
} from "../plan/build_plan.ts";
import type { BuildPlugins } from "./build_plugins.ts";
import { expectPrepareResult } from "./component_results.ts";
import type { PostProcessStep } from "./post_process.ts";
import type { ProvisionStep } from "./provision_hook.ts";

/** The components of a build, ready to run, and their warnings. */
export interface PreparedComponents {
  builder: Builder;
  provisioners: ProvisionStep[];
  cleanup: ProvisionStep | undefined;
  postProcessors: PostProcessStep[][];
  warnings: string[];
}

/**
 * Prepares the components of a build.
 *
 * @param plan The components of the build.
 * @param plugins Launches the plugins.
 * @param onValid Called with each component that has no warning and no error.
 * @throws {AggregateBuildError} With the errors of all components.
 */
export async function prepareComponents(
  plan: BuildPlan,
  plugins: BuildPlugins,
  onValid: (component: ComponentPlan) => void,
): Promise<PreparedComponents> {
  const preparation = new Preparation(plan, plugins, onValid);
  // Concurrently: most of the time is spent in starting processes.
  const [builder, provisioners, cleanup, postProcessors] = await Promise.all([
    preparation.builder(),
    Promise.all(plan.provisioners.map((one) => preparation.provisioner(one))),
    plan.errorCleanupProvisioner &&
    preparation.provisioner(plan.errorCleanupProvisioner),
    Promise.all(
      plan.postProcessors.map((sequence) =>
        Promise.all(sequence.map((one) => preparation.postProcessor(one)))
      ),
    ),
  ]);
  const { errors, warnings } = preparation;
  if (errors.length > 0) throw new AggregateBuildError(errors);
  // Without an error all components are present.
  return {
    builder: builder!,
    provisioners: provisioners as ProvisionStep[],
    cleanup: cleanup as ProvisionStep | undefined,
    postProcessors: postProcessors as PostProcessStep[][],
    warnings,
  };
}

/** A component's plan with the component; undefined when it could not be prepared. */
type Prepared<Plan, Component> = Plan & { component: Component | undefined };

class Preparation {
  readonly errors: unknown[] = [];
  readonly warnings: string[] = [];
  readonly #plan: BuildPlan;
  readonly #plugins: BuildPlugins;
  readonly #onValid: (component: ComponentPlan) => void;
  /** The names of the data that the builder will publish; undefined when not known. */
  readonly #published = Promise.withResolvers<readonly string[] | undefined>();

  constructor(
    plan: BuildPlan,
    plugins: BuildPlugins,
    onValid: (component: ComponentPlan) => void,
  ) {
    this.#plan = plan;
    this.#plugins = plugins;
    this.#onValid = onValid;
  }

  async builder(): Promise<Builder | undefined> {
    try {
      const component = await this.#component<Builder>(
        "builder",
        this.#plan.builder,
      );
      if (component === undefined) return undefined;
      const generatedData = await this.#prepare(
        this.#plan.builder,
        component,
        "prepare",
      );
      this.#published.resolve(generatedData);
      return component;
    } finally {
      // After an error the other components are still checked.
      this.#published.resolve(undefined);
    }
  }

  async provisioner(
    plan: ProvisionerPlan,
  ): Promise<Prepared<ProvisionerPlan, Provisioner>> {
    const component = await this.#component<Provisioner>("provisioner", plan);
    if (component !== undefined) {
      await this.#prepare(
        plan,
        component,
        "prepare",
        await this.#published.promise,
      );
    }
    return { ...plan, component };
  }

  async postProcessor(
    plan: PostProcessorPlan,
  ): Promise<Prepared<PostProcessorPlan, PostProcessor>> {
    const component = await this.#component<PostProcessor>(
      "post-processor",
      plan,
    );
    if (component !== undefined) {
      await this.#prepare(
        plan,
        component,
        "configure",
        await this.#published.promise,
      );
    }
    return { ...plan, component };
  }

  async #component<T extends object>(
    kind: string,
    plan: ComponentPlan,
  ): Promise<T | undefined> {
    try {
      return await this.#plugins.component<T>(kind, plan.plugin);
    } catch (error) {
      this.errors.push(plan.locate(error));
    }
  }

  /** Passes a component its configuration; returns the names of the data that it will publish. */
  async #prepare(
    plan: ComponentPlan,
    component: object,
    method: "prepare" | "configure",
    generatedData?: readonly string[],
  ): Promise<string[] | undefined> {
    try {
      const prepare = (component as Record<string, unknown>)[method] as (
        options: unknown,
      ) => Promise<unknown>;
      const returned = await prepare.call(component, {
        config: plan.config,
        build: {
          ...this.#plan.context,
          ...plan.variables,
          ...(generatedData === undefined ? {} : { generatedData }),
        },
      });
      const result = expectPrepareResult(returned, method);
      // Not spread: a plugin can send more than a call has room for.
      for (const warning of result.warnings) this.warnings.push(warning);
      if (result.warnings.length === 0) this.#onValid(plan);
      return result.generatedData;
    } catch (error) {
      this.errors.push(plan.locate(error));
    }
  }
}
