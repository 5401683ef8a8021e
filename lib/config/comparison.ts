/**
 * The comparison operators of `${{l} op {r}}`.
 *
 * Plain operators compare by number when both sides are all digits, else byte by byte, so that
 * `3.10` sorts below `3.9`. With the suffix `level` both sides are versions, `major[.minor[.patch]]`,
 * and a side that is none is a fault (mac_expand.c, compat_level.c).
 *
 * @module
 */

import { quote } from "./findings.ts";
import { utf8 } from "../base/bytes.ts";

/** How two sides are set against each other: what order fulfils the operator, and of what. */
export interface Operator {
  readonly byLevel: boolean;
  readonly holds: (order: number) => boolean;
}

const HOLDS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ["==", (order: number) => order === 0],
  ["!=", (order: number) => order !== 0],
  ["<", (order: number) => order < 0],
  ["<=", (order: number) => order <= 0],
  [">=", (order: number) => order >= 0],
  [">", (order: number) => order > 0],
]);

/** All operators by their text. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [...HOLDS].flatMap(([text, holds]): [string, Operator][] => [
    [text, { byLevel: false, holds }],
    [`${text}level`, { byLevel: true, holds }],
  ]),
);

/** Whether `left op right` holds, or in words why it cannot be told. */
export function compareOperands(left: string, right: string, operator: Operator): boolean | string {
  if (!operator.byLevel) return operator.holds(orderOfTexts(left, right));
  const a = parseLevel(left);
  const b = parseLevel(right);
  if (a === undefined) return `${quote(left)} is not a version like 3.11`;
  if (b === undefined) return `${quote(right)} is not a version like 3.11`;
  return operator.holds(a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
}

/** The three numbers of a compatibility level, or nothing when `text` is none. */
export function parseLevel(text: string): readonly [number, number, number] | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,9})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

function orderOfTexts(left: string, right: string): number {
  const digits = /^\d{1,18}$/;
  if (digits.test(left) && digits.test(right)) {
    const [a, b] = [BigInt(left), BigInt(right)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const [a, b] = [utf8(left), utf8(right)];
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}
