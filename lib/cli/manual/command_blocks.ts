/**
 * What a manual says about commands, made from their rows.
 *
 * @module
 */
import { type Command, titleOf } from "../command.ts";
import { COMMANDS } from "../command_table.ts";
import { argument, type Block, type Entry, literal, plain, readMarkup } from "./markup.ts";
import { usageParts } from "./usage.ts";

/** The commands whose titles begin with `words`; `--role` is the one that runs a role. */
export function commandsBelow(words: readonly string[]): readonly Command[] {
  return COMMANDS.filter((row) => {
    const title = titleOf(row).split(" ");
    return words.every((word, i) => title[i] === word);
  });
}

/** How `row` is written. */
export function usageBlock(row: Command): Block {
  return { kind: "usage", words: ["postern", ...row.words], parts: usageParts(row) };
}

/** A part of a page about one command. */
export function commandBlocks(row: Command): Block[] {
  return [
    { kind: "subsection", title: ["postern", titleOf(row)].join(" ") },
    usageBlock(row),
    ...readMarkup(row.about),
    ...optionBlocks(row),
    { kind: "literal", lines: [`$ ${row.example}`] },
  ];
}

/** The options and operands of `row`; none when it has none. */
export function optionBlocks(row: Command): Block[] {
  const options = Object.values(row.options).map((option): Entry => ({
    term: [
      literal(option.flag),
      ...(option.argument === undefined ? [] : [plain(" "), argument(option.argument)]),
    ],
    blocks: [{ kind: "paragraph", spans: [plain(option.help)] }],
  }));
  const operands = row.operands.map(({ name, help }): Entry => ({
    term: [argument(name)],
    blocks: [{ kind: "paragraph", spans: [plain(help)] }],
  }));
  const items = [...options, ...operands];
  return items.length === 0 ? [] : [{ kind: "entries", items }];
}
