// Parses expressions: pipelines of commands, their operands, and the
// variables that a pipeline declares.

import type { Command, Operand, Pipeline } from "./ast.ts";
import { MAX_ARGUMENTS } from "./limits.ts";
import type { Token, TokenKind } from "./lexer.ts";
import {
  LiteralError,
  parseCharacter,
  parseNumber,
  parseString,
} from "./literals.ts";
import type { Float } from "./values.ts";
import type { TokenReader } from "./token_reader.ts";
import type { Variables } from "./variables.ts";

/** What an expression may refer to. */
export interface Scope {
  /** The variables that are declared here. */
  readonly variables: Variables<true>;
  /** Whether there is a function of that name. */
  readonly isFunction: (name: string) => boolean;
}

/** Parses up to and including the token that closes the pipeline. */
export function parsePipeline(
  reader: TokenReader,
  scope: Scope,
  context: string,
  close: TokenKind = "close",
): Pipeline {
  const start = reader.peek().start;
  const { variables, assigns } = parseDeclaration(reader, scope, context);
  const commands: Command[] = [];
  for (;;) {
    const token = reader.peek();
    if (token.kind === close) break;
    if (!startsOperand(token)) reader.refuse(token, context);
    commands.push(parseCommand(reader, scope));
  }
  if (commands.length === 0) {
    reader.fail(reader.peek().start, `missing value for ${context}`);
  }
  for (const [index, { operands: [first] }] of commands.entries()) {
    if (index > 0 && /^(literal|dot|nil)$/.test(first!.kind)) {
      const stage = `non executable command in pipeline stage ${index + 1}`;
      reader.fail(first!.start, `${stage}; only a function can take a value`);
    }
  }
  const end = reader.end;
  reader.take();
  return { kind: "pipeline", variables, assigns, commands, start, end };
}

function parseDeclaration(reader: TokenReader, scope: Scope, context: string) {
  const variables: string[] = [];
  while (reader.peek().kind === "variable") {
    const next = reader.peek(1);
    const comma = next.kind === "mark" && next.value === ",";
    if (next.kind !== "declare" && next.kind !== "assign" && !comma) break;
    const name = reader.take().value;
    variables.push(name);
    reader.take();
    if (!comma) {
      for (const name of variables) {
        if (next.kind === "declare") scope.variables.declare(name, true);
        else useVariable(reader, scope, name, next);
      }
      return { variables, assigns: next.kind === "assign" };
    }
    if (context !== "range" || variables.length > 1) {
      reader.fail(next.start, `too many declarations in ${context}`);
    }
    if (reader.peek().kind !== "variable") {
      reader.fail(reader.peek().start, "range can only initialize variables");
    }
  }
  if (variables.length > 0) reader.refuse(reader.peek(), context);
  return { variables, assigns: false };
}

function useVariable(
  reader: TokenReader,
  scope: Scope,
  name: string,
  at: Token,
): void {
  if (scope.variables.has(name)) return;
  reader.fail(
    at.start,
    `undefined variable "${name}"; declare it before with {{${name} := ...}}`,
  );
}

const OPERAND_STARTS = new Set<TokenKind>([
  "character",
  "dot",
  "field",
  "identifier",
  "leftParen",
  "number",
  "rawString",
  "string",
  "variable",
]);

function startsOperand(token: Token): boolean {
  return OPERAND_STARTS.has(token.kind) || isNil(token);
}

function isNil(token: Token): boolean {
  return token.kind === "keyword" && token.value === "nil";
}

function parseCommand(reader: TokenReader, scope: Scope): Command {
  const start = reader.peek().start;
  const operands: Operand[] = [];
  while (startsOperand(reader.peek())) {
    operands.push(parseOperand(reader, scope));
    if (operands.length > MAX_ARGUMENTS + 1) {
      reader.fail(start, `more than ${MAX_ARGUMENTS} arguments`);
    }
    if (!reader.peek().spaced) break;
  }
  const end = reader.end;
  const after = reader.peek();
  if (after.kind === "pipe") {
    reader.take();
  } else if (after.kind !== "close" && after.kind !== "rightParen") {
    reader.refuse(after, "operand");
  }
  return { operands, start, end };
}

function parseOperand(reader: TokenReader, scope: Scope): Operand {
  const base = parseTerm(reader, scope);
  const path: string[] = [];
  while (reader.peek().kind === "field" && !reader.peek().spaced) {
    path.push(reader.take().value);
  }
  if (path.length === 0) return base;
  const { start } = base;
  const end = reader.end;
  switch (base.kind) {
    case "field":
    case "variable":
      return { ...base, path: [...base.path, ...path], end };
    case "literal":
    case "dot":
    case "nil": {
      const term = JSON.stringify(reader.source.slice(base.start, base.end));
      return reader.fail(base.end, `unexpected . after term ${term}`);
    }
    default:
      return { kind: "chain", base, path, start, end };
  }
}

function parseTerm(reader: TokenReader, scope: Scope): Operand {
  const token = reader.take();
  const { value, start, end } = token;
  switch (token.kind) {
    case "identifier":
      if (value === "true" || value === "false") {
        return { kind: "literal", value: value === "true", start, end };
      }
      if (!scope.isFunction(value)) refuseFunction(reader, token);
      return { kind: "function", name: value, start, end };
    case "dot":
      return { kind: "dot", start, end };
    case "keyword":
      return { kind: "nil", start, end };
    case "field":
      return { kind: "field", path: [value], start, end };
    case "variable":
      useVariable(reader, scope, value, token);
      return { kind: "variable", name: value, path: [], start, end };
    case "leftParen": {
      const inner = reader.nested(
        token,
        () =>
          parsePipeline(reader, scope, "parenthesized pipeline", "rightParen"),
      );
      return { ...inner, start, end: reader.end };
    }
    default:
      return {
        kind: "literal",
        value: parseLiteral(reader, token),
        start,
        end,
      };
  }
}

function refuseFunction(reader: TokenReader, token: Token): never {
  const name = token.value;
  reader.fail(
    token.start,
    `function "${name}" not defined; a user variable is {{user \`${name}\`}}, a field {{.${name}}}`,
  );
}

/** What a number, character or string stands for. */
export function parseLiteral(
  reader: TokenReader,
  token: Token,
): number | bigint | Float | string {
  try {
    if (token.kind === "number") return parseNumber(token.value);
    if (token.kind === "character") return parseCharacter(token.value);
    return parseString(token.value);
  } catch (error) {
    if (error instanceof LiteralError) reader.fail(token.start, error.message);
    throw error;
  }
}
