// The completion script for bash, 3.2 and newer.

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
export function bashScript(
  commands: readonly CompletableCommand[],
  before: readonly CompletableFlag[],
): string {
  const names = commands.map(({ name }) => name);
  const all = [
    { name: "", synopsis: "", flags: before, completes: names },
    ...commands,
  ];
  const kinds = all.map(({ name, flags, completes }) =>
    `    ${quoted(name)})
      flags=${quoted(flags.map(flagText).join(" "))}
      ${assigned(completes, names)} ;;`
  );
  const values = all.flatMap(({ name, flags }) =>
    flags.filter(({ hasValue }) => hasValue).map((flag) =>
      `    ${quoted(`${name} -${flag.name}`)}) ${
        assigned(flag.value, names)
      } ;;`
    )
  );
  return `# Completion of baler for bash. For this shell:
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

# Prints the names in the events of one type that baler inspect prints for the
# template on the command line. A name with a comma cannot be in a list of names.
_baler_inspect() {
  local word type name
  for word in "\${COMP_WORDS[@]:1}"; do
    [[ $word != -* && $word == *.json && -f $word ]] || continue
    "\${COMP_WORDS[0]/#\\~/$HOME}" inspect -machine-readable "$word" 2>/dev/null |
      while IFS=, read -r _ _ type name _; do
        [[ $type == "$1" && $name != *'%!(PACKER_COMMA)'* ]] && printf '%s\\n' "$name"
      done
    return
  done
}

_baler() {
  local line=\${COMP_LINE:0:COMP_POINT} IFS=$' \\t\\n'
  local words current command= flag= prefix= word quoted kind choices flags
  COMPREPLY=()

  # Bash splits words at = and : as well.
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

  case $kind in
    words) choices=\${choices// /$'\\n'} ;;
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
    directory) choices=$(compgen -d -- "$current") ;;
  esac
  # Names come from files that others wrote: they are inserted quoted, by bash
  # itself where it knows that they are file names.
  case $kind in
    template | file | directory)
      type compopt > /dev/null 2>&1 && compopt -o filenames && kind=quoted ;;
  esac
  while IFS= read -r word; do
    [[ -n $word ]] || continue
    quoted=$word
    if [[ $kind != quoted ]]; then
      printf -v quoted %q "\${word%=}"
      [[ $word == *= ]] && quoted+==
    fi
    if [[ $word == "$current"* || $quoted == "$current"* ]]; then
      COMPREPLY+=("$prefix$quoted")
    fi
  done <<< "$choices"
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
