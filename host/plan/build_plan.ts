// The plan of one build: its components, each with its plugin and configuration.

import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { ComponentVariables } from "./component_variables.ts";
import type { FoundPlugin } from "../discovery/find_plugin.ts";

/** The plan of a component. */
export interface ComponentPlan {
  /** Its `name` in the template if it has one, or its `type`. */
  name: string;
  /** The plugin that serves it. */
  plugin: FoundPlugin;
  /** Its configuration. */
  config: Record<string, unknown>;
  /** The user variables that its plugin gets. */
  variables: ComponentVariables;
  /** Adds the position in the template to an error of its configuration. */
  locate(error: unknown): unknown;
}

/** The plan of a provisioner. */
export interface ProvisionerPlan extends ComponentPlan {
  /** How long to wait before it runs, in milliseconds. */
  pauseBefore: number;
  /** How often it is retried when it fails. */
  maxRetries: number;
  /** How long it may take, in milliseconds; 0 for no limit. */
  timeout: number;
}

/** The plan of a post-processor. */
export interface PostProcessorPlan extends ComponentPlan {
  /** Its `type` in the template. */
  type: string;
  /** Whether its input artifact is kept; its own choice when absent. */
  keepInputArtifact?: boolean;
}

/** The plan of a build. */
export interface BuildPlan {
  /** The build context that all its components get. */
  context: Omit<BuildContext, keyof ComponentVariables>;
  builder: ComponentPlan;
  provisioners: ProvisionerPlan[];
  errorCleanupProvisioner?: ProvisionerPlan;
  /** The sequences of post-processors. */
  postProcessors: PostProcessorPlan[][];
}
