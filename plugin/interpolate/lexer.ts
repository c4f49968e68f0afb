// Cuts a template's text into tokens, each with its offset. It reads every
// character once and never fails by itself: what cannot be a token becomes an
// "error" token, so that the parser reports the first mistake in the text.

import { MAX_TOKENS } from "./limits.ts";

/** What a token is. */
export type TokenKind =
  | "text"
  | "open"
  | "close"
  | "identifier"
  | "keyword"
  | "field"
  | "dot"
  | "variable"
  | "number"
  | "character"
  | "string"
  | "rawString"
  | "pipe"
  | "declare"
  | "assign"
  | "leftParen"
  | "rightParen"
  | "mark"
  | "error"
  | "end";

/** A piece of a template. */
export interface Token {
  readonly kind: TokenKind;
  /** Its text; for a field without the dot; for an error what is wrong. */
  readonly value: string;
  /** UTF-16 units from the start of the template. */
  readonly start: number;
  /** Offset after its last unit. */
  readonly end: number;
  /** Whether white space stands before it: what separates arguments. */
  readonly spaced: boolean;
}

const KEYWORDS = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
]);

const SINGLE_CHARACTER: Record<string, TokenKind> = {
  "|": "pipe",
  "=": "assign",
};

/** The tokens of a whole template, the last one of kind "end" or "error". */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

