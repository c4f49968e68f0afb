// Go's fmt: Printf's directives, and Print and Println. Wrong directives are
// written into the result, as Go does: `%!d(string=x)`, `%!s(MISSING)`.
//
// No package is used for it: those that know Go's verbs print JavaScript's
// objects, where a template's user expects Go's maps and lists.

import { formatOperand, NO_FLAGS, type Spec } from "./format.ts";
import { StringBuilder } from "./strings.ts";
import { goType, kindOf } from "./values.ts";

// Go refuses a width beyond this one too.
const MAX_WIDTH = 1e6;

/**
 * Formats the operands.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sprintf("%05d|%-4s|%v", [42, "a", [1, true]]), "00042|a   |[1 true]");
 * ```
 */
export function sprintf(format: string, operands: readonly unknown[]): string {
  return new Printer(format, operands).run();
}

class Printer {
  readonly #format: string;
  readonly #operands: readonly unknown[];
  #at = 0;
  #operand = 0;
  #reordered = false;
  #badIndex = false;
  #notes = "";

  constructor(format: string, operands: readonly unknown[]) {
    this.#format = format;
    this.#operands = operands;
  }

  run(): string {
    const result = new StringBuilder();
    for (;;) {
      const percent = this.#format.indexOf("%", this.#at);
      if (percent === -1) break;
      result.append(this.#format.slice(this.#at, percent));
      this.#at = percent + 1;
      this.#notes = "";
      const written = this.#directive();
      result.append(this.#notes + written);
    }
    result.append(this.#format.slice(this.#at) + this.#extra());
    return result.toString();
  }

  #directive(): string {
    const flags = this.#flags();
    this.#reordered = this.#badIndex = false;
    this.#index();
    const width = this.#size("BADWIDTH");
    let precision: number | undefined;
    const last = this.#at === this.#format.length - 1;
    if (this.#format[this.#at] === "." && !last) {
      this.#at++;
      this.#index();
      precision = this.#size("BADPREC") ?? 0;
      if (precision < 0) precision = undefined;
    }
    this.#index();
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) return "%!(NOVERB)";
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    if (verb === "%") return "%";
    if (this.#badIndex) return `%!${verb}(BADINDEX)`;
    if (this.#operand >= this.#operands.length) return `%!${verb}(MISSING)`;
    const negative = width !== undefined && width < 0;
    const spec: Spec = {
      ...flags,
      left: flags.left || negative,
      zero: flags.zero && !flags.left && !negative,
      width: Math.abs(width ?? 0),
      precision,
    };
    return formatOperand(this.#operands[this.#operand++], verb, spec);
  }

  #flags(): Spec {
    const flags = { ...NO_FLAGS };
    for (;; this.#at++) {
      switch (this.#format[this.#at]) {
        case "#":
          flags.sharp = true;
          continue;
        case "0":
          flags.zero = true;
          continue;
        case "+":
          flags.plus = true;
          continue;
        case "-":
          flags.left = true;
          continue;
        case " ":
          flags.space = true;
          continue;
      }
      return flags;
    }
  }

  // [n]: which operand comes next.
  #index(): void {
    if (this.#format[this.#at] !== "[") return;
    this.#reordered = true;
    const end = this.#format.indexOf("]", this.#at);
    const text = end === -1 ? "" : this.#format.slice(this.#at + 1, end);
    const index = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    this.#at = end === -1 ? this.#at + 1 : end + 1;
    if (index < 1 || index > this.#operands.length) this.#badIndex = true;
    else this.#operand = index - 1;
  }

  // Digits, or * for the next operand.
  #size(complaint: string): number | undefined {
    let size: number | undefined;
    if (this.#format[this.#at] === "*") {
      this.#at++;
      const operand = this.#operands[this.#operand++];
      if (typeof operand === "number" && kindOf(operand) === "int") {
        size = operand;
      } else this.#notes += `%!(${complaint})`;
    } else {
      const start = this.#at;
      while (/^\d$/.test(this.#format[this.#at] ?? "")) this.#at++;
      if (this.#at > start) size = Number(this.#format.slice(start, this.#at));
    }
    if (size === undefined || Math.abs(size) <= MAX_WIDTH) return size;
    this.#notes += `%!(${complaint})`;
    return undefined;
  }

  #extra(): string {
    if (this.#reordered || this.#operand >= this.#operands.length) return "";
    const rest = this.#operands.slice(this.#operand).map((operand) =>
      operand === undefined || operand === null
        ? "<nil>"
        : `${goType(operand)}=${display(operand)}`
    );
    return `%!(EXTRA ${rest.join(", ")})`;
  }
}

/** A value as Go's `%v` writes it. */
export function display(value: unknown): string {
  return typeof value === "string"
    ? value
    : formatOperand(value, "v", NO_FLAGS);
}

/** Go's Sprint: a blank between two operands of which neither is text. */
export function sprint(operands: readonly unknown[]): string {
  const result = new StringBuilder();
  for (const [index, operand] of operands.entries()) {
    const isString = typeof operand === "string";
    if (index > 0 && !isString && typeof operands[index - 1] !== "string") {
      result.append(" ");
    }
    result.append(display(operand));
  }
  return result.toString();
}

/** Go's Sprintln: a blank between any two operands, and a line's end. */
export function sprintln(operands: readonly unknown[]): string {
  const result = new StringBuilder();
  for (const [index, operand] of operands.entries()) {
    result.append(index === 0 ? display(operand) : ` ${display(operand)}`);
  }
  result.append("\n");
  return result.toString();
}
