/**
 * The few statistics of the benchmark.
 *
 * @module
 */

/** The middle of `numbers`; of an even count the upper of the two. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("Cannot take the median of nothing");
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

/** The smallest of the sorted `numbers` that at least `share` of them do not exceed. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new Error("Cannot take a percentile of nothing");
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
}

/** The middle, the least and the most. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}
