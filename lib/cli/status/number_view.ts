/**
 * The numbers of a service for whoever shows them: sums over labels, and rates between two looks.
 *
 * @module
 */
import type { MetricName } from "../../daemon/numbers/metric_table.ts";
import type { NumberStatus, Status } from "../../daemon/desk/status.ts";

/** Which series count: those with these label values. */
export type Where = Readonly<Record<string, string>>;

/** The numbers of one look, and of one before it. */
export interface Looks {
  readonly numbers: Status["numbers"];
  /** Of the same process; absent: this is the first look. */
  readonly before?: Status["numbers"];
  /** Between the two, seconds. */
  readonly elapsedS?: number;
}

/** Reads numbers. */
export class NumberView {
  readonly #looks: Looks;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  /** Whether the service has that metric. */
  has(name: MetricName): boolean {
    return Object.hasOwn(this.#looks.numbers, name);
  }

  /** The sum over all series that are meant; of a histogram, how many observations there are. */
  total(name: MetricName, where: Where = {}): number {
    return total(this.#looks.numbers, name, where);
  }

  /** What has come a second since the look before; `undefined`: there was none. */
  rate(name: MetricName, where: Where = {}): number | undefined {
    const { numbers, before, elapsedS } = this.#looks;
    if (before === undefined || elapsedS === undefined || elapsedS <= 0) return undefined;
    return (total(numbers, name, where) - total(before, name, where)) / elapsedS;
  }

  /** Sums by the value of `label`, the greatest first; those at nothing are left out. */
  by(name: MetricName, label: string, where: Where = {}): readonly (readonly [string, number])[] {
    const sums = new Map<string, number>();
    for (const series of matching(this.#looks.numbers, name, where)) {
      const value = series.labels[label] ?? "";
      sums.set(value, (sums.get(value) ?? 0) + (series.value ?? series.count ?? 0));
    }
    return [...sums].filter(([, sum]) => sum !== 0).toSorted(([, a], [, b]) => b - a);
  }

  /** All series as they are. */
  series(name: MetricName): readonly NumberStatus[] {
    return this.#looks.numbers[name] ?? [];
  }

  /** Of a histogram: the mean; `undefined` where nothing was observed. */
  mean(name: MetricName): number | undefined {
    const count = this.total(name);
    if (count === 0) return undefined;
    return this.series(name).reduce((sum, series) => sum + (series.sum ?? 0), 0) / count;
  }

  /** Of a histogram: the least bound that covers `share` of all; `undefined` where there is none. */
  bound(name: MetricName, share: number): number | undefined {
    const [series] = this.series(name);
    const wanted = (series?.count ?? 0) * share;
    if (wanted === 0) return undefined;
    const found = series.buckets?.find(([, count]) => count >= wanted)?.[0];
    return typeof found === "number" ? found : undefined;
  }
}

function matching(
  numbers: Status["numbers"],
  name: MetricName,
  where: Where,
): readonly NumberStatus[] {
  const wanted = Object.entries(where);
  return (numbers[name] ?? []).filter(({ labels }) =>
    wanted.every(([label, value]) => labels[label] === value)
  );
}

function total(numbers: Status["numbers"], name: MetricName, where: Where): number {
  return matching(numbers, name, where)
    .reduce((sum, { value, count }) => sum + (value ?? count ?? 0), 0);
}
