// What one build is made of: its components, each with the plugin that serves
// it and its configuration.

import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { ComponentVariables } from "./component_variables.ts";
import type { FoundPlugin } from "../discovery/find_plugin.ts";

/** A component that a build is to have. */
export interface ComponentPlan {
  /** Its `type` in the template, or its `name` where it has one. */
  name: string;
  /** The plugin that serves it. */
  plugin: FoundPlugin;
  /** Its configuration. */
  config: Record<string, unknown>;
  /** The user variables that it is given. */
  variables: ComponentVariables;
  /** Makes an error of its configuration point at the template's line. */
  locate(error: unknown): unknown;
}

/** A provisioner that a build is to have. */
export interface ProvisionerPlan extends ComponentPlan {
  /** How long to wait before it, in milliseconds. */
  pauseBefore: number;
  /** How often it is tried again when it fails. */
  maxRetries: number;
  /** How long it may take, in milliseconds; 0 for as long as it takes. */
  timeout: number;
}

/** A post-processor that a build is to have. */
export interface PostProcessorPlan extends ComponentPlan {
  /** Its `type` in the template. */
  type: string;
  /** Whether the artifact that goes into it stays; its own choice when absent. */
  keepInputArtifact?: boolean;
}

/** What a build is made of. */
export interface BuildPlan {
  /** What all of its components are told about it. */
  context: Omit<BuildContext, keyof ComponentVariables>;
  builder: ComponentPlan;
  provisioners: ProvisionerPlan[];
  errorCleanupProvisioner?: ProvisionerPlan;
  /** The sequences of post-processors. */
  postProcessors: PostProcessorPlan[][];
}
