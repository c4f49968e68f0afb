// The script that completes baler's words in bash, 3.2 and newer.

import type {
  CompletableCommand,
  CompletableFlag,
} from "./completion_model.ts";
import type { Completion } from "../flags.ts";

/**
 * The script.
 *
 * @param commands The commands.
 * @param before The flags that stand before a command.
 */
export function bashScript(
  commands: readonly CompletableCommand[],
  before: readonly CompletableFlag[],
): string {
  const names = commands.map(({ name }) => name);
  const all = [
    { name: "", synopsis: "", flags: before, words: names },
    ...commands,
  ];
  const kinds = all.map(({ name, flags, words }) =>
    `    ${quoted(name)})
      flags=${quoted(flags.map(flagText).join(" "))}
      ${assigned(words, names)} ;;`
  );
  const values = all.flatMap(({ name, flags }) =>
    flags.filter(({ hasValue }) => hasValue).map((flag) =>
      `    ${quoted(`${name} -${flag.name}`)}) ${
        assigned(flag.value, names)
      } ;;`
    )
  );
  return `# Completes the words of baler in bash. For this shell:
#
#     source <(baler completion bash)

# Sets kind, choices and flags to what can follow command and flag.
_baler_choices() {
  kind=none choices= flags=
  case "$1" in
${kinds.join("\n")}
  esac
  case "$1 $2" in
${values.join("\n")}
    *) return 1 ;;
  esac
}

# Says the names of an event's lines in what baler inspect shows of the
# template on the command line.
_baler_inspect() {
  local word type name
  for word in "\${COMP_WORDS[@]:1}"; do
    [[ $word == *.json && -f $word ]] || continue
    "\${COMP_WORDS[0]/#\\~/$HOME}" inspect -machine-readable "$word" 2>/dev/null |
      while IFS=, read -r _ _ type name _; do
        [[ $type == "$1" ]] && printf '%s\\n' "$name"
      done
    return
  done
}

_baler() {
  local line=\${COMP_LINE:0:COMP_POINT} IFS=$' \\t\\n'
  local words current command= flag= prefix= word kind choices flags
  COMPREPLY=()

  # Bash ends words at = and : too; baler's end at spaces alone.
  read -ra words <<< "$line"
  current=
  if [[ $line != *[[:space:]] ]]; then
    current=\${words[\${#words[@]}-1]}
    unset "words[\${#words[@]}-1]"
  fi
  for word in "\${words[@]:1}"; do
    if [[ $word != -* ]]; then command=$word; break; fi
  done

  flag=\${words[\${#words[@]}-1]}
  if [[ $current == -*=* ]]; then
    flag=\${current%%=*}
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$flag=
    current=\${current#*=}
  fi
  if ! _baler_choices "$command" "\${flag/#--/-}" && [[ $current == -* ]]; then
    kind=words
    [[ $current == --* ]] && flags=-\${flags// -/ --}
    choices=$flags
  fi

  IFS=$'\\n'
  case $kind in
    words) choices=\${choices// /$IFS} ;;
    builds)
      choices=$(_baler_inspect template-builder)
      if [[ $current == *,* ]]; then
        prefix+=\${current%,*},
        current=\${current##*,}
      fi ;;
    variable) choices=$(_baler_inspect template-variable | sed 's/$/=/') ;;
    template)
      choices=$(compgen -f -X '!*.json' -- "$current"; compgen -d -- "$current")
      [[ $choices == *.json* ]] || choices=$(compgen -f -- "$current") ;;
    file) choices=$(compgen -f -- "$current") ;;
    folder) choices=$(compgen -d -- "$current") ;;
  esac
  case $kind in
    template | file | folder) type compopt > /dev/null 2>&1 && compopt -o filenames ;;
  esac
  for word in $choices; do
    if [[ $word == "$current"* ]]; then COMPREPLY+=("$prefix$word"); fi
  done
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]]; then
    type compopt > /dev/null 2>&1 && compopt -o nospace
  fi
}

complete -F _baler baler
`;
}

function flagText({ name, hasValue }: CompletableFlag): string {
  return `-${name}${hasValue ? "=" : ""}`;
}

function assigned(
  completion: Completion | undefined,
  commands: readonly string[],
): string {
  const words = completion === "command" ? commands : completion;
  if (words === undefined) return "kind=none";
  return typeof words === "string"
    ? `kind=${words}`
    : `kind=words choices=${quoted(words.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
