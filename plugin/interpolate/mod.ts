// Interpolation: the `{{ }}` of a template, in the part of Go's text/template
// language and with the functions that Packer's JSON templates use.

import type { Template } from "./ast.ts";
import type { InterpolationContext } from "./context.ts";
import { evaluate } from "./evaluate.ts";
import { isFunction } from "./expression.ts";
import { parseTemplate } from "./parser.ts";

export type {
  Branch,
  Command,
  Operand,
  Pipeline,
  Statement,
  Template,
} from "./ast.ts";
export {
  type InterpolationBudget,
  type InterpolationContext,
  PLACEHOLDER_MESSAGE,
} from "./context.ts";
export { InterpolationError, type Span } from "./error.ts";
export { evaluate } from "./evaluate.ts";
export {
  actionsIn,
  type UserReferences,
  userReferences,
} from "./references.ts";
export type { Float } from "./values.ts";

/**
 * Whether a string may contain anything to interpolate. If not,
 * {@linkcode interpolate} returns it unchanged.
 */
export function mayInterpolate(text: string): boolean {
  return text.includes("{{");
}

/**
 * Interpolates a string once: the result is not interpolated again.
 *
 * @param text the template
 * @param context what its functions and fields read
 * @throws InterpolationError when it cannot be parsed or evaluated
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const text = interpolate("{{user `name`}}-{{.Path | upper}}", {
 *   userVariables: { name: "web" },
 *   data: { Path: "/tmp/x" },
 * });
 * assertEquals(text, "web-/TMP/X");
 * ```
 */
export function interpolate(
  text: string,
  context: InterpolationContext,
): string {
  return mayInterpolate(text) ? evaluate(parse(text, context), context) : text;
}

/**
 * Parses a string, to be evaluated later, or many times, with
 * {@linkcode evaluate}.
 *
 * @param text the template
 * @param context names the functions that it may call in addition to the known ones
 * @throws InterpolationError at the first mistake
 */
export function parse(
  text: string,
  context: Pick<InterpolationContext, "functions"> = {},
): Template {
  return parseTemplate(text, (name) => isFunction(name, context));
}

/**
 * Makes sure that a text can be parsed and calls only known functions,
 * without evaluating it: nothing that it reads has to be known yet.
 *
 * @throws InterpolationError at the first mistake
 */
export function validateTemplate(
  text: string,
  context: Pick<InterpolationContext, "functions"> = {},
): void {
  if (mayInterpolate(text)) parse(text, context);
}
