// Packer's template functions, and two that only its cloud builders and HCL
// have: clean_resource_name and join.

import { dirname, resolve } from "node:path";
import { type InterpolationContext, PLACEHOLDER_MESSAGE } from "./context.ts";
import { FunctionError } from "./error.ts";
import { formatTime, RFC_3339 } from "./go_time.ts";
import { MAX_LAYOUT_LENGTH } from "./limits.ts";
import { display } from "./printf.ts";
import type { TemplateFunction } from "./signature.ts";
import { strftime } from "./strftime.ts";
import { countCodePoints, mapPieces, StringBuilder } from "./strings.ts";
import { elementsOf, hasEntry, kindOf } from "./values.ts";

const LOADED_AT = new Date();

function moment(context: InterpolationContext): Date {
  return context.initTime ?? LOADED_AT;
}

/** Packer's functions by name. */
export const PACKER_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<
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
    call: (c, format: string) => strftime(moment(c), layoutOf(format)),
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
    call: (_, text: string) =>
      mapPieces(
        text,
        (piece) =>
          piece.replace(/[^A-Za-z0-9_.-]+/gu, (run) =>
            "-".repeat(countCodePoints(run))),
      ),
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

// Go maps characters one by one: "ß" stays, since its uppercase form is two
// characters, and a letter's form does not depend on its place in the word.
function eachCharacter(text: string, map: (one: string) => string): string {
  return mapPieces(text, (piece) => {
    const whole = map(piece);
    // Only these two depend on their place or become several characters in
    // lowercase; in uppercase, one that becomes several makes the piece longer.
    if (whole.length === piece.length && !/[Σİ]/.test(piece)) return whole;
    const result = new StringBuilder();
    for (const one of piece) {
      const mapped = map(one);
      result.append(countCodePoints(mapped) === 1 ? mapped : one);
    }
    return result.toString();
  });
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
  return text.includes(PLACEHOLDER_MESSAGE) ? `{{.${name}}}` : text;
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
  return formatTime(moment(context), layoutOf(layouts[0] ?? RFC_3339));
}

function layoutOf(layout: string): string {
  if (layout.length <= MAX_LAYOUT_LENGTH) return layout;
  throw new FunctionError(
    `the layout of the date is longer than ${MAX_LAYOUT_LENGTH} characters`,
  );
}

// The first `count` times; all, if it is negative.
function replace(
  _: InterpolationContext,
  old: string,
  next: string,
  count: number,
  text: string,
): string {
  const result = new StringBuilder();
  let at = 0;
  for (let done = 0; count < 0 || done < count; done++) {
    // An empty string is found before each character, and at the end.
    const found = old === ""
      ? nextCharacter(text, at, done)
      : text.indexOf(old, at);
    if (found === -1) break;
    result.append(text.slice(at, found) + next);
    at = found + old.length;
  }
  result.append(text.slice(at));
  return result.toString();
}

/** Where the empty string stands for the nth time, counted from 0; -1 behind the end. */
function nextCharacter(text: string, at: number, nth: number): number {
  if (nth === 0) return 0;
  const code = text.codePointAt(at);
  return code === undefined ? -1 : at + (code > 0xffff ? 2 : 1);
}

function split(
  _: InterpolationContext,
  text: string,
  separator: string,
  index: number,
): string {
  let count = 0;
  for (let at = 0; at <= text.length; count++) {
    let end: number;
    if (separator === "") {
      if (at === text.length) break;
      end = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    } else {
      const found = text.indexOf(separator, at);
      end = found === -1 ? text.length : found;
    }
    if (count === index) return text.slice(at, end);
    at = separator === "" ? end : end + separator.length;
  }
  throw new FunctionError(
    `the substring ${index} was unavailable using the separator value, ${separator}, only ${count} values were found (counted from 0)`,
  );
}

function join(
  _: InterpolationContext,
  separator: string,
  ...values: unknown[]
): string {
  const result = new StringBuilder();
  let isFirst = true;
  for (const value of values) {
    for (const one of kindOf(value) === "list" ? elementsOf(value) : [value]) {
      result.append(isFirst ? display(one) : separator + display(one));
      isFirst = false;
    }
  }
  return result.toString();
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
