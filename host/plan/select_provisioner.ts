// A provisioner as one build gets it: with its `override` for the build and its
// number of retries.

import {
  interpolate,
  type InterpolationContext,
} from "../../plugin/interpolate/mod.ts";
import { type JsonPath, SourceError } from "../json/json_document.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";
import type { ProvisionerEntry, Template } from "../template/template.ts";
import { deepMerge } from "./merge_override.ts";

/** A provisioner of one build. */
export interface SelectedProvisioner
  extends Omit<ProvisionerEntry, "maxRetries"> {
  /** How often it is retried when it fails. */
  readonly maxRetries: number;
  /** Its problems; a build with such a provisioner cannot run. */
  readonly problems: readonly SourceError[];
  /**
   * Returns the path of a key of its configuration in the template: in its
   * `override` for this build, if that has the key.
   */
  pathOf(path: JsonPath): JsonPath;
}

/**
 * Reads how often a provisioner is retried.
 *
 * @param entry The provisioner.
 * @param template The template.
 * @param context The context in which `max_retries` is interpolated.
 * @returns The number, or the error of an invalid value.
 */
export function readRetries(
  { at, maxRetries }: ProvisionerEntry,
  template: Template,
  context: InterpolationContext,
): number | SourceError {
  if (maxRetries === "") return 0;
  const path = [...at, "max_retries"];
  let text: string;
  try {
    text = interpolate(maxRetries, context);
  } catch (error) {
    return SourceError.at(
      template.document,
      path,
      `failed to interpolate \`max_retries\`: ${(error as Error).message}`,
    );
  }
  if (!/^[+-]?\d+$/.test(text)) {
    return SourceError.at(
      template.document,
      path,
      `\`max_retries\` must be a valid integer, not ${
        JSON.stringify(text)
      }; write it like 3`,
    );
  }
  // As in Packer, a negative number means no retries.
  return Math.max(0, Number(text));
}

function overrideOf(
  { at, override }: ProvisionerEntry,
  builder: string,
  template: Template,
): JsonObject | SourceError {
  const own = Object.hasOwn(override, builder) ? override[builder] : null;
  if (own === null) return {};
  if (isObject(own)) return own;
  return SourceError.at(
    template.document,
    [...at, "override", builder],
    `override '${builder}' expected a map, got ${describeType(own)}`,
  );
}

/**
 * Returns a provisioner for a build.
 *
 * @param entry The provisioner.
 * @param builder The builder whose `override` is merged; undefined for none.
 * @param maxRetries How often it is retried, or the error of an invalid value.
 * @param template The template.
 */
export function selectedProvisioner(
  entry: ProvisionerEntry,
  builder: string | undefined,
  maxRetries: number | SourceError,
  template: Template,
): SelectedProvisioner {
  const override = builder === undefined
    ? {}
    : overrideOf(entry, builder, template);
  const overrides = override instanceof SourceError ? {} : override;
  return {
    ...entry,
    config: deepMerge(entry.config, overrides) as JsonObject,
    maxRetries: typeof maxRetries === "number" ? maxRetries : 0,
    problems: [maxRetries, override].filter((one) =>
      one instanceof SourceError
    ),
    pathOf: (path) =>
      path.length > 0 && Object.hasOwn(overrides, path[0]!)
        ? [...entry.at, "override", builder!, ...path]
        : [...entry.at, ...path],
  };
}
