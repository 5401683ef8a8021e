/**
 * A row of the table: what was measured, how good it has to be, and whether it is.
 *
 * @module
 */

import { median, type Spread, spreadOf } from "./statistics.ts";

/** How good a figure has to be. */
export interface Bar {
  /** What is held against the limit: postern's figure over Postfix's, or postern's alone. */
  readonly of: "ratio" | "postern";
  readonly least?: number;
  readonly most?: number;
}

/** What a row is about. */
export interface RowSpec {
  readonly figure: string;
  readonly unit: string;
  /** None: for information. */
  readonly bar?: Bar;
}

/** A row with what was measured: for each server one number a round. */
export interface Row extends RowSpec {
  readonly values: ReadonlyMap<string, readonly number[]>;
  /** How busy the servers' processor was, by server; only where seconds of the clock count. */
  readonly busy?: ReadonlyMap<string, readonly number[]>;
}

/** What the table says of a row. */
export interface RowResult {
  readonly figure: string;
  readonly unit: string;
  /** Median of each server. */
  readonly medians: Readonly<Record<string, number>>;
  /** postern's over Postfix's, round by round. */
  readonly ratio?: Spread;
  /** postern's figures themselves. */
  readonly postern?: Spread;
  readonly bar?: Bar;
  readonly met?: boolean;
  /** Median share of the time in which the server had its processor. */
  readonly busy?: Readonly<Record<string, number>>;
}

const OURS = "postern";
const THEIRS = "Postfix";

function mediansOf(values: ReadonlyMap<string, readonly number[]>): Record<string, number> {
  const pairs = [...values].filter(([, numbers]) => numbers.length > 0);
  return Object.fromEntries(pairs.map(([name, numbers]) => [name, median(numbers)]));
}

/** Whether a bar is met by the median of what it is about; `undefined` when that was not measured. */
export function isMet(bar: Bar, row: Pick<RowResult, "ratio" | "postern">): boolean | undefined {
  const spread = bar.of === "ratio" ? row.ratio : row.postern;
  if (spread === undefined) return undefined;
  return spread.median >= (bar.least ?? -Infinity) && spread.median <= (bar.most ?? Infinity);
}

/** Draws the sum of a row. */
export function resultOf(row: Row): RowResult {
  const ours = row.values.get(OURS) ?? [];
  const theirs = row.values.get(THEIRS) ?? [];
  const postern = ours.length > 0 ? spreadOf(ours) : undefined;
  // Neighbours in time are compared, so that what the machine does besides strikes both.
  const rounds = theirs.includes(0) ? 0 : Math.min(ours.length, theirs.length);
  const ratio = rounds > 0
    ? spreadOf(ours.slice(0, rounds).map((value, i) => value / theirs[i]))
    : undefined;
  return {
    figure: row.figure,
    unit: row.unit,
    medians: mediansOf(row.values),
    ...(ratio && { ratio }),
    ...(postern && { postern }),
    ...(row.bar && { bar: row.bar, met: isMet(row.bar, { ratio, postern }) }),
    ...(row.busy && { busy: mediansOf(row.busy) }),
  };
}
