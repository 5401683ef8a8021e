/**
 * How a command is written, from its row in the table of commands.
 *
 * @module
 */
import { type Command, titleOf } from "../command.ts";
import type { UsagePart } from "./markup.ts";

/** Options and operands in the order of the row. */
export function usageParts(row: Command): UsagePart[] {
  const options = Object.values(row.options).map(({ flag, argument, many }) => ({
    flag,
    ...(argument !== undefined && { argument }),
    optional: titleOf(row) !== flag,
    many: many === true,
  }));
  const operands = row.operands.map(({ name, optional, many }) => ({
    argument: name,
    optional: optional === true,
    many: many === true,
  }));
  return [...options, ...operands];
}

/** One part as usage shows it: `[--config FILE]`. */
export function usageText({ flag, argument, optional, many }: UsagePart): string {
  const text = [flag, argument].filter((word) => word !== undefined).join(" ");
  return `${optional ? `[${text}]` : text}${many ? "..." : ""}`;
}
