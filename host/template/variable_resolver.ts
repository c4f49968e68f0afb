// Resolves variables that refer to each other: each is interpolated after the
// variables that its value uses, whatever their order in the template.

import {
  evaluate,
  type InterpolationContext,
  mayInterpolate,
  parse,
  type Template,
  userReferences,
} from "../../plugin/interpolate/mod.ts";

/** A variable before it is interpolated. */
export interface InitialVariable {
  /** Its value before interpolation. */
  readonly value: string;
  /** The origin of the value, for example `"-var name"`; absent for the template's default. */
  readonly origin?: string;
}

/** A variable whose value cannot be interpolated. */
export interface VariableFailure {
  /** Its name. */
  readonly name: string;
  /** The error of the interpolation. */
  readonly error: unknown;
}

/** Variables that have no value because each refers to the next. */
export class VariableCycle extends Error {
  /** The error's class. */
  override readonly name = "VariableCycle";
  /** Their names; the first is repeated at the end. */
  readonly names: readonly string[];

  /**
   * @param names Their names; the first is repeated at the end.
   */
  constructor(names: readonly string[]) {
    super(names.join(" -> "));
    this.names = names;
  }
}

/** Thrown when an interpolation reads a variable that has no value yet. */
class Unresolved extends Error {
  constructor(readonly variable: string) {
    super(`variable without a value yet: ${variable}`);
  }
}

/** A variable that is being resolved, on top of the one that refers to it. */
interface Frame {
  readonly name: string;
  /**
   * Whether the evaluation of the variable below read it. If not, its name only
   * occurs there, perhaps in a branch of an `if` that is not taken.
   */
  readonly isNeeded: boolean;
  /** The names in its value that have not been visited. */
  readonly references: Iterator<string>;
}

/** A value that is parsed once, however often it is evaluated. */
interface ParsedValue {
  readonly template: Template;
  /** Puts the fields back into the result in place of their placeholders. */
  readonly restore: (text: string) => string;
}

/** Resolves the values of variables. */
export class VariableValues {
  readonly #initial: ReadonlyMap<string, InitialVariable>;
  readonly #context: InterpolationContext;
  readonly #values = new Map<string, string>();
  readonly #failed = new Set<string>();
  readonly #failures: VariableFailure[] = [];
  readonly #parsed = new Map<string, ParsedValue>();

  /**
   * @param initial The variables before they are interpolated.
   * @param context The rest of the context in which they are interpolated.
   */
  constructor(
    initial: ReadonlyMap<string, InitialVariable>,
    context: InterpolationContext,
  ) {
    this.#initial = initial;
    // A getter throws only when a template evaluates it: a variable in a branch
    // of an {{if}} that is not taken need not have a value.
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
    this.#context = { budget: { steps: 0 }, ...context, userVariables };
  }