/** Whether the character is what Go's templates take for white space. */
function isSpace(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === "\r" ||
    character === "\n";
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /^[\p{L}\p{Nd}_]/u.test(character);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #position = 0;
  #spaced = false;
  #parens = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    while (this.#text()) {
      if (!this.#action()) return this.#tokens;
    }
    this.#push("end", this.#position, "");
    return this.#tokens;
  }

  // Text up to the next action. Returns false after the last action.
  #text(): boolean {
    const open = this.#source.indexOf("{{", this.#position);
    const found = open !== -1;
    let end = found ? open : this.#source.length;
    if (found && this.#trimsLeft(open)) {
      while (end > this.#position && isSpace(this.#source[end - 1])) end--;
    }
    if (end > this.#position) {
      this.#push(
        "text",
        this.#position,
        this.#source.slice(this.#position, end),
        end,
      );
    }
    this.#position = found ? open : this.#source.length;
    return found;
  }

  #trimsLeft(open: number): boolean {
    return this.#source[open + 2] === "-" && isSpace(this.#source[open + 3]);
  }

  // One action with its delimiters, or a comment. False after an error.
  #action(): boolean {
    const open = this.#position;
    this.#position += this.#trimsLeft(open) ? 4 : 2;
    if (this.#source.startsWith("/*", this.#position)) {
      return this.#comment(open);
    }
    this.#push("open", open, "{{");
    this.#parens = 0;
    for (;;) {
      const end = this.#close();
      if (end !== undefined) return end;
      if (!this.#inside()) return false;
    }
  }

  #comment(open: number): boolean {
    const end = this.#source.indexOf("*/", this.#position + 2);
    if (end === -1) {
      return this.#error(open, "unclosed comment; end it with */}}");
    }
    this.#position = end + 2;
    const trims = this.#trimsRight();
    if (!trims && !this.#source.startsWith("}}", this.#position)) {
      return this.#error(
        open,
        "comment ends before closing delimiter; */ must stand directly before }}",
      );
    }
    this.#skipClose(trims);
    return true;
  }

  #trimsRight(): boolean {
    return isSpace(this.#source[this.#position]) &&
      this.#source.startsWith("-}}", this.#position + 1);
  }

  #skipClose(trims: boolean): void {
    this.#position += trims ? 4 : 2;
    if (!trims) return;
    while (isSpace(this.#source[this.#position])) this.#position++;
  }

  // True at the end of an action, false after an error, undefined inside.
  #close(): boolean | undefined {
    const trims = this.#trimsRight();
    if (!trims && !this.#source.startsWith("}}", this.#position)) {
      return undefined;
    }
    if (this.#parens > 0) {
      return this.#error(
        this.#position,
        'unclosed left paren; a ")" is missing',
      );
    }
    const start = this.#position + (trims ? 2 : 0);
    this.#push("close", start, "}}", start + 2);
    this.#skipClose(trims);
    return true;
  }

  // One token within an action. False after an error.
  #inside(): boolean {
    const start = this.#position;
    if (this.#tokens.length >= MAX_TOKENS) {
      return this.#error(
        start,
        `the template has more than ${MAX_TOKENS} tokens; make it shorter`,
      );
    }
    const character = this.#source[start];
    if (character === undefined) {
      return this.#error(start, "unclosed action; a }} is missing");
    }
    if (isSpace(character)) {
      this.#position++;
      this.#spaced = true;
      return true;
    }
    if (character === '"' || character === "'") return this.#quoted(character);
    if (character === "`") return this.#rawString();
    if (character === "$") return this.#name("variable");
    if (character === "." && !isDigit(this.#source[start + 1])) {
      return this.#name("field");
    }
    if ("+-.".includes(character) || isDigit(character)) return this.#number();
    if (character === "(" || character === ")") return this.#paren(character);
    if (this.#source.startsWith(":=", start)) return this.#emit("declare", 2);
    const kind = SINGLE_CHARACTER[character];
    if (kind) return this.#emit(kind, 1);
    const point = this.#point(start);
    if (isWord(point)) return this.#name("identifier");
    if (character === ":") {
      return this.#error(start, 'expected :=; write "$name := value"');
    }
    if (character > " " && character <= "~") return this.#emit("mark", 1);
    return this.#error(
      start,
      `unrecognized character in action: ${describe(point)}`,
    );
  }

  #paren(character: string): boolean {
    this.#parens += character === "(" ? 1 : -1;
    if (this.#parens < 0) {
      return this.#error(this.#position, 'unexpected ")"; no "(" is open here');
    }
    return this.#emit(character === "(" ? "leftParen" : "rightParen", 1);
  }

  #quoted(quote: string): boolean {
    const start = this.#position;
    for (let at = start + 1;; at++) {
      const character = this.#source[at];
      if (character === undefined || character === "\n") {
        return this.#error(
          start,
          quote === '"'
            ? 'unterminated quoted string; a closing " is missing'
            : "unterminated character constant; a closing ' is missing",
        );
      }
      if (character === "\\") at++;
      else if (character === quote) {
        const kind = quote === '"' ? "string" : "character";
        return this.#emit(kind, at + 1 - start);
      }
    }
  }

  #rawString(): boolean {
    const end = this.#source.indexOf("`", this.#position + 1);
    if (end !== -1) return this.#emit("rawString", end + 1 - this.#position);
    return this.#error(
      this.#position,
      "unterminated raw quoted string; a closing ` is missing",
    );
  }

  // Where it ends; whether it is a number at all is the parser's to say.
  #number(): boolean {
    const start = this.#position;
    const hexadecimal = /^[+-]?0[xX]/.test(
      this.#source.slice(start, start + 3),
    );
    let end = start + 1;
    for (;; end++) {
      const character = this.#source[end];
      const sign = (character === "+" || character === "-") && !hexadecimal &&
        /[eE]/.test(this.#source[end - 1]!);
      if (!sign && character !== "." && !isWord(this.#point(end))) break;
    }
    return this.#emit("number", end - start);
  }

  #name(kind: "identifier" | "field" | "variable"): boolean {
    const start = this.#position;
    let end = kind === "identifier" ? start : start + 1;
    for (
      let point = this.#point(end);
      isWord(point);
      point = this.#point(end)
    ) {
      end += point!.length;
    }
    if (!this.#terminates(end)) {
      return this.#error(end, `bad character ${describe(this.#point(end))}`);
    }
    const value = this.#source.slice(start, end);
    this.#position = end;
    if (value === ".") this.#push("dot", start, value);
    else if (kind === "field") this.#push("field", start, value.slice(1));
    else this.#push(KEYWORDS.has(value) ? "keyword" : kind, start, value);
    return true;
  }

  #terminates(at: number): boolean {
    const character = this.#source[at];
    return character === undefined || isSpace(character) ||
      ".,|:()".includes(character) || this.#source.startsWith("}}", at);
  }

  #point(at: number): string | undefined {
    const code = this.#source.codePointAt(at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  #emit(kind: TokenKind, length: number): true {
    const start = this.#position;
    this.#position += length;
    this.#push(kind, start, this.#source.slice(start, this.#position));
    return true;
  }

  #error(start: number, message: string): false {
    this.#push("error", start, message);
    return false;
  }

  #push(kind: TokenKind, start: number, value: string, end = this.#position) {
    this.#tokens.push({ kind, value, start, end, spaced: this.#spaced });
    this.#spaced = false;
  }
}

function describe(point: string | undefined): string {
  const code = (point ?? "").codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  return code > 0x20 && code !== 0x7f ? `U+${hex} '${point}'` : `U+${hex}`;
}
