// A template function with the types of its arguments, and the check of a
// call against them.

import type { InterpolationContext } from "./context.ts";
import { Float, kindOf, numberOf, typeName } from "./values.ts";

/** What an operand must be. */
export type OperandType = "string" | "int" | "any";

/** A function that a template can call. */
export interface TemplateFunction {
  /** The operands that must be there. */
  readonly operands: readonly OperandType[];
  /** What any number of further operands must be; without it none may follow. */
  readonly rest?: OperandType;
  /** Does it, on operands that were checked. */
  readonly call: (
    context: InterpolationContext,
    ...operands: never[]
  ) => unknown;
}

/** Why the number of operands is wrong, or undefined. */
export function countComplaint(
  name: string,
  { operands, rest }: TemplateFunction,
  count: number,
): string | undefined {
  const wanted = operands.length;
  if (count === wanted || (rest && count > wanted)) return undefined;
  const least = rest ? "at least " : "";
  return `wrong number of args for ${name}: want ${least}${wanted} got ${count}`;
}

/** Where an operand came from: a value that is written there, or one at work. */
export interface Origin {
  /** The text of a literal. */
  readonly literal?: string;
  /** Whether it is the word `nil`. */
  readonly nil?: boolean;
}

/** The operand as the function takes it, or why it does not. */
export function checkedOperand(
  value: unknown,
  type: OperandType,
  origin: Origin,
): { value: unknown } | { complaint: string } {
  if (type === "any") return { value };
  if (origin.nil) return { complaint: `cannot assign nil to ${type}` };
  if (
    type === "int" && value instanceof Float && Number.isInteger(value.value)
  ) {
    return { value: value.value };
  }
  if (kindOf(value) === type) {
    return { value: type === "int" ? Number(numberOf(value)) : value };
  }
  if (value === undefined) {
    return { complaint: `invalid value; expected ${type}` };
  }
  return {
    complaint: origin.literal === undefined
      ? `wrong type for value; expected ${type}; got ${typeName(value)}`
      : `expected ${
        type === "int" ? "integer" : type
      }; found ${origin.literal}`,
  };
}
