/**
 * The table as text.
 *
 * @module
 */

import type { Bar, RowResult } from "./rows.ts";

/** Four digits where they tell something, thousands apart. */
export function numberText(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** `≥ 1.5×`, `≤ 40`. */
export function barText(bar: Bar | undefined): string {
  if (bar === undefined) return "";
  const [sign, limit] = bar.least === undefined ? ["≤", bar.most!] : ["≥", bar.least];
  return `${sign} ${limit}${bar.of === "ratio" ? "×" : ""}`;
}

/** Least and most of what the bar is about; of the ratio, when there is no bar. */
export function spreadText(row: RowResult): string {
  const ofOurs = row.bar?.of === "postern" || row.ratio === undefined;
  const spread = ofOurs ? row.postern : row.ratio;
  if (spread === undefined || spread.min === spread.max) return "";
  return `${numberText(spread.min)}–${numberText(spread.max)}${ofOurs ? "" : "×"}`;
}

function metText(met: boolean | undefined): string {
  return met === undefined ? "" : met ? "met" : "NOT MET";
}

function busyText(busy: RowResult["busy"]): string {
  if (busy?.Postfix === undefined || busy.postern === undefined) return "";
  return [busy.Postfix, busy.postern].map((share) => Math.round(100 * share)).join("/");
}

/** The lines of the table: a head, a rule, and one line a row. */
export function tableLines(rows: readonly RowResult[], others: readonly string[]): string[] {
  const servers = ["Postfix", "postern", ...others];
  const head = ["figure", "unit", ...servers, "ratio", "spread", "bar", "met", "busy %"];
  const cells = rows.map((row) => [
    row.figure,
    row.unit,
    ...servers.map((name) => numberText(row.medians[name])),
    row.ratio === undefined ? "" : `${numberText(row.ratio.median)}×`,
    spreadText(row),
    barText(row.bar),
    metText(row.met),
    busyText(row.busy),
  ]);
  const widths = head.map((text, i) => {
    return Math.max(text.length, ...cells.map((line) => line[i].length));
  });
  const isText = (i: number) => i < 2 || i > servers.length + 3;
  const line = (texts: readonly string[]) =>
    texts.map((text, i) => isText(i) ? text.padEnd(widths[i]) : text.padStart(widths[i]))
      .join("  ").trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(head), rule, ...cells.map(line)];
}

/** One sentence for each bar that is not met. */
export function missedBars(rows: readonly RowResult[]): string[] {
  return rows.filter(({ met }) => met === false).map((row) => {
    const spread = row.bar!.of === "ratio" ? row.ratio! : row.postern!;
    const unit = row.bar!.of === "ratio" ? "×" : ` ${row.unit}`;
    return `not met: ${row.figure}: ${numberText(spread.median)}${unit}, wanted ${
      barText(row.bar)
    }`;
  });
}
