// A parser's place in the tokens: what comes next, and how to refuse it.

import { excerpt, InterpolationError, type Span } from "./error.ts";
import { MAX_NESTING } from "./limits.ts";
import type { Token, TokenKind } from "./lexer.ts";

/** Reads a template's tokens from the first to the last. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  /**
   * @param source the template's text
   * @param tokens what the lexer made of it
   */
  constructor(readonly source: string, tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token that comes next, or the one after so many more. */
  peek(further = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#next + further, last)]!;
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    if (this.#next < this.#tokens.length - 1) this.#next++;
    return token;
  }

  /** Takes the next token, which must be of the kind. */
  expect(kind: TokenKind, context: string): Token {
    if (this.peek().kind !== kind) this.refuse(this.peek(), context);
    return this.take();
  }

  /** Where the last token taken ended. */
  get end(): number {
    return this.#tokens[this.#next - 1]?.end ?? 0;
  }

  /** Runs what parses one level deeper, unless it is too deep. */
  nested<T>(at: Span, parse: () => T): T {
    if (++this.#depth > MAX_NESTING) {
      this.fail(at.start, `nested more than ${MAX_NESTING} levels deep`);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Ends parsing: this token has no place here. */
  refuse(token: Token, context: string): never {
    if (token.kind === "error") this.fail(token.start, token.value);
    if (token.kind === "end") this.fail(token.start, "unexpected EOF");
    const shown = token.kind === "keyword"
      ? `<${token.value}>`
      : JSON.stringify(excerpt(this.source, token, 40));
    this.fail(token.start, `unexpected ${shown} in ${context}`);
  }

  /** Ends parsing with the reason. */
  fail(offset: number, reason: string): never {
    throw new InterpolationError(this.source, offset, reason);
  }
}
