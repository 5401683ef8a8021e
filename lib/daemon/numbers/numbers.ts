/**
 * The numbers of one thread: written here, read by the control thread.
 *
 * Every series has a place in memory that both threads see; a handle writes a double there and nothing
 * more: no message, no lock, no object. That a series exists is announced once, when its handle is made,
 * so handles for what happens often are made beforehand.
 *
 * Memory has one size, whatever peers do. A metric's first series, if it has no labels, and otherwise the
 * series called "other" have places of their own; label values beyond what the row or the memory allows
 * are counted as "other".
 *
 * One thread writes, and a double is written whole: the reader needs no care but for what belongs
 * together, and a histogram may be seen between two of its writes.
 *
 * @module
 */
import {
  type LabelsOf,
  METRIC_NAMES,
  type MetricName,
  type MetricRow,
  metricRow,
  type NameOf,
} from "./metric_table.ts";

/** Doubles in one thread's memory: 16 KiB. */
export const SLOTS_MAX = 2048;
const SERIES_MAX_DEFAULT = 50;
/** Characters of a label's value; the rest is cut off. */
const LABEL_CHARS_MAX = 200;
/** Stands for all label values that have no series. */
export const OTHER = "other";

/** One series, as it is announced. */
export interface Series {
  /** Its first place in the memory. */
  readonly slot: number;
  readonly name: MetricName;
  /** Label values in the order of the metric's row. */
  readonly labels: readonly string[];
}

/** How many places a series takes: a histogram one a bucket, one for the rest, and one for the sum. */
export function widthOf({ buckets }: Pick<MetricRow, "buckets">): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}

/** Where the one series of each metric begins that always finds room. */
const reserved = new Map<MetricName, number>();
let reservedEnd = 0;
for (const name of METRIC_NAMES) {
  reserved.set(name, reservedEnd);
  reservedEnd += widthOf(metricRow(name));
}

/** Counts what happens. */
export class Counter {
  readonly #cells: Float64Array;
  readonly #slot: number;

  constructor(cells: Float64Array, slot: number) {
    this.#cells = cells;
    this.#slot = slot;
  }

  /** Adds `count`, which is not negative. */
  add(count = 1): void {
    this.#cells[this.#slot] += count;
  }
}

/** Shows how much there is. */
export class Gauge {
  readonly #cells: Float64Array;
  readonly #slot: number;

  constructor(cells: Float64Array, slot: number) {
    this.#cells = cells;
    this.#slot = slot;
  }

  set(value: number): void {
    this.#cells[this.#slot] = value;
  }

  /** Adds `count`, which may be negative. */
  add(count = 1): void {
    this.#cells[this.#slot] += count;
  }
}

/** Counts observations by their size. */
export class Histogram {
  readonly #cells: Float64Array;
  readonly #slot: number;
  readonly #bounds: readonly number[];

  constructor(cells: Float64Array, slot: number, bounds: readonly number[]) {
    this.#cells = cells;
    this.#slot = slot;
    this.#bounds = bounds;
  }

  /** Counts one observation, in the metric's unit. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) bucket++;
    this.#cells[this.#slot + bucket]++;
    this.#cells[this.#slot + bounds.length + 1] += value;
  }
}

/** The labels of a metric, where it has some. */
export type LabelArguments<Name extends MetricName> = [keyof LabelsOf<Name>] extends [never] ? []
  : [labels: LabelsOf<Name>];

/** All numbers of a thread. */
export class Numbers {
  readonly #cells: Float64Array;
  readonly #announce: (series: Series) => void;
  /** Series that were announced, by name and label values. */
  readonly #known = new Map<string, number>();
  readonly #counts = new Map<MetricName, number>();
  #end = reservedEnd;

  /**
   * @param memory made by {@linkcode Numbers.allocate}, once a thread
   * @param announce told of each series, once
   */
  constructor(memory: SharedArrayBuffer, announce: (series: Series) => void) {
    this.#cells = new Float64Array(memory);
    this.#announce = announce;
  }

  /** Memory of a thread that has counted nothing. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOTS_MAX * Float64Array.BYTES_PER_ELEMENT);
  }

  /** The counter of these labels; the same place for the same labels. */
  counter<Name extends NameOf<"counter">>(name: Name, ...labels: LabelArguments<Name>): Counter {
    return new Counter(this.#cells, this.#place(name, labels[0]));
  }

  /** The gauge of these labels. */
  gauge<Name extends NameOf<"gauge">>(name: Name, ...labels: LabelArguments<Name>): Gauge {
    return new Gauge(this.#cells, this.#place(name, labels[0]));
  }

  /** The histogram of these labels. */
  histogram<Name extends NameOf<"histogram">>(
    name: Name,
    ...labels: LabelArguments<Name>
  ): Histogram {
    const place = this.#place(name, labels[0]);
    return new Histogram(this.#cells, place, metricRow(name).buckets ?? []);
  }

  #place(name: MetricName, labels: Readonly<Record<string, string>> | undefined): number {
    const row = metricRow(name);
    const values = row.labels.map((label) => (labels?.[label] ?? "").slice(0, LABEL_CHARS_MAX));
    const known = this.#known.get(keyOf(name, values));
    if (known !== undefined) return known;
    const width = widthOf(row);
    const count = this.#counts.get(name) ?? 0;
    const isReserved = values.every((value) => value === OTHER);
    const hasRoom = count < (row.seriesMax ?? SERIES_MAX_DEFAULT) && this.#end + width <= SLOTS_MAX;
    if (isReserved) return this.#announced({ name, labels: values, slot: reserved.get(name)! });
    if (!hasRoom) return this.#otherOf(name, row);
    this.#counts.set(name, count + 1);
    const slot = this.#end;
    this.#end += width;
    return this.#announced({ name, labels: values, slot });
  }

  #otherOf(name: MetricName, { labels }: MetricRow): number {
    const values = labels.map(() => OTHER);
    return this.#known.get(keyOf(name, values)) ??
      this.#announced({ name, labels: values, slot: reserved.get(name)! });
  }

  #announced(series: Series): number {
    this.#known.set(keyOf(series.name, series.labels), series.slot);
    this.#announce(series);
    return series.slot;
  }
}

function keyOf(name: string, values: readonly string[]): string {
  return [name, ...values].join("\0");
}
