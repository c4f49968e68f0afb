// The completion script for zsh.

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
export function zshScript(
  commands: readonly CompletableCommand[],
  before: readonly CompletableFlag[],
): string {
  const described = commands.map(({ name, synopsis }) =>
    `    ${quoted(`${name.replace(/[\\:]/g, "\\$&")}:${synopsis}`)}`
  );
  const cases = commands.map(({ name, flags, completes }) => {
    const specs = flags.map(flagSpec);
    if (completes !== undefined) {
      specs.push(quoted(`*:${messageOf(completes)}:${action(completes)}`));
    }
    return `    ${quoted(name)})
      _arguments ${specs.join(" \\\n        ")} ;;`;
  });
  return `#compdef baler
# Completion of baler for zsh. For this shell, after compinit:
#
#     source <(baler completion zsh)
#
# or, for every shell, as a file called _baler in a directory of $fpath.

_baler_commands() {
  local -a commands=(
${described.join("\n")}
  )
  _describe 'command' commands
}

# Prints the names in the events of one type that baler inspect prints for the
# template on the command line. A name with a comma cannot be in a list of names.
_baler_inspect() {
  local word line program=\${(Q)_baler_words[1]}
  for word in \${(Q)_baler_words[2,-1]}; do
    [[ $word != -* && $word == *.json && -f $word ]] || continue
    # Not _call_program, which evaluates its arguments.
    for line in \${(f)"$("\${program/#\\~/$HOME}" inspect -machine-readable "$word" 2>/dev/null)"}; do
      local -a fields=("\${(@s:,:)line}")
      [[ $fields[3] == $1 && $fields[4] != *'%!(PACKER_COMMA)'* ]] && print -r -- $fields[4]
    done
    return
  done
}

# compadd quotes what it inserts; _values would evaluate a part of it.
_baler_builds() {
  local -a builds=(\${(f)"$(_baler_inspect template-builder)"})
  compset -P '*,'
  compadd -S '' -- $builds
}

_baler_variables() {
  local -a variables=(\${(f)"$(_baler_inspect template-variable)"})
  compadd -S = -- $variables
}

_baler() {
  local -a _baler_words=("\${words[@]}")
  local curcontext=$curcontext state line
  _arguments -C ${before.map(flagSpec).join(" ")} \\
    '1:command:_baler_commands' '*::argument:->behind' && return
  [[ $state == behind ]] || return
  case $line[1] in
${cases.join("\n")}
  esac
}

if [[ $funcstack[1] == _baler ]]; then
  _baler "$@"
else
  compdef _baler baler
fi
`;
}

function flagSpec(
  { name, description, hasValue, value }: CompletableFlag,
): string {
  const text = description.replace(/[[\]:]/g, "\\$&");
  const behind = hasValue
    ? `:${messageOf(value)}:${value === undefined ? "" : action(value)}`
    : "";
  return quoted(`*-${name}${hasValue ? "=" : ""}[${text}]${behind}`);
}

function messageOf(completion: Completion | undefined): string {
  return typeof completion === "string" ? completion : "value";
}

function action(completion: Completion): string {
  switch (completion) {
    case "template":
      return '_files -g "*.json(-.)"';
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "builds":
      return "_baler_builds";
    case "variable":
      return "_baler_variables";
    case "command":
      return "_baler_commands";
  }
  return `(${completion.join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
