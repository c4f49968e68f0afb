// Quotes what is put into a command line or a script: the one place where text
// becomes part of a program for a shell.

import { escapePowerShell } from "./powershell_text.ts";

/** What no shell reads as anything but a part of a word. */
const PLAIN = /^[\w./:=@%+,-]+$/;

/** A name that a shell accepts for a variable. */
const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** A name that a shell may refuse, but in which it finds no other command. */
const HARMLESS_NAME = /^[\w.:-]+$/;

/**
 * A word for a POSIX shell: the shell reads exactly this text from it.
 *
 * @param text The text.
 * @returns The text itself where it needs no quotes, in single quotes otherwise.
 * @throws {Error} When a NUL character is in it, which no argument can hold.
 */
export function shellWord(text: string): string {
  refuseNul(text);
  return PLAIN.test(text) ? text : `'${insideSingleQuotes(text)}'`;
}

/**
 * A path as a word for a POSIX shell, which no program takes for an option.
 *
 * @param path The path.
 * @throws {Error} When a NUL character is in it.
 */
export function shellPath(path: string): string {
  return shellWord(path.startsWith("-") ? `./${path}` : path);
}

/**
 * Puts paths into a command line that a template has with places for them, each
 * with as many quotes as it needs there.
 *
 * @param paths The paths by the names of their places.
 * @param fill Fills in the places: given a text for each, it returns the command line.
 * @returns The command line.
 * @throws {Error} When a NUL character is in a path.
 */
export async function withPaths<Name extends string>(
  paths: Readonly<Record<Name, string>>,
  fill: (texts: Record<Name, string>) => Promise<string>,
): Promise<string> {
  // A path that needs quotes is replaced by a marker until it is known whether it is
  // already between quotes.
  const marked = new Map<string, string>();
  const texts: Record<string, string> = { ...paths };
  for (const [name, path] of Object.entries<string>(paths)) {
    refuseNul(path);
    if (path === "" || (PLAIN.test(path) && !path.startsWith("-"))) continue;
    const marker = `\uE000${crypto.randomUUID()}\uE001`;
    marked.set(marker, path.startsWith("-") ? `./${path}` : path);
    texts[name] = marker;
  }
  const command = await fill(texts as Record<Name, string>);
  let result = "";
  for (const part of command.split(/(\uE000[\da-f-]{36}\uE001)/)) {
    const path = marked.get(part);
    result += path === undefined ? part : quotedPath(path, openQuote(result));
  }
  return result;
}

function quotedPath(path: string, quote: string): string {
  if (quote === "'") return insideSingleQuotes(path);
  if (quote === '"') return path.replaceAll(/["$`\\]/g, "\\$&");
  return shellWord(path);
}

/**
 * What goes between two single quotes for a POSIX shell.
 *
 * @param text The text.
 */
function insideSingleQuotes(text: string): string {
  return text.replaceAll("'", `'"'"'`);
}

function refuseNul(text: string): void {
  if (!text.includes("\0")) return;
  throw new Error(
    `${
      JSON.stringify(text)
    } contains a NUL character, which neither a command line nor an environment variable can hold`,
  );
}

/**
 * Says what is wrong with the name of an environment variable.
 *
 * @param name The name.
 * @param isCustom True when the template has its own format or command, so that
 * the name need not be one that a shell assigns to: `env my.name=1 ...`.
 * @returns The reason, or undefined for a valid name.
 */
export function variableNameProblem(
  name: string,
  isCustom: boolean,
): string | undefined {
  if (IDENTIFIER.test(name)) return;
  if (isCustom && HARMLESS_NAME.test(name)) return;
  return `${
    JSON.stringify(name)
  } is not the name of an environment variable: use letters, digits and _, not beginning with a digit`;
}

/** A variable to write into a command line. */
export interface Variable {
  /** Its name. */
  name: string;
  /** Its value. */
  value: string;
  /** True for a literal value of the template; false for one from elsewhere. */
  isLiteral: boolean;
}

/** How variables are written into a command line. */
export interface VariableFormat {
  /** The first `%s` is replaced by the name, the second by the value. */
  format: string;
  /**
   * Who reads it: the shell of one of baler's own formats, `powershell` for any
   * format of the PowerShell provisioner, or `custom` for one from a template.
   */
  shell: "posix" | "cmd" | "powershell" | "custom";
}

/**
 * Writes a variable in a format.
 *
 * In baler's own formats every value is quoted. Around a value in a format of
 * the template's there may be no quotes, or those of a shell that is not known
 * here: between single quotes the value is quoted as in Packer, elsewhere a
 * literal value is written as it is, and another one only if it is harmless.
 *
 * @param variable The variable.
 * @param format The format.
 * @throws {Error} When the variable cannot be written in this format.
 */
export function formatVariable(
  variable: Variable,
  { format, shell }: VariableFormat,
): string {
  const { name, value } = variable;
  refuseNul(value);
  let next = 0;
  let result = "";
  let end = 0;
  for (const match of format.matchAll(/%%|%(?:\[(\d+)\])?[sv]/g)) {
    result += format.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === "%%") {
      result += "%";
      continue;
    }
    const index = match[1] === undefined ? next++ : Number(match[1]) - 1;
    if (index === 0) result += name;
    else if (index === 1) {
      result += shell === "cmd" ? cmdValue(variable) : quotedFor(
        variable,
        { format, shell },
        openQuote(format.slice(0, match.index)),
      );
    }
  }
  return result + format.slice(end);
}

function quotedFor(
  { name, value, isLiteral }: Variable,
  { format, shell }: VariableFormat,
  quote: string,
): string {
  // As in Packer, a literal value is escaped at any position.
  if (shell === "powershell" && (isLiteral || quote === '"')) {
    return escapePowerShell(value);
  }
  if (quote === "'") {
    return format.startsWith("$env:")
      ? value.replaceAll("'", "''")
      : insideSingleQuotes(value);
  }
  const isHarmless = quote === '"'
    ? /^[\w #&'()*+,./:;<=>?@[\]^{|}~-]*$/
    : /^[\w./:=@+,-]*$/;
  if (isLiteral || isHarmless.test(value)) return value;
  throw new Error(
    `the value of ${name} has characters in it that a shell may read as commands, and it is not from the template: ` +
      `${
        JSON.stringify(value)
      }; put single quotes around it in "env_var_format": ${
        JSON.stringify(format)
      }`,
  );
}

/** The quote that is open at the end of a piece of a command line. */
function openQuote(text: string): string {
  let open = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (open === "'") {
      if (character === "'") open = "";
    } else if (character === "\\") at++;
    else if (open === '"') {
      if (character === '"') open = "";
    } else if (character === "'" || character === '"') open = character;
  }
  return open;
}

/** A value after `set NAME=` in cmd.exe, which has no quotes for it. */
function cmdValue({ name, value }: Variable): string {
  if (/[\r\n]/.test(value)) {
    throw new Error(
      `the value of ${name} has a line end in it, which cmd.exe cannot be given: ${
        JSON.stringify(value)
      }`,
    );
  }
  return value.replaceAll(/[&|<>^()"]/g, "^$&");
}
