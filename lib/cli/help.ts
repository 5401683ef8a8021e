/**
 * The texts of `--help` and `postern help`, made from the rows of the commands.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { commandsBelow } from "./manual/command_blocks.ts";
import { usageParts, usageText } from "./manual/usage.ts";
import { wrapWords } from "./wrap.ts";

/** Widest line. */
const WIDTH = 100;
const INDENT = "    ";

const ABOUT = `\
postern takes the place of Postfix's tlsmgr(8) and tlsproxy(8): ROLE is one of the two. Settings are
TOML, under Postfix's own parameter names. COMMAND is one or two of the words above, or --role;
\`postern COMMAND --help\` says the same as \`postern help COMMAND\`. TOPIC is a COMMAND, a parameter,
one of postern's own keys as cache.max_entries, or a page of the manual: postern, postern.toml,
postern-tlsmgr, postern-tlsproxy, postern-cache, postern-metrics.

Exit codes: 0 done, 64 wrong command line, 66 a file is missing or unreadable, 69 a service cannot
be reached, or uses the file, 70 internal fault, 78 bad settings, keys, certificates, libraries or
cache files.`;

const EXAMPLE = "postern config check --config postern.toml && " +
  "postern --role tlsmgr --config postern.toml";

/** The text about the commands whose titles begin with `topic`; about everything, if it is empty. */
export function helpText(topic: readonly string[]): string {
  const rows = commandsBelow(topic);
  if (topic.length > 0 && rows.length === 1) return commandText(rows[0]);
  const lines = rows.map((row) => [startOf(row), row.summary] as const);
  if (topic.length > 0) {
    const more = `\`postern help ${topic.join(" ")} COMMAND\` says more about one of them.`;
    return sections([listing(lines), more, example(rows[0])]);
  }
  const others = [
    ["postern help [TOPIC]", "this text, or more about a TOPIC"],
    ["postern --version", "versions of all parts"],
  ] as const;
  return sections([
    listing([...lines, ...others]),
    ABOUT,
    `Example:\n${INDENT}$ ${EXAMPLE}`,
  ]);
}

function sections(parts: readonly string[]): string {
  return `Usage:\n${parts.join("\n\n")}\n`;
}

function startOf(row: Command): string {
  return row.words.length === 0 ? "postern --role ROLE" : `postern ${row.words.join(" ")}`;
}

/** Two columns, the second one wrapped. */
function listing(lines: readonly (readonly [string, string])[]): string {
  const left = Math.max(...lines.map(([start]) => start.length)) + 2;
  return lines.map(([start, text]) => {
    const wrapped = wrapWords(text.split(" "), WIDTH - INDENT.length - left);
    return `${INDENT}${start.padEnd(left)}${wrapped.join(`\n${INDENT}${" ".repeat(left)}`)}`;
  }).join("\n");
}

function commandText(row: Command): string {
  const usage = usageParts(row).map(usageText);
  const explained = [
    ...Object.values(row.options).map(({ flag, argument, help }) =>
      [usageText({ flag, argument }), help] as const
    ),
    ...row.operands.map(({ name, help }) => [name, help] as const),
  ];
  const start = ["postern", ...row.words].join(" ");
  const first = wrapWords(usage, WIDTH - INDENT.length - start.length - 1);
  const indent = `\n${INDENT}${" ".repeat(start.length + 1)}`;
  return sections([
    `${INDENT}${start} ${first.join(indent)}`.trimEnd(),
    row.about,
    ...(explained.length > 0 ? [listing(explained)] : []),
    example(row),
  ]);
}

function example(row: Command): string {
  return `Example:\n${INDENT}$ ${row.example}`;
}
