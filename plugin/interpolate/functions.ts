// Packer's template functions, and two that only its cloud builders and HCL
// have: clean_resource_name and join.

import { dirname, resolve } from "node:path";
import { type InterpolationContext, placeholderMessage } from "./context.ts";
import { FunctionError } from "./error.ts";
import { formatTime, rfc3339 } from "./go_time.ts";
import { display } from "./printf.ts";
import type { TemplateFunction } from "./signature.ts";
import { strftime } from "./strftime.ts";
import { elementsOf, hasEntry, kindOf } from "./values.ts";

const loaded = new Date();

function moment(context: InterpolationContext): Date {
  return context.initTime ?? loaded;
}

/** Packer's functions by name. */
export const packerFunctions: ReadonlyMap<string, TemplateFunction> = new Map<
  string,
  TemplateFunction
>([
  ["user", { operands: ["string"], call: user }],
  ["env", { operands: ["string"], call: env }],
  ["build", { operands: ["string"], call: build }],
  ["build_name", {
    operands: [],
    call: (c) => present(c.buildName, "build_name"),
  }],
  ["build_type", {
    operands: [],
    call: (c) => present(c.buildType, "build_type"),
  }],
  ["packer_version", {
    operands: [],
    call: (c) => present(c.coreVersion, "packer_version"),
  }],
  ["template_dir", {
    operands: [],
    call: (c) => resolve(dirname(present(c.templatePath, "template path"))),
  }],
  ["pwd", { operands: [], call: workingDirectory }],
  ["uuid", { operands: [], call: (c) => (c.uuid ?? timeOrderedUuid)() }],
  ["timestamp", {
    operands: [],
    call: (c) => String(Math.floor(moment(c).getTime() / 1000)),
  }],
  ["isotime", { operands: [], rest: "string", call: isotime }],
  ["strftime", {
    operands: ["string"],
    call: (c, format: string) => strftime(moment(c), format),
  }],
  ["upper", {
    operands: ["string"],
    call: (_, text: string) => eachCharacter(text, upperCase),
  }],
  ["lower", {
    operands: ["string"],
    call: (_, text: string) => eachCharacter(text, lowerCase),
  }],
  ["replace", {
    operands: ["string", "string", "int", "string"],
    call: replace,
  }],
  ["replace_all", {
    operands: ["string", "string", "string"],
    call: (_, old: string, next: string, text: string) =>
      replace(_, old, next, -1, text),
  }],
  ["split", { operands: ["string", "string", "int"], call: split }],
  ["join", { operands: ["string"], rest: "any", call: join }],
  ["clean_resource_name", {
    operands: ["string"],
    call: (_, text: string) => text.replace(/[^A-Za-z0-9_.-]/gu, "-"),
  }],
  ["sed", { operands: ["string", "string"], call: sed }],
  ["consul_key", needsNetwork("consul_key", ["string"])],
  ["vault", needsNetwork("vault", ["string", "string"])],
  ["aws_secretsmanager", {
    ...needsNetwork("aws_secretsmanager", []),
    rest: "string",
  }],
]);

function present(value: string | undefined, what: string): string {
  if (!value) throw new FunctionError(`${what} not available here`);
  return value;
}

function user(context: InterpolationContext, name: string): string {
  const variables = context.userVariables;
  if (!variables) {
    throw new FunctionError("user variables are not available here");
  }
  if (Object.hasOwn(variables, name)) return variables[name]!;
  if (!context.env) return "";
  throw new FunctionError(
    `variable not set: ${name}; declare it in the template's "variables"`,
  );
}

// Go maps characters one by one: "ß" stays, as what it would be is two, and
// what a letter becomes does not depend on its place in the word.
function eachCharacter(text: string, map: (one: string) => string): string {
  let result = "";
  for (const one of text) {
    const mapped = map(one);
    result += [...mapped].length === 1 ? mapped : one;
  }
  return result;
}

const upperCase = (one: string) => one.toUpperCase();
const lowerCase = (one: string) => one === "İ" ? "i" : one.toLowerCase();

function env(context: InterpolationContext, name: string): string {
  if (context.env) return context.env(name) ?? "";
  throw new FunctionError(
    `env vars are not allowed here; read it in the template's "variables" and use {{user \`${name}\`}}`,
  );
}

function build(context: InterpolationContext, name: string): string {
  const values = context.build ?? context.data;
  if (kindOf(values) !== "map") {
    throw new FunctionError(
      `the given variable ${name} will not be passed into your plugin; only provisioners and post-processors know the build`,
    );
  }
  const value = hasEntry(values, name)
    ? values instanceof Map
      ? values.get(name)
      : (values as Record<string, unknown>)[name]
    : undefined;
  if (value === undefined || value === null) {
    throw new FunctionError(
      `loaded data, but could not find ${name} in it; the builder does not offer it`,
    );
  }
  const text = display(value);
  return text.includes(placeholderMessage) ? `{{.${name}}}` : text;
}

function workingDirectory(context: InterpolationContext): string {
  if (context.pwd) return context.pwd();
  try {
    return Deno.cwd();
  } catch (cause) {
    throw new FunctionError(
      "the working directory cannot be read; a plugin needs --allow-read for it",
      { cause },
    );
  }
}

// The seconds first, so that the identifiers sort by when they were made.
function timeOrderedUuid(): string {
  const seconds = Math.floor(Date.now() / 1000) >>> 0;
  const random = crypto.getRandomValues(new Uint8Array(12));
  const hex = seconds.toString(16).padStart(8, "0") +
    Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function isotime(context: InterpolationContext, ...layouts: string[]): string {
  if (layouts.length > 1) {
    throw new FunctionError(
      `too many values, 1 needed: [${layouts.join(" ")}]`,
    );
  }
  return formatTime(moment(context), layouts[0] ?? rfc3339);
}

// The first `count` times; all, if it is negative.
function replace(
  _: InterpolationContext,
  old: string,
  next: string,
  count: number,
  text: string,
): string {
  if (count < 0) return text.replaceAll(old, () => next);
  const parts = old === "" ? [...text] : text.split(old);
  if (old === "") parts.unshift("");
  const kept = parts.slice(0, count + 1).join(next);
  const rest = parts.slice(count + 1);
  return rest.length === 0 ? endFilled() : kept + old + rest.join(old);

  // Between the empty strings of a text there is also the one at its end.
  function endFilled(): string {
    return old === "" && count >= parts.length ? kept + next : kept;
  }
}

function split(
  _: InterpolationContext,
  text: string,
  separator: string,
  index: number,
): string {
  const parts = separator === "" ? [...text] : text.split(separator);
  const part = parts[index];
  if (part !== undefined) return part;
  throw new FunctionError(
    `the substring ${index} was unavailable using the separator value, ${separator}, only ${parts.length} values were found (counted from 0)`,
  );
}

function join(
  _: InterpolationContext,
  separator: string,
  ...values: unknown[]
): string {
  return values
    .flatMap((value) => kindOf(value) === "list" ? elementsOf(value) : [value])
    .map(display)
    .join(separator);
}

function sed(): never {
  throw new FunctionError(
    "template function `sed` is deprecated; use `replace` or `replace_all` instead",
  );
}

function needsNetwork(
  name: string,
  operands: TemplateFunction["operands"],
): TemplateFunction {
  return {
    operands,
    call() {
      throw new FunctionError(
        `baler does not support ${name}, which needs the network; read the value before, and pass it with -var or an environment variable`,
      );
    },
  };
}
