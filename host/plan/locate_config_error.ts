// Adds positions in the template to the errors of a component's configuration.

import { errorMessage, indentContinuation } from "../errors/error_message.ts";
import { PluginError } from "../plugin/plugin_error.ts";
import {
  type ConfigProblem,
  UNKNOWN_KEY,
} from "../../plugin/contract/config_error.ts";
import type { JsonDocument, JsonPath } from "../json/json_document.ts";
import { SourceError } from "../json/source_error.ts";

/**
 * Adds positions in the template to an error of a component's configuration.
 *
 * @param error The error that the component threw.
 * @param document The template.
 * @param place Returns the path of a key of the component's configuration in it.
 * @param source What selected the plugin, for example `"template.json:4"`.
 * @param isFixable Whether `baler fix` removes a key from the configuration.
 * @returns The error to show.
 */
export function locatedConfigError(
  error: unknown,
  document: JsonDocument,
  place: (path: JsonPath) => JsonPath,
  source: string,
  isFixable: (key: string) => boolean,
): unknown {
  if (!(error instanceof Error)) return error;
  const problems = problemsOf(error) ?? [{
    path: [],
    message: error instanceof PluginError
      ? `${error.message}\n(The plugin was selected by ${source}.)`
      : errorMessage(error),
  }];
  return new SourceError(
    problems.map(({ path, message, code }) => ({
      message: code === UNKNOWN_KEY && isKey(path) && isFixable(path[0])
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

/** Returns the problems of a ConfigError from another process. */
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

/** Whether a path is a top-level key of the configuration. */
function isKey(path: JsonPath): path is [string] {
  return path.length === 1 && typeof path[0] === "string";
}
