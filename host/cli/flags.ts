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
 * How a shell completes an argument: with a template, any file, a directory, the
 * names of builds or variables of the template on the command line, a command, or
 * one of the listed words.
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
  /** `"boolean"` for a switch, `"list"` for a flag that can be repeated. */
  type: "boolean" | "string" | "list";
  /** Its value in the help, for example `"=foo,bar"`. */
  value?: string;
  /** A one-line description. */
  description: string;
  /** Its value when it is not given. */
  default?: boolean | string;
  /** The completion of its value. */
  completes?: Completion;
}

/** The flags of a command, by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** The values of a command's flags, by name. */
export type FlagValues<F extends Flags> = {
  [K in keyof F]: F[K]["type"] extends "boolean" ? boolean
    : F[K]["type"] extends "list" ? string[]
    : string | undefined;
};

/**
 * Parses a command's arguments.
 *
 * @param args The arguments after the command's name.
 * @param flags The flags of the command.
 * @returns The values of the flags, and the positional arguments.
 * @throws {UsageError} When a flag is unknown or lacks its value.
 */
export async function readFlags<F extends Flags>(
  args: readonly string[],
  flags: F,
): Promise<{ values: FlagValues<F>; positionals: string[] }> {
  const names = Object.keys(flags);
  const unknown: string[] = [];
  const withTwoDashes = args.map((arg) =>
    /^-[A-Za-z][\w-]/.test(arg) ? `-${arg}` : arg
  );
  requireValues(withTwoDashes, flags);
  const parsed = parseArgs(
    withTwoDashes.map((arg) => normalizeSwitch(arg, flags)),
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
      unknown: (arg: string, key?: string) => {
        if (key === undefined) return true;
        unknown.push(arg);
        return false;
      },
    },
  ) as Record<string, unknown> & { _: (string | number)[] };
  if (unknown.length > 0) throw await unknownFlag(unknown[0]!, names);
  return {
    values: Object.fromEntries(
      names.map((name) => [name, parsed[name]]),
    ) as FlagValues<F>,
    positionals: parsed._.map(String),
  };
}

/** Throws when a flag that takes a value is followed by another flag instead. */
function requireValues(args: readonly string[], flags: Flags): void {
  args.forEach((arg, index) => {
    const name = arg.startsWith("--") ? arg.slice(2) : undefined;
    if (name === undefined || !Object.hasOwn(flags, name)) return;
    if (flags[name]!.type === "boolean") return;
    const next = args[index + 1];
    if (next === undefined || next.startsWith("--")) {
      throw new UsageError(
        `flag -${name} needs a value: -${name}${
          flags[name]!.value ?? "=VALUE"
        }`,
      );
    }
  });
}

/** Replaces the value of a boolean flag, in any of Go's forms, by `true` or `false`. */
function normalizeSwitch(arg: string, flags: Flags): string {
  const [, name, value] = /^--([\w-]+)=(.*)$/s.exec(arg) ?? [];
  if (name === undefined || value === undefined) return arg;
  if (!Object.hasOwn(flags, name) || flags[name]!.type !== "boolean") {
    return arg;
  }
  const isOn = parseGoBool(value);
  if (isOn !== undefined) return `--${name}=${isOn}`;
  throw new UsageError(
    `-${name} must be true or false, not ${JSON.stringify(value)}`,
  );
}

async function unknownFlag(
  arg: string,
  names: readonly string[],
): Promise<UsageError> {
  const name = arg.replace(/^-+/, "").replace(/=.*$/, "");
  const near = await nearest(name, names);
  return new UsageError(
    `unknown flag -${name}${
      near === undefined ? "" : `; did you mean -${near}?`
    }`,
  );
}

/** The width of the help, in columns. */
const HELP_COLUMNS = 80;

/**
 * Returns the part of a command's help that lists its flags.
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
  const width = Math.min(longest, Math.floor(HELP_COLUMNS / 3)) + 2;
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, HELP_COLUMNS - width);
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
