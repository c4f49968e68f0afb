// Evaluates expressions: pipelines, function calls, fields and variables.

import type { Command, Operand, Pipeline } from "./ast.ts";
import { GO_FUNCTIONS } from "./builtins.ts";
import type { InterpolationContext } from "./context.ts";
import { InterpolationError } from "./error.ts";
import type { Run } from "./evaluate.ts";
import { PACKER_FUNCTIONS } from "./functions.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";
import {
  checkedOperand,
  countComplaint,
  type TemplateFunction,
} from "./signature.ts";
import { tooLong } from "./strings.ts";
import { entryOf, hasEntry, isTrue, kindOf, typeName } from "./values.ts";

/** Whether a template in this context may call the function. */
export function isFunction(
  name: string,
  { functions }: InterpolationContext,
): boolean {
  return name === "and" || name === "or" || PACKER_FUNCTIONS.has(name) ||
    GO_FUNCTIONS.has(name) ||
    (functions !== undefined && Object.hasOwn(functions, name));
}

function functionNamed(
  name: string,
  { functions }: InterpolationContext,
): TemplateFunction {
  if (functions && Object.hasOwn(functions, name)) {
    const own = functions[name]!;
    const call = (_: InterpolationContext, ...operands: unknown[]) =>
      own(...operands);
    return { operands: [], rest: "any", call };
  }
  return PACKER_FUNCTIONS.get(name) ?? GO_FUNCTIONS.get(name)!;
}

// What the command before handed on; none for the first of a pipeline.
type Piped = { readonly value: unknown } | undefined;

/** The pipeline's value, which its variables have then as well. */
export function evaluatePipeline(
  run: Run,
  pipeline: Pipeline,
  dot: unknown,
): unknown {
  let piped: Piped;
  for (const command of pipeline.commands) {
    piped = { value: evaluateCommand(run, command, dot, piped) };
  }
  const value = piped!.value;
  for (const name of pipeline.variables) {
    if (pipeline.assigns) run.variables.assign(name, value);
    else run.variables.declare(name, value);
  }
  return value;
}

function evaluateCommand(
  run: Run,
  command: Command,
  dot: unknown,
  piped: Piped,
): unknown {
  run.step(command);
  const first = command.operands[0]!;
  const rest = command.operands.slice(1);
  if (first.kind === "function") {
    return callFunction(run, command, first.name, rest, dot, piped);
  }
  if (rest.length > 0 || piped) {
    const text = run.template.source.slice(first.start, first.end);
    const isValue = "path" in first && first.path.length > 0;
    run.fail(
      command,
      isValue
        ? `${text} is not a method but has arguments`
        : `can't give argument to non-function ${text}`,
    );
  }
  if (first.kind === "nil") run.fail(first, "nil is not a command");
  return evaluateOperand(run, first, dot);
}

function evaluateOperand(run: Run, operand: Operand, dot: unknown): unknown {
  switch (operand.kind) {
    case "literal":
      return operand.value;
    case "nil":
      return null;
    case "dot":
      return dot;
    case "field":
      return follow(run, operand, dot);
    case "variable":
      return follow(run, operand, run.variables.get(operand.name));
    case "chain":
      return follow(run, operand, evaluateOperand(run, operand.base, dot));
    case "pipeline":
      return evaluatePipeline(run, operand, dot);
    case "function":
      return callFunction(run, operand, operand.name, [], dot, undefined);
  }
}

function follow(
  run: Run,
  operand: Extract<Operand, { path: readonly string[] }>,
  value: unknown,
): unknown {
  for (const name of operand.path) value = fieldOf(run, operand, value, name);
  return value;
}

function fieldOf(
  run: Run,
  operand: Operand,
  value: unknown,
  name: string,
): unknown {
  const kind = kindOf(value);
  if (value === undefined && !run.context.strict) return undefined;
  if (kind === "nil") {
    run.fail(operand, `nil pointer evaluating ${name}: what it is in is nil`);
  }
  if (kind === "map") {
    if (run.context.strict && !hasEntry(value, name)) {
      run.fail(operand, `map has no entry for key "${name}"${offers(value)}`);
    }
    return entryOf(value, name);
  }
  if (kind !== "struct" || !hasEntry(value, name)) {
    const known = kind === "struct" ? offers(value) : "";
    run.fail(
      operand,
      `can't evaluate field ${name} in type ${typeName(value)}${known}`,
    );
  }
  return entryOf(value, name);
}

function offers(value: unknown): string {
  const names = value instanceof Map
    ? [...value.keys()].map(String)
    : Object.keys(value as object);
  return names.length === 0
    ? "; there are no fields here"
    : `; there are ${
      names.sort().slice(0, 20).map((name) => `.${name}`).join(", ")
    }`;
}

function callFunction(
  run: Run,
  span: Command | Operand,
  name: string,
  operands: readonly Operand[],
  dot: unknown,
  piped: Piped,
): unknown {
  if (name === "and" || name === "or") {
    return decide(run, span, name, operands, dot, piped);
  }
  const called = functionNamed(name, run.context);
  const count = operands.length + (piped ? 1 : 0);
  const complaint = countComplaint(name, called, count);
  if (complaint) run.fail(span, complaint);
  const values: unknown[] = [];
  for (const operand of operands) {
    const value = evaluateOperand(run, operand, dot);
    values.push(checked(run, called, values.length, value, operand, span));
  }
  if (piped) {
    values.push(
      checked(run, called, values.length, piped.value, undefined, span),
    );
  }
  return apply(run, span, name, called, values);
}

function checked(
  run: Run,
  called: TemplateFunction,
  index: number,
  value: unknown,
  operand: Operand | undefined,
  span: Command | Operand,
): unknown {
  const type = called.operands[index] ?? called.rest!;
  const result = checkedOperand(
    value,
    type,
    operand?.kind === "literal"
      ? { literal: run.template.source.slice(operand.start, operand.end) }
      : { nil: operand?.kind === "nil" },
  );
  if ("complaint" in result) run.fail(operand ?? span, result.complaint);
  return result.value;
}

function apply(
  run: Run,
  span: Command | Operand,
  name: string,
  called: TemplateFunction,
  values: unknown[],
): unknown {
  try {
    const call = called.call as (
      context: InterpolationContext,
      ...operands: unknown[]
    ) => unknown;
    run.step(span, charactersIn(values));
    const result = call(run.context, ...values);
    if (typeof result === "string") {
      if (result.length > MAX_TEXT_LENGTH) throw tooLong();
      run.step(span, result.length);
    }
    return result;
  } catch (cause) {
    if (cause instanceof InterpolationError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return run.fail(span, `error calling ${name}: ${reason}`, { cause });
  }
}

function charactersIn(values: readonly unknown[]): number {
  let count = 0;
  for (const value of values) {
    if (typeof value === "string") count += value.length;
  }
  return count;
}

// `and` and `or` yield the operand that decides, and evaluate none after it.
function decide(
  run: Run,
  span: Command | Operand,
  name: "and" | "or",
  operands: readonly Operand[],
  dot: unknown,
  piped: Piped,
): unknown {
  let value: unknown;
  for (const operand of operands) {
    value = evaluateOperand(run, operand, dot);
    if (isTrue(value) === (name === "or")) return value;
  }
  if (piped) return piped.value;
  if (operands.length > 0) return value;
  return run.fail(
    span,
    `wrong number of args for ${name}: want at least 1 got 0`,
  );
}
