// Checks the results of components against their interfaces, since a plugin can be
// built without type checks. Nothing is converted: the conversion of an object
// would call the plugin that sent it.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PrepareResult } from "../../plugin/contract/builder.ts";
import type { PostProcessResult } from "../../plugin/contract/post_processor.ts";
import { describeForeignValue } from "../errors/describe_value.ts";
import { limitedText } from "../errors/limited_text.ts";
import { isObject } from "../json/json_value.ts";

/** How much is shown of a result, in characters. */
const MAX_SHOWN_LENGTH = 200;

const ARTIFACT =
  "{ builderId, id, files, destroy(), toString() }, with strings and a list of strings";

/**
 * A component returned something that its interface does not allow. Not a
 * `TypeError`, which would be reported as a bug with a hint to the stack trace of
 * the host.
 */
export class UnexpectedResultError extends Error {
  override readonly name = "UnexpectedResultError";
}

/**
 * Checks the result of `prepare` or `configure`.
 *
 * @param value The result.
 * @param method The method that returned it, for the error.
 * @throws {UnexpectedResultError} When the interface does not allow it.
 */
export function expectPrepareResult(
  value: unknown,
  method: string,
): Required<PrepareResult> {
  if (isAbsent(value)) return { warnings: [], generatedData: [] };
  if (isObject(value)) {
    const warnings = value.warnings ?? [];
    const generatedData = value.generatedData ?? [];
    if (isStringList(warnings) && isStringList(generatedData)) {
      return { warnings: warnings.map(limitedText), generatedData };
    }
  }
  throw unexpectedResult(
    value,
    method,
    "{ warnings: [...], generatedData: [...] } or undefined",
  );
}

/**
 * Checks the result of a builder's `run`.
 *
 * @param value The result.
 * @returns The artifact; undefined where there is none.
 * @throws {UnexpectedResultError} When the interface does not allow it.
 */
export function expectArtifact(value: unknown): Artifact | undefined {
  if (isAbsent(value)) return undefined;
  if (isArtifact(value)) return value;
  throw unexpectedResult(
    value,
    "run",
    `an artifact (${ARTIFACT}) or undefined`,
  );
}

/**
 * Checks the result of a post-processor's `postProcess`.
 *
 * @param value The result.
 * @throws {UnexpectedResultError} When the interface does not allow it.
 */
export function expectPostProcessResult(value: unknown): PostProcessResult {
  if (isObject(value) && "artifact" in value) {
    const { artifact } = value;
    if (isAbsent(artifact) || isArtifact(artifact)) {
      return {
        artifact: artifact ?? undefined,
        keep: value.keep === true,
        mustKeep: value.mustKeep === true,
      };
    }
  }
  throw unexpectedResult(
    value,
    "postProcess",
    `{ artifact } with the input artifact or a new one (${ARTIFACT})`,
  );
}

/**
 * Returns the description of an artifact.
 *
 * @param artifact The artifact.
 * @throws {UnexpectedResultError} When its `toString` does not return a string.
 */
export function textOfArtifact(artifact: Artifact): string {
  // The result of `toString` is sent along with an object. If `toString` is a
  // function of the plugin instead, it returns a promise.
  const text: unknown = artifact.toString();
  if (typeof text === "string") return limitedText(text);
  if (text instanceof Promise) text.catch(() => {});
  throw new UnexpectedResultError(
    "the toString() of an artifact did not return a string",
  );
}

function isArtifact(value: unknown): value is Artifact {
  return isObject(value) && typeof value.destroy === "function" &&
    typeof (value.builderId ?? "") === "string" &&
    typeof (value.id ?? "") === "string" && isStringList(value.files ?? []);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function unexpectedResult(
  value: unknown,
  method: string,
  expected: string,
): UnexpectedResultError {
  return new UnexpectedResultError(
    `the plugin's ${method}() returned ${
      describeForeignValue(value, MAX_SHOWN_LENGTH)
    }; expected ${expected}`,
  );
}
