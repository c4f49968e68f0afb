// What a component returned is what its interface promises, or an error says
// what came instead: a plugin can be built without its types ever being checked.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PrepareResult } from "../../plugin/contract/builder.ts";
import type { PostProcessResult } from "../../plugin/contract/post_processor.ts";
import { isObject } from "../json/fields.ts";

/**
 * What a component has to say once it is prepared.
 *
 * @param value What it returned.
 * @param method The method that returned it, for the error.
 * @throws {TypeError} When it is something else.
 */
export function expectPrepareResult(
  value: unknown,
  method: string,
): PrepareResult {
  if (value === undefined || value === null) return {};
  const { warnings = [], generatedData = [] } = value as PrepareResult;
  if (isObject(value) && isList(warnings) && isList(generatedData)) {
    return { warnings, generatedData };
  }
  throw unexpectedResult(
    value,
    method,
    "nothing, or { warnings: [...], generatedData: [...] }",
  );
}

/**
 * The artifact that a builder made, or undefined where there is none.
 *
 * @param value What its `run` returned.
 * @throws {TypeError} When it is something else.
 */
export function expectArtifact(value: unknown): Artifact | undefined {
  if (value === undefined || value === null) return undefined;
  if (isArtifact(value)) return value;
  throw unexpectedResult(value, "run", `an artifact (${ARTIFACT}), or nothing`);
}

/**
 * What a post-processor made.
 *
 * @param value What its `postProcess` returned.
 * @throws {TypeError} When it is something else.
 */
export function expectPostProcessResult(value: unknown): PostProcessResult {
  if (isObject(value) && "artifact" in value && value.artifact == null) {
    return { ...value, artifact: undefined };
  }
  if (isObject(value) && isArtifact(value.artifact)) {
    return value as unknown as PostProcessResult;
  }
  throw unexpectedResult(
    value,
    "postProcess",
    `{ artifact }, the one that came in or one of its own (${ARTIFACT})`,
  );
}

const ARTIFACT = "{ builderId, id, files, destroy(), toString() }";

function isArtifact(value: unknown): value is Artifact {
  return isObject(value) && typeof value.destroy === "function" &&
    isList(value.files ?? []);
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function unexpectedResult(
  value: unknown,
  method: string,
  expected: string,
): TypeError {
  const came = Deno.inspect(value, {
    depth: 1,
    iterableLimit: 5,
    breakLength: Infinity,
  });
  return new TypeError(
    `the plugin's ${method}() returned ${
      came.length > 200 ? `${came.slice(0, 200)}...` : came
    }, but is to return ${expected}`,
  );
}
