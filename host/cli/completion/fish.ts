// The completion script for fish.

import type {
  CompletableCommand,
  CompletableFlag,
} from "./completion_model.ts";
import type { Completion } from "../flags.ts";

/**
 * Returns the script.
 *
 * @param commands The commands.
 * @param before The flags before a command.
 */
export function fishScript(
  commands: readonly CompletableCommand[],
  before: readonly CompletableFlag[],
): string {
  const names = commands.map(({ name }) => name);
  const lines = [
    "complete -c baler -f",
    ...before.map((flag) =>
      flagLine("not __baler_command > /dev/null", flag, names)
    ),
    ...commands.map(({ name, synopsis }) =>
      line(
        "not __baler_command > /dev/null",
        `-a ${argument(name)} -d ${quoted(synopsis)}`,
      )
    ),
  ];
  for (const { name, flags, completes } of commands) {
    const condition = `contains -- ${quoted(name)} (__baler_command)`;
    if (completes !== undefined) {
      lines.push(line(condition, offered(completes, names)));
    }
    lines.push(...flags.map((flag) => flagLine(condition, flag, names)));
  }
  return `# Completion of baler for fish. For this shell:
#
#     baler completion fish | source

# The command on the command line.
function __baler_command
  set -l words (commandline -opc)
  for word in $words[2..-1]
    if not string match -q -- '-*' $word
      printf '%s\\n' $word
      return 0
    end
  end
  return 1
end

# Prints the names in the events of one type that baler inspect prints for the
# template on the command line. A name with a comma cannot be in a list of names.
function __baler_inspect
  set -l words (commandline -o)
  for word in $words[2..-1]
    if string match -q -- '*.json' $word; and not string match -q -- '-*' $word; and test -f $word
      for line in ($words[1] inspect -machine-readable $word 2>/dev/null)
        set -l fields (string split , -- $line)
        test "$fields[3]" = $argv[1]
        and not string match -q -- '*%!(PACKER_COMMA)*' $fields[4]
        and printf '%s\\n' $fields[4]
      end
      return
    end
  end
end

# Prints the names of the builds, each after the names that are already typed.
function __baler_builds
  set -l word (string replace -r -- '^--?[a-z-]+=' '' (commandline -ct))
  set -l before (string match -r -- '^.*,' $word)
  for name in (__baler_inspect template-builder)
    printf '%s\\n' "$before$name"
  end
end

${lines.join("\n")}
`;
}

function line(condition: string, rest: string): string {
  return `complete -c baler -n ${quoted(condition)} ${rest}`;
}

function flagLine(
  condition: string,
  { name, description, hasValue, value }: CompletableFlag,
  commands: readonly string[],
): string {
  const valueOptions = !hasValue
    ? ""
    : value === undefined
    ? " -x"
    : ` -r ${offered(value, commands)}`;
  return line(condition, `-o ${name}${valueOptions} -d ${quoted(description)}`);
}

function offered(completion: Completion, commands: readonly string[]): string {
  switch (completion) {
    case "template":
      return "-k -f -a '(__fish_complete_suffix .json)'";
    case "file":
      return "-F";
    case "directory":
      return "-f -a '(__fish_complete_directories)'";
    case "builds":
      return "-f -a '(__baler_builds)'";
    case "variable":
      return "-f -a '(__baler_inspect template-variable)='";
    case "command":
      return `-f -a ${argument(...commands)}`;
  }
  return `-f -a ${argument(...completion)}`;
}

/** Quotes words as the value of `-a`, which fish evaluates when it completes. */
function argument(...words: readonly string[]): string {
  return quoted(words.map(quoted).join(" "));
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
