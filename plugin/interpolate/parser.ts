// Parses a template: its text, its actions, and the blocks between {{if}},
// {{range}}, {{with}}, {{define}}, {{block}} and their {{end}}.

import type { Branch, Statement, Template } from "./ast.ts";
import { placeOf } from "./error.ts";
import { type Token, tokenize } from "./lexer.ts";
import { parseLiteral, parsePipeline, type Scope } from "./pipeline.ts";
import { TokenReader } from "./token_reader.ts";
import { Variables } from "./variables.ts";

/**
 * Parses a template.
 *
 * @param source its text
 * @param isFunction whether a name is a function's
 * @throws InterpolationError at the first mistake
 */
export function parseTemplate(
  source: string,
  isFunction: (name: string) => boolean,
): Template {
  return new Parser(source, isFunction).template();
}

// Where a list of statements ended.
type Ending = "end" | "else";

class Parser {
  readonly #reader: TokenReader;
  readonly #isFunction: (name: string) => boolean;
  readonly #definitions = new Map<string, readonly Statement[]>();
  #scope: Scope;
  #loops = 0;

  constructor(source: string, isFunction: (name: string) => boolean) {
    this.#reader = new TokenReader(source, tokenize(source));
    this.#isFunction = isFunction;
    this.#scope = this.#newScope();
  }

  template(): Template {
    const body: Statement[] = [];
    while (this.#reader.peek().kind !== "end") {
      const open = this.#reader.peek();
      if (open.kind === "open" && isKeyword(this.#reader.peek(1), "define")) {
        this.#define();
        continue;
      }
      const statement = this.#statement();
      if (typeof statement === "string") {
        this.#reader.fail(open.start, `unexpected {{${statement}}}`);
      }
      body.push(statement);
    }
    const { source } = this.#reader;
    return { source, body, definitions: this.#definitions };
  }

  #newScope(): Scope {
    const variables = new Variables<true>();
    variables.declare("$", true);
    return { variables, isFunction: this.#isFunction };
  }

  #define(): void {
    const open = this.#reader.take();
    this.#reader.take();
    const name = this.#templateName("define clause");
    this.#reader.expect("close", "define clause");
    this.#definition(open, name);
  }

  // A definition's body is a separate template: it cannot use the
  // variables and loops around it.
  #definition(open: Token, name: string): void {
    const [scope, loops] = [this.#scope, this.#loops];
    this.#scope = this.#newScope();
    this.#loops = 0;
    const body = this.#bodyToEnd(open);
    if (this.#definitions.has(name)) {
      this.#reader.fail(
        open.start,
        `multiple definition of template ${JSON.stringify(name)}`,
      );
    }
    this.#definitions.set(name, body);
    [this.#scope, this.#loops] = [scope, loops];
  }

  #templateName(context: string): string {
    const token = this.#reader.take();
    if (token.kind !== "string" && token.kind !== "rawString") {
      this.#reader.refuse(token, context);
    }
    return String(parseLiteral(this.#reader, token));
  }

  // Statements up to {{end}} or {{else}}; "else" is left to be looked into.
  #body(open: Token): { statements: Statement[]; ending: Ending } {
    return this.#reader.nested(open, () => {
      const statements: Statement[] = [];
      for (;;) {
        if (this.#reader.peek().kind === "end") this.#unclosed(open);
        const statement = this.#statement();
        if (typeof statement === "string") {
          return { statements, ending: statement };
        }
        statements.push(statement);
      }
    });
  }

