// Parses the flags of a command, with one dash as in Packer or with two, and
// rejects unknown ones.

import { parseArgs } from "@std/cli/parse-args";
import { parseGoBool } from "../../plugin/common/go_bool.ts";
import { nearest } from "../../plugin/common/did_you_mean.ts";

/** The command line is not valid: exit code 2. */
export class UsageError extends Error {
  /** The error's class. */
  override readonly name = "UsageError";
}

/**
 * What a shell completes an argument to: a template, any file, a directory, names
 * of builds or variables of the template on the command line, a command, or one of
 * these words.
 */
export type Completion =
  | "template"
  | "file"
  | "directory"
  | "builds"
  | "variable"
  | "command"
  | readonly string[];

/** One flag of a command. */
export interface Flag {
  /** `"boolean"` for one that is on or off, `"list"` for one that may come again. */
  type: "boolean" | "string" | "list";
  /** What stands behind it in the help, for example `"=foo,bar"`. */
  value?: string;
  /** What it does, in a line. */
  description: string;
  /** What it is when it is not given. */
  default?: boolean | string;
  /** What its value can be completed to. */
  completes?: Completion;
}

/** The flags of a command, by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** What the flags of a command come to. */
export type FlagValues<F extends Flags> = {
  [K in keyof F]: F[K]["type"] extends "boolean" ? boolean
    : F[K]["type"] extends "list" ? string[]
    : string | undefined;
};

/**
 * Reads a command's words.
 *
 * @param args The words behind the command's name.
 * @param flags The flags that it has.
 * @returns The flags' values, and the words that are none.
 * @throws {UsageError} When a flag is unknown or lacks its value.
 */
export async function readFlags<F extends Flags>(
  args: readonly string[],
  flags: F,
): Promise<{ values: FlagValues<F>; words: string[] }> {
  const names = Object.keys(flags);
  const unknown: string[] = [];
  const withTwoDashes = args.map((word) =>
    /^-[A-Za-z][\w-]/.test(word) ? `-${word}` : word
  );
  requireValues(withTwoDashes, flags);
  const parsed = parseArgs(
    withTwoDashes.map((word) => plainSwitch(word, flags)),
    {
      boolean: names.filter((name) => flags[name]!.type === "boolean"),
      string: names.filter((name) => flags[name]!.type !== "boolean"),
      collect: names.filter((name) => flags[name]!.type === "list"),
      default: Object.fromEntries(
        names.flatMap((name) =>
          flags[name]!.default === undefined
            ? []
            : [[name, flags[name]!.default]]
        ),
      ),
      unknown: (word: string, key?: string) => {
        if (key === undefined) return true;
        unknown.push(word);
        return false;
      },
    },
  ) as Record<string, unknown> & { _: (string | number)[] };
  if (unknown.length > 0) throw await unknownFlag(unknown[0]!, names);
  return {
    values: Object.fromEntries(
      names.map((name) => [name, parsed[name]]),
    ) as FlagValues<F>,
    words: parsed._.map(String),
  };
}

/** A flag that takes a value must not take the flag behind it for one. */
function requireValues(words: readonly string[], flags: Flags): void {
  words.forEach((word, index) => {
    const name = word.startsWith("--") ? word.slice(2) : undefined;
    if (name === undefined || !Object.hasOwn(flags, name)) return;
    if (flags[name]!.type === "boolean") return;
    const next = words[index + 1];
    if (next === undefined || next.startsWith("--")) {
      throw new UsageError(
        `flag -${name} needs a value: -${name}${
          flags[name]!.value ?? "=VALUE"
        }`,
      );
    }
  });
}

/** A flag that is on or off, with `true` or `false` behind it where it has a value. */
function plainSwitch(word: string, flags: Flags): string {
  const [, name, value] = /^--([\w-]+)=(.*)$/s.exec(word) ?? [];
  if (name === undefined || value === undefined) return word;
  if (!Object.hasOwn(flags, name) || flags[name]!.type !== "boolean") {
    return word;
  }
  const isOn = parseGoBool(value);
  if (isOn !== undefined) return `--${name}=${isOn}`;
  throw new UsageError(
    `-${name} must be true or false, not ${JSON.stringify(value)}`,
  );
}

async function unknownFlag(
  word: string,
  names: readonly string[],
): Promise<UsageError> {
  const name = word.replace(/^-+/, "").replace(/=.*$/, "");
  const near = await nearest(name, names);
  return new UsageError(
    `unknown flag -${name}${
      near === undefined ? "" : `; did you mean -${near}?`
    }`,
  );
}

/** How wide a page of help may be, in columns. */
const PAGE = 80;

/**
 * The part of a command's help that lists its flags.
 *
 * @param flags The flags.
 */
export function flagsHelp(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]) =>
    [`  -${name}${flag.value ?? ""}`, flag.description] as const
  );
  return twoColumns(rows);
}

/**
 * Lays out what has a name and a description, on a page of a terminal.
 *
 * @param rows The names, with their indentation, and the descriptions.
 */
export function twoColumns(
  rows: readonly (readonly [name: string, description: string])[],
): string {
  const longest = Math.max(...rows.map(([left]) => left.length));
  const width = Math.min(longest, Math.floor(PAGE / 3)) + 2;
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, PAGE - width);
    const head = left.length + 2 > width ? [left] : [];
    return [
      ...head,
      ...lines.map((line, index) => {
        const before = index === 0 && head.length === 0 ? left : "";
        return before.padEnd(width) + line;
      }),
    ];
  }).join("\n");
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
