/**
 * Completion in fish: a `complete` line for each word, option and value.
 *
 * @module
 */
import { type ListName, LISTS, type Stage, type Values } from "./words.ts";

/** In single quotes. */
function quoteWord(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The script, without its first line. */
export function completeInFish(stages: readonly Stage[]): string {
  const titles = stages.map(({ title }) => title).filter((title) => title !== "");
  const lists = Object.entries(LISTS).map(([name, words]) =>
    `set -g _postern_${name} ${words().join(" ")}`
  );
  return `\
${lists.join("\n")}

# The words of the command that the line begins with, and a plus sign if other words follow.
function _postern_stage
    set -l stage
    set -l beyond
    for word in (commandline -opc)[2..-1]
        set -l longer (string join -- ' ' $stage $word)
        if not contains -- $longer ${titles.map(quoteWord).join(" ")}
            set beyond ' +'
            break
        end
        set stage $longer
    end
    echo "$stage$beyond"
end

complete -c postern -f
${stages.flatMap(stageLines).join("\n")}
`;
}

function stageLines({ title, next, options, operands }: Stage): string[] {
  const first = `complete -c postern -n 'test (_postern_stage) = "${title}"'`;
  const start = `complete -c postern -n 'contains -- (_postern_stage) "${title}" "${title} +"'`;
  return [
    ...next.map(([word, help]) => `${first} -a ${quoteWord(word)} -d ${quoteWord(help)}`),
    ...options.map(({ flag, help, values }) =>
      [start, optionName(flag), ...valueWords(values), "-d", quoteWord(help)].join(" ")
    ),
    ...operandLines(start, operands),
  ];
}

/** `-l config`, `-s o` */
function optionName(flag: string): string {
  return flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
}

function valueWords(values: Values | undefined): string[] {
  if (values === undefined) return [];
  switch (values.kind) {
    case "file":
      return ["-r", "-F"];
    case "unknown":
      return ["-x"];
    default:
      return ["-x", "-a", offered(values)];
  }
}

function operandLines(start: string, values: Values): string[] {
  if (values.kind === "unknown") return [];
  return [values.kind === "file" ? `${start} -F` : `${start} -a ${offered(values)}`];
}

function offered(values: Extract<Values, { kind: "words" | "list" }>): string {
  if (values.kind === "words") return quoteWord(values.words.join(" "));
  return values.list === "parameters" ? "'$_postern_parameters='" : `'${listOf(values.list)}'`;
}

function listOf(name: ListName): string {
  return `$_postern_${name}`;
}
