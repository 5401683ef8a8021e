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

const DIGITS = /^\d+$/;
const LEVEL = /^[ \t-\r]*([+-]?\d+)(?:\.[ \t-\r]*([+-]?\d+)(?:\.[ \t-\r]*([+-]?\d+))?)?$/;
/** compat_level.c packs a level into 63 bits, ten of them each for the minor and the patch. */
const MAJOR_MAX = 2 ** 43 - 1;
const MINOR_MAX = 2 ** 10 - 1;
const LONG_MAX = 2n ** 63n - 1n;
const LONG_DIGITS = 19;

/** All operators by their text. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [...HOLDS].flatMap(([text, holds]): [string, Operator][] => [
    [text, { byLevel: false, holds }],
    [`${text}level`, { byLevel: true, holds }],
  ]),
);

/** Whether `left op right` holds, or in words why it cannot be told. */
export function compareOperands(left: string, right: string, operator: Operator): boolean | string {
  if (!operator.byLevel) {
    const order = orderOfTexts(left, right);
    return typeof order === "string" ? order : operator.holds(order);
  }
  const a = parseLevel(left);
  const b = parseLevel(right);
  if (a === undefined) return `${quote(left)} is not a version like 3.11`;
  if (b === undefined) return `${quote(right)} is not a version like 3.11`;
  return operator.holds(a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
}

/**
 * The three numbers of a compatibility level, or nothing when `text` is none. Each number is read as
 * strtol(3) does, so blanks and a plus sign may stand before it.
 */
export function parseLevel(text: string): readonly [number, number, number] | undefined {
  const match = LEVEL.exec(text);
  if (match === null) return undefined;
  const [major, minor, patch] = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
  const inRange = Math.min(major, minor, patch) >= 0 && major <= MAJOR_MAX && minor <= MINOR_MAX &&
    patch <= MINOR_MAX;
  return inRange ? [major, minor, patch] : undefined;
}

/** Less than, equal to or greater than 0; in words when a number is beyond Postfix's 64 bits. */
function orderOfTexts(left: string, right: string): number | string {
  if (DIGITS.test(left) && DIGITS.test(right)) {
    const [a, b] = [longOf(left), longOf(right)];
    if (a === undefined || b === undefined) {
      return `${quote(a === undefined ? left : right)} does not fit into 64 bits`;
    }
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const [a, b] = [utf8(left), utf8(right)];
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

function longOf(digits: string): bigint | undefined {
  const significant = digits.replace(/^0+/, "");
  if (significant.length > LONG_DIGITS) return undefined;
  const value = BigInt(significant);
  return value <= LONG_MAX ? value : undefined;
}
