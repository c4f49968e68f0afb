// The name patterns of -only and -except.

const compiled = new Map<string, RegExp | null>();

/**
 * Whether a name matches a pattern.
 *
 * @param pattern A name, or one with `*` (any characters), `?` (one
 * character), `[a-c]` or `[!a-c]` (one of, none of) and `{a,b}` (either).
 * @param name The name. A name that equals the pattern matches, whatever characters it has.
 *
 * @example
 * ```ts
 * import { matchName } from "./name_pattern.ts";
 *
 * console.log(matchName("web-*", "web-1")); // true
 * ```
 */
export function matchName(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = /[*?[{]/.test(pattern) ? compile(pattern) : null;
    compiled.set(pattern, expression);
  }
  return expression?.test(name) ?? false;
}

function compile(pattern: string): RegExp | null {
  let expression = "";
  let depth = 0;
  const parts = pattern.matchAll(/\[(!?)([^\]]+)\]|\\(.)|(.)/gsu);
  for (const [, not, characters, escaped, character] of parts) {
    if (characters !== undefined) {
      const range = characters.replace(/[\\^[\]]/g, "\\$&");
      expression += `[${not ? "^" : ""}${range}]`;
    } else if (escaped !== undefined) {
      expression += literal(escaped);
    } else if (character === "*") {
      // Several in a row mean the same as one, and would be slow to match.
      if (!expression.endsWith(".*")) expression += ".*";
    } else if (character === "?") {
      expression += ".";
    } else if (character === "{") {
      expression += "(?:";
      depth++;
    } else if (character === "}" && depth > 0) {
      expression += ")";
      depth--;
    } else if (character === "," && depth > 0) {
      expression += "|";
    } else {
      expression += literal(character!);
    }
  }
  try {
    return new RegExp(`^(?:${expression})$`, "su");
  } catch {
    // An unclosed brace or a range from high to low matches nothing.
    return null;
  }
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
