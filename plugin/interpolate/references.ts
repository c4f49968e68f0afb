// Finds the user variables that a template reads: every call of `user`, at any
// place, with its name.

import type { Command, Operand, Pipeline, Statement, Template } from "./ast.ts";

/** The user variables that a template reads. */
export interface UserReferences {
  /** Their names, each once, in the order of the template. */
  readonly names: ReadonlySet<string>;
  /**
   * Whether a name is computed, as in `{{user (print "a" "b")}}`: the template
   * may read any variable then.
   */
  readonly any: boolean;
}

/** Finds the user variables that a template reads, including those in branches. */
export function userReferences(template: Template): UserReferences {
  const search = new Search();
  search.statements(template.body);
  for (const body of template.definitions.values()) search.statements(body);
  return search;
}

class Search implements UserReferences {
  readonly names = new Set<string>();
  any = false;

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) {
      switch (statement.kind) {
        case "output":
          this.#pipeline(statement.pipeline);
          break;
        case "if":
          for (const { condition, body } of statement.branches) {
            this.#pipeline(condition);
            this.statements(body);
          }
          this.statements(statement.otherwise);
          break;
        case "range":
        case "with":
          this.#pipeline(statement.pipeline);
          this.statements(statement.body);
          this.statements(statement.otherwise);
          break;
        case "template":
          if (statement.pipeline) this.#pipeline(statement.pipeline);
      }
    }
  }

  #pipeline({ commands }: Pipeline): void {
    for (const command of commands) this.#command(command);
  }

  #command({ operands: [first, ...rest] }: Command): void {
    if (first?.kind === "function" && first.name === "user") {
      const [name] = rest;
      if (name?.kind === "literal" && typeof name.value === "string") {
        this.names.add(name.value);
      } else this.any = true;
    } else if (first) this.#operand(first);
    for (const operand of rest) this.#operand(operand);
  }

  #operand(operand: Operand): void {
    if (operand.kind === "pipeline") this.#pipeline(operand);
    else if (operand.kind === "chain") this.#operand(operand.base);
    // As an operand it has no name, and evaluating it fails.
    else if (operand.kind === "function" && operand.name === "user") {
      this.any = true;
    }
  }
}

/**
 * Returns the offsets of each `{{...}}` of a string, which need not be a valid template.
 * None are returned after one that is not closed.
 */
export function* actionsIn(
  text: string,
): Generator<[start: number, end: number]> {
  for (let start = text.indexOf("{{"); start !== -1;) {
    const close = text.indexOf("}}", start + 2);
    if (close === -1) return;
    yield [start, close + 2];
    start = text.indexOf("{{", close + 2);
  }
}
