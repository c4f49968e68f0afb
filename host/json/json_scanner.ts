// A scanner of JSON: finds the position of each key and value, and explains syntax
// errors in terms of what the user probably meant.

/** The position of a value in a text; offsets are UTF-16 units from 0. */
export interface ValueRange {
  /** The offset of its key; absent when it has none. */
  key?: number;
  /** The offset of the value. */
  start: number;
  /** The values in it: by key in an object, by index in a list. */
  inner?: Map<string, ValueRange> | ValueRange[];
}

/** A problem in the syntax of a text. */
export interface SyntaxProblem {
  /** Its offset: UTF-16 units from 0. */
  offset: number;
  /** What is wrong, and what to do. */
  message: string;
}

/** The result of a scan. */
export interface Syntax {
  /** The outermost value; absent when the text is not JSON. */
  root?: ValueRange;
  /** The syntax error that stopped the scan. */
  mistake?: SyntaxProblem;
  /** The duplicate keys of objects, in the order of the text. */
  duplicates: SyntaxProblem[];
  /** The keys that are not allowed in any object. */
  forbidden: SyntaxProblem[];
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
const SPACE = /[ \t\r\n]*/y;
// A character class without alternatives: the regular expression engine records
// each repetition of a group, and would run out of memory in a long string.
// deno-lint-ignore no-control-regex
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = /(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,1000}/y;

/** Scans a text as JSON (RFC 8259). */
export function scanJson(text: string): Syntax {
  return new Scanner(text).scan();
}

interface Open {
  place: ValueRange;
  /** The object's next key; absent in a list. */
  key?: string;
}

class MistakeFound extends Error {
  constructor(readonly mistake: SyntaxProblem) {
    super(mistake.message);
  }
}

/** Scans one text. It has an explicit stack, so that nesting does not use the call stack. */
class Scanner {
  readonly #text: string;
  readonly #syntax: Syntax = { duplicates: [], forbidden: [] };
  readonly #open: Open[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): Syntax {
    try {
      this.#syntax.root = this.#document();
    } catch (error) {
      if (!(error instanceof MistakeFound)) throw error;
      this.#syntax.mistake = error.mistake;
    }
    return this.#syntax;
  }

  #document(): ValueRange {
    this.#space();
    if (this.#at === this.#text.length) {
      this.#fail("the file is empty: expected a value, for example {}");
    }
    const root: ValueRange = { start: this.#at };
    this.#value(root);
    while (this.#open.length > 0) this.#next(this.#open.at(-1)!);
    this.#space();
    if (this.#at < this.#text.length) {
      this.#refuseComment();
      this.#fail(
        `expected the end of the file but found ${this.#found()}; one file holds one value`,
      );
    }
    return root;
  }

  /** Scans the value at the current offset; an object or a list is only opened. */
  #value(place: ValueRange): void {
    const text = this.#text;
    switch (text[this.#at]) {
      case "{":
        this.#at++;
        place.inner = new Map();
        this.#open.push({ place });
        return;
      case "[":
        this.#at++;
        place.inner = [];
        this.#open.push({ place });
        return;
      case '"':
        this.#quoted();
        return;
    }
    for (const literal of ["true", "false", "null"]) {
      if (text.startsWith(literal, this.#at)) {
        return this.#end(this.#at + literal.length);
      }
    }
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(text)) this.#refuseValue();
    this.#end(NUMBER.lastIndex);
  }

