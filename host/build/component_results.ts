// What components return, checked against what their interfaces promise: a
// plugin can be built without its types ever being checked. Nothing is
// converted, since the conversion of an object would call the plugin that sent
// it.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PrepareResult } from "../../plugin/contract/builder.ts";
import type { PostProcessResult } from "../../plugin/contract/post_processor.ts";
import { describeForeignValue } from "../errors/describe_value.ts";
import { limitedText } from "../text/limited_text.ts";
import { isObject } from "../json/json_value.ts";

/** How much is shown of a result, in characters. */
const MAX_SHOWN_LENGTH = 200;

const ARTIFACT =
  "{ builderId, id, files, destroy(), toString() }, with strings and a list of strings";

/**
 * A component returned something that its interface does not allow. No
 * `TypeError`: the message says what is wrong, and no stack of the host does.
 */
export class UnexpectedResultError extends Error {
  override readonly name = "UnexpectedResultError";
}

/**
 * Checks what a component returned from `prepare` or `configure`.
 *
 * @param value What it returned.
 * @param method The method that returned it, for the error.
 * @throws {UnexpectedResultError} When it is something else.
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
 * Checks what a builder returned from `run`.
 *
 * @param value What it returned.
 * @returns The artifact; undefined where there is none.
 * @throws {UnexpectedResultError} When it is something else.
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
 * Checks what a post-processor returned from `postProcess`.
 *
 * @param value What it returned.
 * @throws {UnexpectedResultError} When it is something else.
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
    `{ artifact }, the one that came in or one of its own (${ARTIFACT})`,
  );
}

/**
 * Returns the text of an artifact for people.
 *
 * @param artifact The artifact.
 * @throws {UnexpectedResultError} When its `toString` does not return a string.
 */
export function textOfArtifact(artifact: Artifact): string {
  // The text of an object that a plugin sent by reference is here already. Where
  // `toString` is a function of the plugin, it returns a promise instead.
  const text: unknown = artifact.toString();
  if (typeof text === "string") return limitedText(text);
  if (text instanceof Promise) text.catch(() => {});
  throw new UnexpectedResultError(
    "the toString() of an artifact does not return a string",
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
