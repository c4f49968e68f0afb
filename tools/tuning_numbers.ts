// The table of tuning numbers in docs/performance.md: the documented numeric constants of the code between a builder's
// call and its answer, with their values and reasons as the sources have them.
//
//     deno run --allow-read --allow-write tools/tuning_numbers.ts [--write]
//
// Without --write it compares, and exits with 1 when the table does not match the sources.

import { markdownTable } from "../plugin/common/markdown_table.ts";
import { fromFileUrl } from "@std/path";

/** The directories whose constants decide how fast baler is, and how much it holds. */
const DIRECTORIES = [
  "host/log",
  "host/plugin",
  "host/process",
  "host/terminal",
  "plugin/common",
  "plugin/rpc",
  "plugin/rpc/payload",
  "plugin/rpc/references",
  "plugin/sdk",
];

/** Constants of the kernel, of ASCII and of file formats, which cannot be tuned. */
const FACTS = new Set([
  "BEGIN",
  "ELF_MACHINE",
  "MAX_TIMEOUT_MS",
  "NEWLINE",
  "NO_HANG",
  "NONBLOCK_CLOEXEC",
  "PAGE",
  "PAGE_BYTES",
  "SET_CHILD_SUBREAPER",
  "SET_PIPE_SIZE",
  "SPLICE_FLAGS",
  "STDERR",
]);

const PAGE = "docs/performance.md";
const BEGIN = "<!-- tuning numbers: written by tools/tuning_numbers.ts -->";
const END = "<!-- end of the tuning numbers -->";

const root = new URL("..", import.meta.url);

/** A constant. */
export interface TuningNumber {
  readonly name: string;
  readonly value: number;
  readonly file: string;
  /** Its comment, in one line. */
  readonly why: string;
}

/**
 * The documented numeric constants at the top level of a source.
 *
 * @param file The path, for the table.
 * @param source The text.
 */
export function tuningNumbersOf(file: string, source: string): TuningNumber[] {
  const numbers: TuningNumber[] = [];
  let why: string | undefined;
  let comment: string[] | undefined;
  for (const line of source.split("\n")) {
    if (line.startsWith("/**")) comment = [];
    if (comment !== undefined) {
      comment.push(line.replace(/ ?\*\/$/, "").replace(/^ ?\/?\*+ ?/, ""));
      if (!line.endsWith("*/")) continue;
      why = comment.join(" ").replace(/\s+/g, " ").trim();
      comment = undefined;
      continue;
    }
    const [, name, expression] =
      /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: number)? = ([\d_.*+\-/() ]+);/
        .exec(line) ?? [];
    if (name === undefined) {
      // A comment is also that of the constants right below the first.
      why = undefined;
    } else if (why !== undefined && !FACTS.has(name)) {
      numbers.push({ name, value: valueOf(expression!), file, why });
    }
  }
  return numbers;
}

/** The value of an expression of numbers, `*`, `/`, `+`, `-` and `**`. */
function valueOf(expression: string): number {
  // The characters were checked: it is arithmetic, and nothing else.
  return new Function(`return ${expression};`)();
}

/** The units, by the suffix of a constant's name and by words in its comment. */
const UNITS: readonly {
  readonly unit: string;
  readonly suffix: RegExp;
  readonly words: RegExp;
}[] = [
  { unit: "bytes", suffix: /_(BYTES|SIZE)$/, words: /,? in bytes/ },
  { unit: "× 0.5 s", suffix: /_HALF_SECONDS$/, words: /,? in half seconds/ },
  { unit: "ms", suffix: /_MS$/, words: /,? in milliseconds/ },
  { unit: "s", suffix: /_S$/, words: /,? in seconds/ },
  {
    unit: "characters",
    suffix: /_(CHARS|LENGTH)$/,
    words: /,? in characters/,
  },
];

/** The value with its unit, and the reason without it. */
function shown({ name, value, why }: TuningNumber): [string, string] {
  const { unit = "", words = /$/ } =
    UNITS.find(({ suffix }) => suffix.test(name)) ??
      UNITS.find(({ words }) => words.test(why)) ?? {};
  const number = unit === "bytes" && value % 2 ** 20 === 0
    ? `${value / 2 ** 20} MiB`
    : unit === "bytes" && value % 1024 === 0
    ? `${value / 1024} KiB`
    : `${value.toLocaleString("en-US")} ${unit}`.trim();
  return [number, why.replace(words, "")];
}

/** The rows of the table, in Markdown as `deno fmt` writes it. */
function table(numbers: readonly TuningNumber[]): string {
  return markdownTable([
    ["constant", "value", "file", "what it decides"],
    ...numbers.map((number) => {
      const [value, why] = shown(number);
      return [
        `\`${number.name}\``,
        value,
        `\`${number.file}\``,
        why.replaceAll("|", "\\|"),
      ];
    }),
  ]);
}

function allNumbers(): TuningNumber[] {
  return DIRECTORIES.flatMap((directory) =>
    [...Deno.readDirSync(new URL(directory, root))]
      .map(({ name }) => name).filter((name) => name.endsWith(".ts")).sort()
      .flatMap((name) => {
        const file = `${directory}/${name}`;
        return tuningNumbersOf(
          file,
          Deno.readTextFileSync(new URL(file, root)),
        );
      })
  );
}

if (import.meta.main) {
  const page = fromFileUrl(new URL(PAGE, root));
  const text = Deno.readTextFileSync(page);
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) {
    throw new Error(`${PAGE}: the table's marks are missing`);
  }
  const current = `${before}${BEGIN}\n\n${
    table(allNumbers())
  }\n\n${END}${after}`;
  if (current !== text && Deno.args.includes("--write")) {
    Deno.writeTextFileSync(page, current);
  } else if (current !== text) {
    const known = new Set(text.split("\n"));
    for (const line of current.split("\n")) {
      if (!known.has(line)) {
        console.error(
          `${PAGE}: missing or outdated: ${line.replace(/ +/g, " ")}`,
        );
      }
    }
    console.error(
      `${PAGE}: the tuning numbers are not those of the sources; run "deno task tuning --write"`,
    );
    Deno.exit(1);
  }
}
