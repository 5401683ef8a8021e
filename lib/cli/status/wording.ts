/**
 * Rows, and pieces of sentences that several of them are made of.
 *
 * @module
 */
import type { MetricName } from "../../daemon/numbers/metric_table.ts";
import type { NumberView, Where } from "./number_view.ts";
import { showCount, showRate } from "./units.ts";

/** How a text is to look where there are colours. */
export type Tone = "good" | "bad" | "plain";

/** One row. */
export interface Row {
  /** Empty: the row goes on with the matter of the one before. */
  readonly name: string;
  readonly text: string;
  /** @default {"plain"} */
  readonly tone?: Tone;
}

/** `: 12 lookup, 3 update`; nothing for nothing. */
export function listed(sums: readonly (readonly [string, number])[]): string {
  if (sums.length === 0) return "";
  return `: ${sums.map(([name, sum]) => `${showCount(sum)} ${name}`).join(", ")}`;
}

/** `1,234 accepted`, and with two looks `1,234 accepted (12.3/s)`. */
export function withRate(
  view: Pick<NumberView, "total" | "rate">,
  name: MetricName,
  where: Where,
  word: string,
): string {
  const rate = view.rate(name, where);
  const count = showCount(view.total(name, where));
  return [count, word, rate === undefined ? "" : `(${showRate(rate)})`]
    .filter((part) => part !== "").join(" ");
}
