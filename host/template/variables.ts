// The variables of a template with their final values: from the command line,
// from variable files, and from the template's defaults.

import { join } from "@std/path";
import {
  type InterpolationContext,
  InterpolationError,
} from "../../plugin/interpolate/mod.ts";
import {
  parseJsonDocument,
  SourceError,
  type SourceProblem,
} from "../json/json_document.ts";
import { readText } from "../json/read_text_file.ts";
import type { Template } from "./template.ts";
import { describeType, isObject } from "../json/json_value.ts";
import {
  type InitialVariable,
  VariableCycle,
  type VariableFailure,
  VariableValues,
} from "./variable_resolver.ts";

/** The values of variables that a user sets. */
export interface VariableOptions {
  /** The names and values of `-var`; the last value of a name wins. */
  readonly vars?: readonly (readonly [name: string, value: string])[];
  /** The files of `-var-file`; the last value of a name wins, unless `-var` sets it. */
  readonly varFiles?: readonly string[];
  /** Reads an environment variable; one of this process unless given. */
  readonly env?: (name: string) => string | undefined;
  /** When the host started, for `timestamp` and `isotime`. */
  readonly startedAt?: Date;
}

/** The variables of a build. */
export interface ResolvedVariables {
  /** The values by name, also of variables that the template does not declare. */
  readonly values: Readonly<Record<string, string>>;
  /** The names of the variables whose values are redacted. */
  readonly sensitive: readonly string[];
}

/**
 * Resolves the values of a template's variables.
 *
 * @param template The template.
 * @param options The values that the user sets.
 * @throws {SourceError} When required variables have no value, or values cannot
 * be interpolated or refer to themselves; with all such problems.
 * @throws {Error} When a variable file cannot be read.
 */
export async function resolveVariables(
  template: Template,
  options: VariableOptions = {},
): Promise<ResolvedVariables> {
  const given = await givenValues(options);
  const problems: SourceProblem[] = [];
  const initial = new Map<string, InitialVariable>();
  for (const [name, value] of template.variables) {
    if (value !== null) initial.set(name, { value });
    else if (!given.has(name)) {
      problems.push({
        message:
          `required variable not set: ${name}; give it with -var '${name}=...' or in a -var-file`,
        location: template.document.locate(["variables", name], "key"),
      });
    }
  }
  for (const [name, value] of given) initial.set(name, value);
  if (problems.length > 0) throw new SourceError(problems, template.source);

  const { values, failures } = new VariableValues(
    initial,
    contextOf(template, options),
  ).resolve();
  if (failures.length > 0) {
    throw new SourceError(
      failures.map((failure) => problemOf(failure, initial, template)),
      template.source,
    );
  }
  return { values, sensitive: template.sensitiveVariables };
}

async function givenValues(
  { vars = [], varFiles = [] }: VariableOptions,
): Promise<Map<string, InitialVariable>> {
  const given = new Map<string, InitialVariable>();
  for (const file of varFiles) {
    for (const [name, value] of await readVariableFile(file)) {
      given.set(name, { value, origin: `-var-file ${file}` });
    }
  }
  for (const [name, value] of vars) {
    given.set(name, { value, origin: `-var ${name}` });
  }
  if (given.has("__proto__")) {
    throw new Error(
      'a variable cannot be named "__proto__"; use another name',
    );
  }
  return given;
}

/**
 * Reads a variable file.
 *
 * @param path The file.
 * @returns The values by name; "" for null.
 * @throws {SourceError} When it is not an object of strings.
 */
async function readVariableFile(path: string): Promise<[string, string][]> {
  const document = parseJsonDocument(
    await readText(path, "variables file"),
    path,
    { allowDuplicates: true },
  );
  const reading = `Error reading variables in '${path}'`;
  const { value } = document;
  if (value === null) return [];
  if (!isObject(value)) {
    throw SourceError.at(
      document,
      [],
      `${reading}: it must be an object, not ${
        describeType(value)
      }; write {"name": "value"}`,
    );
  }
  const problems: SourceProblem[] = [];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text === "string" || text === null) continue;
    problems.push({
      message: `${reading}: "${name}" must be a string, not ${
        describeType(text)
      }; put it in quotes`,
      location: document.locate([name]),
    });
  }
  if (problems.length > 0) throw new SourceError(problems, path);
  return Object.entries(value).map(([name, text]) => [
    name,
    String(text ?? ""),
  ]);
}

function contextOf(
  template: Template,
  { env = (name) => Deno.env.get(name), startedAt }: VariableOptions,
): InterpolationContext {
  return {
    env,
    templatePath: template.path ?? join(template.directory, "-"),
    initTime: startedAt,
  };
}

function problemOf(
  { name, error }: VariableFailure,
  initial: ReadonlyMap<string, InitialVariable>,
  template: Template,
): SourceProblem {
  const { value, origin } = initial.get(name)!;
  const where = origin === undefined ? "" : `${origin}: `;
  const hidden = template.sensitiveVariables.includes(name);
  const what = hidden ? `"${name}"` : `"${name}": ${JSON.stringify(value)}`;
  const reason = error instanceof InterpolationError
    ? error.reason
    : (error as Error).message;
  const message = error instanceof VariableCycle
    ? `${where}Failed to interpolate ${what}: it refers to itself, ${
      error.names.join(" -> ")
    }; give one of them a value of its own`
    : reason.includes("variable not set")
    ? `${where}Failed to interpolate ${what}: ${reason}`
    : `${where}error interpolating default value for '${name}': ${reason}`;
  if (origin !== undefined) return { message };
  const within = error instanceof InterpolationError ? error.offset : undefined;
  return {
    message,
    location: template.document.locate(["variables", name], "value", within),
  };
}
