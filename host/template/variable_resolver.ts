// Variables refer to variables: each is interpolated after those that its
// value reads, whatever their order in the template.

import {
  interpolate,
  type InterpolationContext,
} from "../../plugin/interpolate/mod.ts";

/** A variable before it is interpolated. */
export interface InitialVariable {
  /** What it has to be interpolated. */
  readonly value: string;
  /** Who gave it, for example `"-var name"`; absent for the template's default. */
  readonly origin?: string;
}

/** A variable that has no value in the end. */
export interface VariableFailure {
  /** Its name. */
  readonly name: string;
  /** Why. */
  readonly error: unknown;
}

/** Variables that can have no value, since each waits for the next. */
export class VariableCycle extends Error {
  /** The error's class. */
  override readonly name = "VariableCycle";
  /** Their names, the first once more at the end. */
  readonly names: readonly string[];

  /**
   * A cycle of these.
   *
   * @param names Their names, the first once more at the end.
   */
  constructor(names: readonly string[]) {
    super(names.join(" -> "));
    this.names = names;
  }
}

/** Thrown into an interpolation that reads a variable which is not known yet. */
class Unresolved extends Error {
  constructor(readonly variable: string) {
    super(`variable not known yet: ${variable}`);
  }
}

/** The variables on their way to their values. */
export class VariableValues {
  readonly #initial: ReadonlyMap<string, InitialVariable>;
  readonly #context: InterpolationContext;
  readonly #values = new Map<string, string>();
  readonly #failed = new Set<string>();
  readonly #failures: VariableFailure[] = [];

  /**
   * No values yet.
   *
   * @param initial The variables before they are interpolated.
   * @param context What they are interpolated in, beside one another.
   */
  constructor(
    initial: ReadonlyMap<string, InitialVariable>,
    context: InterpolationContext,
  ) {
    this.#initial = initial;
    // A value is read when a template asks for it, so that what a template
    // does not get to, behind an {{if}}, need not have a value.
    const userVariables: Record<string, string> = {};
    for (const name of initial.keys()) {
      Object.defineProperty(userVariables, name, {
        enumerable: true,
        get: () => {
          const value = this.#values.get(name);
          if (value === undefined) throw new Unresolved(name);
          return value;
        },
      });
    }
    this.#context = { ...context, userVariables };
  }

  /**
   * Interpolates them all.
   *
   * @returns The values, and those that have none. One that only reads
   * another that failed is not among the failures.
   */
  resolve(): {
    values: Record<string, string>;
    failures: readonly VariableFailure[];
  } {
    for (const name of this.#initial.keys()) this.#resolve(name);
    const values = [...this.#initial.keys()].map((name) =>
      [name, this.#values.get(name) ?? ""] as const
    );
    return { values: Object.fromEntries(values), failures: this.#failures };
  }

  /** Interpolates one, and before it those that it reads. */
  #resolve(name: string): void {
    if (this.#isDone(name)) return;
    // A stack of its own: a chain of variables may be longer than calls can nest.
    const waiting = [name];
    const awaited = new Set(waiting);
    while (waiting.length > 0) {
      const current = waiting.at(-1)!;
      const needed = this.#attempt(current);
      if (needed === undefined || this.#failed.has(needed)) {
        if (needed !== undefined) this.#failed.add(current);
        awaited.delete(current);
        waiting.pop();
      } else if (awaited.has(needed)) {
        const cycle = waiting.slice(waiting.indexOf(needed));
        this.#fail(needed, new VariableCycle([...cycle, needed]));
        for (const other of waiting) this.#failed.add(other);
        return;
      } else {
        awaited.add(needed);
        waiting.push(needed);
      }
    }
  }

  /**
   * Interpolates one.
   *
   * @returns The variable that it needs first, if it does.
   */
  #attempt(name: string): string | undefined {
    try {
      const { text, restore } = withoutFields(this.#initial.get(name)!.value);
      this.#values.set(name, restore(interpolate(text, this.#context)));
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      if (cause instanceof Unresolved) return cause.variable;
      this.#fail(name, error);
    }
  }

  #fail(name: string, error: unknown): void {
    this.#failed.add(name);
    this.#failures.push({ name, error });
  }

  #isDone(name: string): boolean {
    return this.#values.has(name) || this.#failed.has(name);
  }
}

const MARK = "\ue000";
const PADDING = "\ue001";
const FIRST = 0xe002;
const MOST = 0xf8ff - FIRST;

/**
 * Takes the fields like `{{.Vars}}` out of a value: they are for the component
 * in whose configuration the variable is read. What stands in for each is as
 * long as it, so that the places of errors stay right.
 */
function withoutFields(
  value: string,
): { text: string; restore: (text: string) => string } {
  const fields: string[] = [];
  const text = value.replace(/\{\{\s?\.(.*?)\s?\}\}/g, (field) => {
    if (fields.length > MOST) return field;
    fields.push(field);
    return (MARK + String.fromCharCode(FIRST + fields.length - 1))
      .padEnd(field.length, PADDING);
  });
  if (fields.length === 0) return { text, restore: (text) => text };
  const restore = (text: string) =>
    text.replace(
      new RegExp(`${MARK}(.)${PADDING}*`, "gs"),
      (mark, index: string) => fields[index.charCodeAt(0) - FIRST] ?? mark,
    );
  return { text, restore };
}
