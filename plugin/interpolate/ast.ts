// The syntax tree of a template. Every expression carries the part of the
// text that it was parsed from, so that an error can show it.

import type { Span } from "./error.ts";
import type { Float } from "./values.ts";

/** A parsed template; evaluate it with {@linkcode evaluate}. */
export interface Template {
  /** The text that it was parsed from. */
  readonly source: string;
  /** The statements outside of any `define`. */
  readonly body: readonly Statement[];
  /** The templates that `define` and `block` name. */
  readonly definitions: ReadonlyMap<string, readonly Statement[]>;
}

/** Text, or an action. */
export type Statement =
  | ({ readonly kind: "text"; readonly text: string } & Span)
  | ({ readonly kind: "output"; readonly pipeline: Pipeline } & Span)
  | ({
    readonly kind: "if";
    readonly branches: readonly Branch[];
    readonly otherwise: readonly Statement[];
  } & Span)
  | ({
    readonly kind: "range" | "with";
    readonly pipeline: Pipeline;
    readonly body: readonly Statement[];
    readonly otherwise: readonly Statement[];
  } & Span)
  | ({
    readonly kind: "template";
    readonly name: string;
    readonly pipeline?: Pipeline;
  } & Span)
  | ({ readonly kind: "break" | "continue" } & Span);

/** One `if` or `else if`. */
export interface Branch {
  /** The condition. */
  readonly condition: Pipeline;
  /** The statements that run when it is true. */
  readonly body: readonly Statement[];
}

/** Commands joined by `|`, whose result may be assigned to variables. */
export interface Pipeline extends Span {
  /** Distinguishes it from the other operands when it is in parentheses. */
  readonly kind: "pipeline";
  /** Names with their `$`. */
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  /** At least one. */
  readonly commands: readonly Command[];
}

/** An operand, or a function with its arguments. */
export interface Command extends Span {
  /** At least one. */
  readonly operands: readonly Operand[];
}

/** A value, or an expression that yields one. */
export type Operand =
  | Pipeline
  | ({ readonly kind: "function"; readonly name: string } & Span)
  | ({ readonly kind: "field"; readonly path: readonly string[] } & Span)
  | ({
    readonly kind: "variable";
    readonly name: string;
    readonly path: readonly string[];
  } & Span)
  | ({
    readonly kind: "chain";
    readonly base: Operand;
    readonly path: readonly string[];
  } & Span)
  | ({ readonly kind: "dot" | "nil" } & Span)
  | ({
    readonly kind: "literal";
    readonly value: boolean | string | number | bigint | Float;
  } & Span);