  #unclosed(open: Token): never {
    const { line } = placeOf(this.#reader.source, open.start);
    this.#reader.fail(
      this.#reader.peek().start,
      `unexpected EOF; the block that began in line ${line} has no {{end}}`,
    );
  }

  #bodyToEnd(open: Token): Statement[] {
    const { statements, ending } = this.#body(open);
    if (ending === "else") {
      this.#reader.fail(this.#reader.end, "expected end; found {{else}}");
    }
    return statements;
  }

  #statement(): Statement | Ending {
    const token = this.#reader.take();
    if (token.kind === "text") {
      const { value: text, start, end } = token;
      return { kind: "text", text, start, end };
    }
    if (token.kind !== "open") this.#reader.refuse(token, "input");
    const word = this.#reader.peek();
    if (word.kind === "keyword" && word.value !== "nil") {
      this.#reader.take();
      return this.#keyword(token, word);
    }
    const pipeline = parsePipeline(this.#reader, this.#scope, "command");
    return {
      kind: "output",
      pipeline,
      start: token.start,
      end: this.#reader.end,
    };
  }

  #keyword(open: Token, word: Token): Statement | Ending {
    switch (word.value) {
      case "if":
        return this.#if(open);
      case "range":
      case "with":
        return this.#loopOrWith(open, word.value);
      case "template":
        return this.#call(open);
      case "block":
        return this.#block(open);
      case "break":
      case "continue":
        return this.#jump(open, word.value);
      case "end":
        this.#reader.expect("close", "end");
        return "end";
      case "else":
        if (!isKeyword(this.#reader.peek(), "if")) {
          this.#reader.expect("close", "else");
        }
        return "else";
      default:
        return this.#reader.refuse(word, "command");
    }
  }

  // Its `else if`s are branches of one statement: a long chain is not deep.
  #if(open: Token): Statement {
    const declared = this.#scope.variables.mark();
    const branches: Branch[] = [];
    let otherwise: Statement[] = [];
    for (;;) {
      const condition = parsePipeline(this.#reader, this.#scope, "if");
      const { statements, ending } = this.#body(open);
      branches.push({ condition, body: statements });
      if (ending === "end") break;
      if (isKeyword(this.#reader.peek(), "if")) {
        this.#reader.take();
        continue;
      }
      otherwise = this.#bodyToEnd(open);
      break;
    }
    this.#scope.variables.forget(declared);
    const { start } = open;
    return { kind: "if", branches, otherwise, start, end: this.#reader.end };
  }

  #loopOrWith(open: Token, kind: "range" | "with"): Statement {
    const declared = this.#scope.variables.mark();
    const pipeline = parsePipeline(this.#reader, this.#scope, kind);
    if (kind === "range") this.#loops++;
    const { statements: body, ending } = this.#body(open);
    if (kind === "range") this.#loops--;
    if (ending === "else" && isKeyword(this.#reader.peek(), "if")) {
      this.#reader.refuse(this.#reader.peek(), "else");
    }
    const otherwise = ending === "else" ? this.#bodyToEnd(open) : [];
    this.#scope.variables.forget(declared);
    const { start } = open;
    return { kind, pipeline, body, otherwise, start, end: this.#reader.end };
  }

  #call(open: Token): Statement {
    const name = this.#templateName("template clause");
    const { start } = open;
    if (this.#reader.peek().kind === "close") {
      this.#reader.take();
      return { kind: "template", name, start, end: this.#reader.end };
    }
    const pipeline = parsePipeline(
      this.#reader,
      this.#scope,
      "template clause",
    );
    return { kind: "template", name, pipeline, start, end: this.#reader.end };
  }

  #block(open: Token): Statement {
    const name = this.#templateName("block clause");
    const pipeline = parsePipeline(this.#reader, this.#scope, "block clause");
    const { end } = this.#reader;
    this.#definition(open, name);
    return { kind: "template", name, pipeline, start: open.start, end };
  }

  #jump(open: Token, kind: "break" | "continue"): Statement {
    this.#reader.expect("close", kind);
    if (this.#loops === 0) {
      this.#reader.fail(open.start, `{{${kind}}} outside {{range}}`);
    }
    return { kind, start: open.start, end: this.#reader.end };
  }
}

function isKeyword(token: Token, word: string): boolean {
  return token.kind === "keyword" && token.value === word;
}