  /** Ends a number or a literal, after which no letter or digit may follow. */
  #end(end: number): void {
    WORD.lastIndex = end;
    if (WORD.test(this.#text)) this.#refuseValue();
    this.#at = end;
  }

  /** Scans the next value of the innermost object or list. */
  #next({ place }: Open): void {
    const inner = place.inner!;
    const isList = Array.isArray(inner);
    const close = isList ? "]" : "}";
    const isFirst = isList ? inner.length === 0 : inner.size === 0;
    this.#space();
    if (this.#text[this.#at] === close) {
      this.#at++;
      this.#open.pop();
      return;
    }
    if (!isFirst) {
      this.#separator(close);
    } else if (this.#at === this.#text.length) {
      this.#refuseEnd();
    }
    const value: ValueRange = { start: this.#at };
    if (isList) {
      inner.push(value);
    } else {
      value.key = this.#at;
      this.#key(inner, value);
    }
    value.start = this.#at;
    this.#value(value);
  }

  #separator(close: string): void {
    if (this.#text[this.#at] !== ",") {
      if (this.#at === this.#text.length) this.#refuseEnd();
      this.#refuseComment();
      const hint = /["{[]/.test(this.#text[this.#at]!)
        ? "; is there a comma missing before it?"
        : "";
      this.#fail(
        `expected "," or "${close}" but found ${this.#found()}${hint}`,
      );
    }
    const comma = this.#at++;
    this.#space();
    if (this.#text[this.#at] === close) {
      const what = close === "}" ? "key of an object" : "value of a list";
      this.#fail(
        `expected another ${what} after this "," but found "${close}"; remove the comma, JSON allows no trailing comma`,
        comma,
      );
    }
    if (this.#at === this.#text.length) this.#refuseEnd();
  }

  #key(keys: Map<string, ValueRange>, value: ValueRange): void {
    if (this.#text[this.#at] !== '"') this.#refuseKey();
    const key = JSON.parse(this.#quoted()) as string;
    if (keys.has(key)) {
      this.#syntax.duplicates.push({
        offset: value.key!,
        message:
          `duplicate field: ${key}; the object already has this key, remove one`,
      });
    }
    if (key === "__proto__") {
      this.#syntax.forbidden.push({
        offset: value.key!,
        message: `"__proto__" is not allowed as a key; use another name`,
      });
    }
    keys.set(key, value);
    this.#space();
    if (this.#text[this.#at] !== ":") {
      if (this.#at === this.#text.length) this.#refuseEnd();
      this.#fail(
        `expected ":" after the key "${key}" but found ${this.#found()}`,
      );
    }
    this.#at++;
    this.#space();
  }

  /** Scans a string; returns it with its quotes. */
  #quoted(): string {
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    for (;;) {
      PLAIN_CHARACTERS.lastIndex = end;
      PLAIN_CHARACTERS.test(text);
      ESCAPES.lastIndex = end = PLAIN_CHARACTERS.lastIndex;
      if (text[end] !== "\\" || !ESCAPES.test(text)) break;
      end = ESCAPES.lastIndex;
    }
    if (text[end] === '"') {
      this.#at = end + 1;
      return text.slice(start, this.#at);
    }
    if (end >= text.length || text[end] === "\n" || text[end] === "\r") {
      this.#fail(
        'unterminated string: a closing " is missing (a line end in a string is written \\n)',
        start,
      );
    }
    if (text[end] === "\\") {
      this.#fail(
        `"${
          text.slice(end, end + 2).trim()
        }" is not an escape; a backslash is written \\\\`,
        end,
      );
    }
    const code = text.charCodeAt(end).toString(16).padStart(4, "0");
    this.#fail(
      `a string cannot contain a control character; write it \\${
        text[end] === "\t" ? "t" : `u${code}`
      }`,
      end,
    );
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #refuseKey(): never {
    this.#refuseComment();
    const found = this.#found();
    const word = this.#word();
    if (this.#text[this.#at] === "'" || word !== "") {
      const name = word || this.#text.slice(this.#at + 1).match(/^[^'\n]*/)![0];
      this.#fail(
        `expected a key in double quotes but found ${found}; write "${name}"`,
      );
    }
    this.#fail(`expected a key in double quotes but found ${found}`);
  }

  #refuseValue(): never {
    if (this.#at === this.#text.length) this.#refuseEnd();
    this.#refuseComment();
    const word = this.#word();
    const found = this.#found();
    const lower = word.toLowerCase();
    if (this.#text[this.#at] === "'") {
      this.#fail(
        `expected a value but found ${found}; JSON strings are in double quotes`,
      );
    }
    if (["true", "false", "null"].includes(lower)) {
      this.#fail(`expected a value but found ${found}; write ${lower}`);
    }
    if (["none", "nil", "undefined", "nan"].includes(lower)) {
      this.#fail(`expected a value but found ${found}; write null`);
    }
    if (/^[+-.]?\d/.test(word)) {
      this.#fail(
        `${found} is not a JSON number; write it like 0.5 or -3, or in double quotes`,
      );
    }
    const hint = word === "" ? "" : "; put strings in double quotes";
    this.#fail(`expected a value but found ${found}${hint}`);
  }

  #refuseComment(): void {
    if (/[/#]/.test(this.#text[this.#at] ?? "")) {
      this.#fail(
        `expected JSON but found ${this.#found()}; JSON has no comments, but a root key that begins with "_" is one`,
      );
    }
  }

  #refuseEnd(): never {
    const { place } = this.#open.at(-1)!;
    const [what, close] = Array.isArray(place.inner)
      ? ["list", "]"]
      : ["object", "}"];
    const line = this.#text.slice(0, place.start).split("\n").length;
    this.#fail(
      `the file ends here, but the ${what} that begins on line ${line} is not closed; is there a "${close}" missing?`,
      this.#text.trimEnd().length,
    );
  }

  #word(): string {
    WORD.lastIndex = this.#at;
    return WORD.exec(this.#text)?.[0] ?? "";
  }

  #found(): string {
    const character = this.#text.codePointAt(this.#at);
    if (character === undefined) return "the end of the file";
    const word = this.#word() || String.fromCodePoint(character);
    return JSON.stringify(word.length > 40 ? `${word.slice(0, 40)}...` : word);
  }

  #fail(message: string, offset = this.#at): never {
    throw new MistakeFound({ offset, message });
  }
}
