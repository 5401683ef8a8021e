/**
 * Completion in bash: `COMPREPLY` from `compgen -W`, file names from readline.
 *
 * @module
 */
import { type ListName, LISTS, type Stage, type Values } from "./words.ts";

/** In single quotes. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The script, without its first line. */
export function completeInBash(stages: readonly Stage[]): string {
  const lists = Object.entries(LISTS).map(([name, words]) =>
    `${variable(name as ListName)}=${quoteWord(words().join(" "))}`
  );
  const longer = stages.filter(({ title }) => title !== "").map(({ title }) => quoteWord(title));
  return `\
${lists.join("\n")}

_postern() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
    local stage= longer= beyond= words= next= i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        longer="\${stage:+$stage }\${COMP_WORDS[i]}"
        case $longer in
        ${longer.join(" | ")}) stage=$longer ;;
        *) beyond=1; break ;;
        esac
    done
    case "$stage $previous" in
${stages.flatMap(optionCases).join("\n")}
    *)
        case $stage in
${stages.map(stageCase).join("\n")}
        esac
        ;;
    esac
    # Words of commands stand before everything else.
    [[ -n $beyond ]] || words+=" $next"
    # shellcheck disable=SC2207 # no word has a blank or a pattern in it
    COMPREPLY+=($(compgen -W "$words" -- "$current"))
}

# Names of files are left to readline; outside of a completion there is nothing to tell it.
_postern_files() {
    compopt -o default 2>/dev/null || true
}

_postern_equals() {
    compopt -o nospace 2>/dev/null || true
}

complete -F _postern postern
`;
}

function variable(name: ListName): string {
  return `_postern_${name}`;
}

/** What follows each option that has a value. */
function optionCases({ title, options }: Stage): string[] {
  return options.flatMap(({ flag, values }) =>
    values === undefined ? [] : [`    ${quoteWord(`${title} ${flag}`)}) ${assign([], values)} ;;`]
  );
}

function stageCase({ title, next, options, operands }: Stage): string {
  const words = options.map(({ flag }) => flag);
  const more = next.length === 0 ? "" : `; next=${quoteWord(next.map(([word]) => word).join(" "))}`;
  return `        ${quoteWord(title)}) ${assign(words, operands)}${more} ;;`;
}

/** Commands that offer `words` and `values`. */
function assign(words: readonly string[], values: Values): string {
  switch (values.kind) {
    case "words":
      return `words=${quoteWord([...words, ...values.words].join(" "))}`;
    case "file":
      return `words=${quoteWord(words.join(" "))}; _postern_files`;
    case "unknown":
      return `words=${quoteWord(words.join(" "))}`;
    case "list": {
      if (values.list === "parameters") {
        return 'COMPREPLY=($(compgen -S = -W "$_postern_parameters" -- "$current")); _postern_equals';
      }
      return `words=${quoteWord(`${words.join(" ")} `)}$${variable(values.list)}`;
    }
  }
}
