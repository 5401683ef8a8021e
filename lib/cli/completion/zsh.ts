/**
 * Completion in zsh: a function `_postern` for `compdef`, with a line of help for each word.
 *
 * @module
 */
import { quoteWord } from "./bash.ts";
import { type ListName, LISTS, type Stage, type Values } from "./words.ts";

/** The script, without its first line. */
export function completeInZsh(stages: readonly Stage[]): string {
  const longer = stages.filter(({ title }) => title !== "").map(({ title }) => quoteWord(title));
  return `\
#compdef postern

_postern() {
    local stage= longer= beyond= i
    local -a next flags
    for ((i = 2; i < CURRENT; i++)); do
        longer="\${stage:+$stage }\${words[i]}"
        case $longer in
        (${longer.join("|")}) stage=$longer ;;
        (*) beyond=1; break ;;
        esac
    done
    case "$stage \${words[CURRENT-1]}" in
${stages.flatMap(optionCases).join("\n")}
    esac
    case $stage in
${stages.map(stageCase).join("\n")}
    esac
    # Words of commands stand before everything else.
    [[ -n $beyond ]] || _describe -t commands command next
    _describe -t options option flags
}

${Object.entries(LISTS).map(([name, words]) => listFunction(name as ListName, words())).join("\n")}
if [[ $funcstack[1] == _postern ]]; then
    _postern "$@"
else
    compdef _postern postern
fi
`;
}

function listFunction(name: ListName, words: readonly string[]): string {
  return `_postern_${name}() {\n    compadd "$@" -- \\\n${lines(words)}\n}\n`;
}

/** Words a few a line. */
function lines(words: readonly string[]): string {
  const PER_LINE = 3;
  const rows: string[] = [];
  for (let i = 0; i < words.length; i += PER_LINE) {
    rows.push(`        ${words.slice(i, i + PER_LINE).map(quoteWord).join(" ")}`);
  }
  return rows.join(" \\\n");
}

function optionCases({ title, options }: Stage): string[] {
  return options.flatMap(({ flag, values }) => {
    const words = quoteWord(`${title} ${flag}`);
    return values === undefined ? [] : [`    (${words}) ${offer(values)}; return ;;`];
  });
}

function offer(values: Values): string {
  switch (values.kind) {
    case "words":
      return `compadd -- ${values.words.map(quoteWord).join(" ")}`;
    case "list":
      return values.list === "parameters" ? "_postern_parameters -S =" : `_postern_${values.list}`;
    case "file":
      return "_files";
    case "unknown":
      return "_message value";
  }
}

function stageCase({ title, next, options, operands }: Stage): string {
  const described = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([word, help]) => quoteWord(`${word.replaceAll(":", "\\:")}:${help}`)).join(" ");
  const flags = options.map(({ flag, help }) => [flag, help] as const);
  const more = operands.kind === "unknown" ? "" : `; ${offer(operands)}`;
  const words = `next=(${described(next)}); flags=(${described(flags)})`;
  return `    (${quoteWord(title)}) ${words}${more} ;;`;
}