  /**
   * Interpolates all variables.
   *
   * @returns The values, and the failures. A variable whose only fault is that it
   * uses a failed variable is not among the failures.
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

  /**
   * Interpolates one variable, after the variables whose names occur in its
   * value, so that each is usually evaluated once.
   */
  #resolve(name: string): void {
    if (this.#isDone(name)) return;
    // An explicit stack: a chain of variables may be longer than the call stack.
    const stack: Frame[] = [];
    const depths = new Map<string, number>();
    const push = (name: string, isNeeded: boolean) => {
      depths.set(name, stack.length);
      stack.push({ name, isNeeded, references: this.#references(name) });
    };
    const popTo = (depth: number) => {
      while (stack.length > depth) depths.delete(stack.pop()!.name);
    };
    push(name, true);
    while (stack.length > 0) {
      const { name, references } = stack.at(-1)!;
      const { done, value: reference } = references.next();
      if (!done) {
        const isOpen = this.#initial.has(reference) &&
          !this.#isDone(reference) && !depths.has(reference);
        if (isOpen) push(reference, false);
        continue;
      }
      const needed = this.#attempt(name);
      const depth = needed === undefined ? undefined : depths.get(needed);
      if (needed === undefined || this.#failed.has(needed)) {
        if (needed !== undefined) this.#failed.add(name);
        popTo(stack.length - 1);
      } else if (depth === undefined) {
        push(needed, true);
      } else {
        const cycle = stack.slice(depth);
        const unneeded = cycle.findIndex(({ isNeeded }, index) =>
          index > 0 && !isNeeded
        );
        if (unneeded === -1) this.#failCycle(cycle.map(({ name }) => name));
        popTo(depth + Math.max(0, unneeded));
      }
    }
  }

  #references(name: string): Iterator<string> {
    try {
      const parsed = this.#parse(name);
      if (parsed !== undefined) {
        return userReferences(parsed.template).names.values();
      }
    } catch {
      // The attempt to interpolate it fails with the same error.
    }
    return [].values();
  }

  #parse(name: string): ParsedValue | undefined {
    const { value } = this.#initial.get(name)!;
    if (!mayInterpolate(value)) return undefined;
    const before = this.#parsed.get(name);
    if (before !== undefined) return before;
    const { text, restore } = withoutFields(value);
    const parsed = { template: parse(text, this.#context), restore };
    this.#parsed.set(name, parsed);
    return parsed;
  }

  /**
   * Interpolates one variable.
   *
   * @returns The name of a variable that must be resolved first, if any.
   */
  #attempt(name: string): string | undefined {
    try {
      const parsed = this.#parse(name);
      this.#values.set(
        name,
        parsed === undefined
          ? this.#initial.get(name)!.value
          : parsed.restore(evaluate(parsed.template, this.#context)),
      );
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      if (cause instanceof Unresolved) return cause.variable;
      this.#fail(name, error);
    }
    this.#parsed.delete(name);
  }

  #failCycle(names: readonly string[]): void {
    this.#fail(names[0]!, new VariableCycle([...names, names[0]!]));
    for (const name of names) this.#failed.add(name);
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
const FIRST_INDEX = 0xe002;
const MAX_FIELDS = 0xf8ff - FIRST_INDEX;

/**
 * Replaces fields such as `{{.Vars}}` in a value by placeholders: the component
 * in whose configuration the variable is used evaluates them. A placeholder is
 * as long as its field, so that the offsets of errors stay correct.
 */
function withoutFields(
  value: string,
): { text: string; restore: (text: string) => string } {
  const fields: string[] = [];
  let text = "";
  let copied = 0;
  for (const [start, end] of fieldsIn(value)) {
    if (fields.length > MAX_FIELDS) break;
    const field = value.slice(start, end);
    text += value.slice(copied, start) +
      (MARK + String.fromCharCode(FIRST_INDEX + fields.length))
        .padEnd(field.length, PADDING);
    fields.push(field);
    copied = end;
  }
  if (fields.length === 0) return { text: value, restore: (text) => text };
  const restore = (text: string) =>
    text.replace(
      new RegExp(`${MARK}(.)${PADDING}*`, "gs"),
      (mark, index: string) =>
        fields[index.charCodeAt(0) - FIRST_INDEX] ?? mark,
    );
  return { text: text + value.slice(copied), restore };
}

const FIELD_START = /\{\{\s?\./g;
const LINE_END = /[\n\r\u2028\u2029]/g;

/**
 * Returns the offsets of the fields in a value, as Packer's pattern
 * `\{\{\s?\.(.*?)\s?\}\}` finds them. Takes time linear in the length of the
 * value, even where braces are not closed.
 */
function* fieldsIn(value: string): Generator<[start: number, end: number]> {
  let close = -1;
  let lineEnd = -1;
  let behind = 0;
  for (const { 0: { length }, index } of value.matchAll(FIELD_START)) {
    if (index < behind) continue;
    const inner = index + length;
    if (close < inner) close = value.indexOf("}}", inner);
    if (close === -1) return;
    if (lineEnd < inner) {
      LINE_END.lastIndex = inner;
      lineEnd = LINE_END.exec(value)?.index ?? value.length;
    }
    // The whitespace before the braces may be a line end.
    if (lineEnd < close - 1) continue;
    behind = close + 2;
    yield [index, behind];
  }
}
