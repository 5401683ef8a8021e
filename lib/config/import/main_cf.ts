/**
 * main.cf, or what postconf(1) prints of it, as a list of parameters, comments and blank lines.
 *
 * A logical line is `name = value`: the name ends at white space or `=`, the value is the rest without
 * its outer blanks (split_nameval.c). Any other line is an error, as it is fatal in Postfix; all of
 * them are found in one run.
 *
 * @module
 */

import { SPACE, trimSpace } from "../blanks.ts";
import { type FindingList, quote } from "../findings.ts";
import { readLogicalLines } from "./logical_lines.ts";

/** One piece of main.cf. */
export type MainCfItem =
  | { readonly kind: "comment" | "blank" | "stray"; readonly text: string; readonly line: number }
  | MainCfParameter;

/** `name = value`. */
export interface MainCfParameter {
  readonly kind: "parameter";
  readonly name: string;
  /** As Postfix sees it before expansion. */
  readonly value: string;
  readonly line: number;
}

const NAME = new RegExp(`^[^=${SPACE}]*`);
const TRAILING_COMMENT = new RegExp(`[${SPACE}]#`);
const MASTER_CF = /^\S+\s+(?:inet|unix|fifo|pass|unix-dgram)\s+[yn-]\s/;
const BYTE_ORDER_MARK = "\uFEFF";

/** Reads main.cf; a line that is no parameter becomes an error and is left out. */
export function readMainCf(bytes: Uint8Array, findings: FindingList): MainCfItem[] {
  const items: MainCfItem[] = [];
  for (const { kind, text, line } of readLogicalLines(bytes, findings)) {
    const place = { line, column: 1 };
    if (kind === "stray") {
      findings.add({
        severity: "warning",
        message: `Skipped: ${quote(text)} continues no line, and Postfix skips it too`,
        hint: "begin a parameter in the first column",
      }, { place });
    }
    if (kind !== "text") {
      items.push({ kind, text, line });
      continue;
    }
    const split = splitParameter(text);
    if ("fault" in split) {
      findings.add({ severity: "error", message: split.fault, hint: split.hint }, { place });
      continue;
    }
    items.push({ kind: "parameter", ...split, line });
    noteSurprises(split, findings, place);
  }
  return items;
}

/** Splits `name = value` as Postfix does, or says why that is impossible. */
export function splitParameter(
  text: string,
): { name: string; value: string } | { fault: string; hint: string } {
  const start = trimSpace(text);
  const name = NAME.exec(start)?.[0] ?? "";
  const rest = trimSpace(start.slice(name.length));
  if (!rest.startsWith("=")) {
    const fault = `Cannot read a parameter: no "=" after ${quote(name)}`;
    return { fault, hint: hintFor(start) };
  }
  if (name === "") {
    return { fault: 'Cannot read a parameter: no name in front of the "="', hint: hintFor(start) };
  }
  return { name, value: trimSpace(rest.slice(1)) };
}

function hintFor(text: string): string {
  if (text.startsWith(BYTE_ORDER_MARK)) {
    return "the file begins with a byte order mark; save it without one";
  }
  if (MASTER_CF.test(text)) return "this looks like master.cf, which goes after --master";
  if (text.startsWith("[")) return "this looks like TOML, which needs no conversion";
  return "write name = value; a line that continues the one above it begins with a blank";
}

function noteSurprises(
  { name, value }: { name: string; value: string },
  findings: FindingList,
  place: { line: number; column: number },
): void {
  if (TRAILING_COMMENT.test(value)) {
    findings.add({
      severity: "warning",
      message: 'A "#" after other text begins no comment: it is part of the value, as in Postfix',
      hint: "put the comment on a line of its own",
    }, { place, key: name });
  }
  if (name.startsWith(BYTE_ORDER_MARK)) {
    findings.add({
      severity: "warning",
      message: "The byte order mark at the start of the file is part of this name, as in Postfix",
      hint: `save the file without it if ${quote(name.slice(1))} was meant`,
    }, { place, key: name });
  }
}
