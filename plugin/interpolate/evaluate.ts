// Evaluates a parsed template: writes its text and what its actions yield.
// What a template may cost is bounded: steps, depth and the length of texts.

import type { Statement, Template } from "./ast.ts";
import type { InterpolationBudget, InterpolationContext } from "./context.ts";
import { excerpt, InterpolationError, type Span } from "./error.ts";
import { evaluatePipeline } from "./expression.ts";
import {
  CHARACTERS_PER_STEP,
  MAX_CALL_DEPTH,
  MAX_STEPS,
  MAX_TEXT_LENGTH,
} from "./limits.ts";
import { display } from "./printf.ts";
import { StringBuilder } from "./strings.ts";
import { elementsOf, entriesOf, isTrue, kindOf } from "./values.ts";
import { Variables } from "./variables.ts";

/**
 * Evaluates a template.
 *
 * @throws InterpolationError when an action cannot be evaluated
 */
export function evaluate(
  template: Template,
  context: InterpolationContext,
): string {
  const run = new Run(template, context);
  const dot = context.data ?? undefined;
  run.variables.declare("$", dot);
  run.write(template.body, dot);
  return run.output;
}

// How a list of statements was left.
type Exit = "done" | "break" | "continue";

/** One evaluation. */
export class Run {
  /** What `$` and `$name` stand for. */
  variables: Variables<unknown> = new Variables();
  readonly #budget: InterpolationBudget;
  readonly #written = new StringBuilder();
  #depth = 0;

  /**
   * @param template what is evaluated
   * @param context what it reads
   */
  constructor(
    readonly template: Template,
    readonly context: InterpolationContext,
  ) {
    this.#budget = context.budget ?? { steps: 0 };
  }

  /** What was written so far. */
  get output(): string {
    return this.#written.toString();
  }

  /** Ends the evaluation with the reason. */
  fail(span: Span, reason: string, options?: ErrorOptions): never {
    throw new InterpolationError(this.template.source, span, reason, options);
  }

  /**
   * Counts one step of work, and more for strings.
   *
   * @param span what is evaluated
   * @param characters how many UTF-16 units it reads or writes
   */
  step(span: Span, characters = 0): void {
    this.#budget.steps += 1 + Math.floor(characters / CHARACTERS_PER_STEP);
    if (this.#budget.steps > MAX_STEPS) {
      this.fail(
        span,
        `interpolation takes more than ${MAX_STEPS} steps (${CHARACTERS_PER_STEP} characters of a string are a step); shorten the template or its strings`,
      );
    }
  }

  /** Runs a function one level deeper, unless that exceeds the limit. */
  nested<T>(span: Span, work: () => T): T {
    if (++this.#depth > MAX_CALL_DEPTH) {
      this.fail(
        span,
        `templates and blocks nest more than ${MAX_CALL_DEPTH} levels`,
      );
    }
    const result = work();
    this.#depth--;
    return result;
  }

  /** Writes the statements. */
  write(statements: readonly Statement[], dot: unknown): Exit {
    for (const statement of statements) {
      const exit = statement.kind === "text"
        ? this.#text(statement)
        : this.#action(statement, dot);
      if (exit !== "done") return exit;
    }
    return "done";
  }

  #text(statement: Extract<Statement, { kind: "text" }>): "done" {
    this.#append(statement, statement.text);
    return "done";
  }

  #append(span: Span, text: string): void {
    this.step(span, text.length);
    if (this.#written.length + text.length > MAX_TEXT_LENGTH) {
      this.fail(
        span,
        `the template writes more than ${MAX_TEXT_LENGTH} characters`,
      );
    }
    this.#written.append(text);
  }

  #action(
    statement: Exclude<Statement, { kind: "text" }>,
    dot: unknown,
  ): Exit {
    this.step(statement);
    switch (statement.kind) {
      case "break":
      case "continue":
        return statement.kind;
      case "output":
        return this.#output(statement, dot);
      case "template":
        return this.#template(statement, dot);
    }
    const mark = this.variables.mark();
    const exit = this.nested(statement, () => {
      if (statement.kind === "if") return this.#if(statement, dot);
      if (statement.kind === "range") return this.#range(statement, dot);
      const value = evaluatePipeline(this, statement.pipeline, dot);
      return isTrue(value)
        ? this.write(statement.body, value)
        : this.write(statement.otherwise, dot);
    });
    this.variables.forget(mark);
    return exit;
  }

  #output(
    { pipeline }: Extract<Statement, { kind: "output" }>,
    dot: unknown,
  ): "done" {
    const value = evaluatePipeline(this, pipeline, dot);
    if (pipeline.variables.length > 0) return "done";
    const kind = kindOf(value);
    if (kind === "function") this.fail(pipeline, "can't print a function");
    this.#append(
      pipeline,
      kind === "nil" ? "<no value>" : this.#shown(pipeline, value),
    );
    return "done";
  }

  #shown(span: Span, value: unknown): string {
    try {
      return display(value);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.fail(span, `can't print it: ${reason}`, { cause });
    }
  }

  #if(statement: Extract<Statement, { kind: "if" }>, dot: unknown): Exit {
    for (const { condition, body } of statement.branches) {
      if (isTrue(evaluatePipeline(this, condition, dot))) {
        return this.write(body, dot);
      }
    }
    return this.write(statement.otherwise, dot);
  }

  #range(
    statement: Extract<Statement, { kind: "range" | "with" }>,
    dot: unknown,
  ): Exit {
    const { pipeline, body, otherwise } = statement;
    const value = evaluatePipeline(this, { ...pipeline, variables: [] }, dot);
    const entries = this.#entries(statement, value);
    for (const [key, element] of entries) {
      this.step(statement);
      const mark = this.variables.mark();
      const values = pipeline.variables.length === 1
        ? [element]
        : [key, element];
      for (const [index, name] of pipeline.variables.entries()) {
        if (pipeline.assigns) this.variables.assign(name, values[index]);
        else this.variables.declare(name, values[index]);
      }
      const exit = this.write(body, element);
      this.variables.forget(mark);
      if (exit === "break") break;
    }
    return entries.length === 0 ? this.write(otherwise, dot) : "done";
  }

  #entries(
    { pipeline }: Extract<Statement, { kind: "range" | "with" }>,
    value: unknown,
  ): [unknown, unknown][] {
    switch (kindOf(value)) {
      case "nil":
        return [];
      case "list":
        return [...elementsOf(value).entries()];
      case "map":
        return entriesOf(value);
    }
    const text = this.#shown(pipeline, value);
    const shown = excerpt(text, { start: 0, end: text.length });
    return this.fail(
      pipeline,
      `range can't iterate over ${shown}; it goes through lists and maps`,
    );
  }

  #template(
    statement: Extract<Statement, { kind: "template" }>,
    dot: unknown,
  ): "done" {
    const body = this.template.definitions.get(statement.name);
    if (!body) {
      this.fail(
        statement,
        `template ${JSON.stringify(statement.name)} not defined`,
      );
    }
    const value = statement.pipeline &&
      evaluatePipeline(this, statement.pipeline, dot);
    const outer = this.variables;
    this.variables = new Variables();
    this.variables.declare("$", value);
    this.nested(statement, () => this.write(body, value));
    this.variables = outer;
    return "done";
  }
}
