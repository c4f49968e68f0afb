// A configuration that a component refuses, told with the template's lines.

import { errorMessage, indentContinuation } from "../errors/error_message.ts";
import { PluginError } from "../plugin/plugin_error.ts";
import {
  type ConfigProblem,
  UNKNOWN_KEY,
} from "../../plugin/contract/config_error.ts";
import type { JsonDocument, JsonPath } from "../json/json_document.ts";
import { SourceError } from "../json/source_error.ts";

/**
 * Makes an error of a component's configuration point at the template.
 *
 * @param error What the component threw.
 * @param document The template.
 * @param place Where a key of the component's configuration stands in it.
 * @param source Who says that it is this plugin, for example `"template.json:4"`.
 * @param mends Whether `baler fix` takes a key out of the component's configuration.
 * @returns The error to show.
 */
export function locatedConfigError(
  error: unknown,
  document: JsonDocument,
  place: (path: JsonPath) => JsonPath,
  source: string,
  mends: (key: string) => boolean,
): unknown {
  if (!(error instanceof Error)) return error;
  const problems = problemsOf(error) ?? [{
    path: [],
    message: error instanceof PluginError
      ? `${error.message}\n(${source} says that it is this plugin.)`
      : errorMessage(error),
  }];
  return new SourceError(
    problems.map(({ path, message, code }) => ({
      message: code === UNKNOWN_KEY && isKey(path) && mends(path[0])
        ? `${message}; "baler fix" prints the template with its new name`
        : indentContinuation(message),
      location: document.locate(
        place(path),
        path.length === 0 ? "value" : "key",
      ),
    })),
    document.source,
    { cause: error },
  );
}

/** The problems that a ConfigError of another process brought along. */
function problemsOf(error: Error): ConfigProblem[] | undefined {
  const { problems } = error as { problems?: unknown };
  const isProblem = (one: unknown): one is ConfigProblem =>
    typeof one === "object" && one !== null &&
    isPath((one as ConfigProblem).path) &&
    typeof (one as ConfigProblem).message === "string";
  return Array.isArray(problems) && problems.length > 0 &&
      problems.every(isProblem)
    ? problems
    : undefined;
}

function isPath(value: unknown): value is JsonPath {
  return Array.isArray(value) &&
    value.every((key) => typeof key === "string" || typeof key === "number");
}

/** Whether a path leads to a key of the configuration itself. */
function isKey(path: JsonPath): path is [string] {
  return path.length === 1 && typeof path[0] === "string";
}
