/**
 * All numbers of a process: those of its service threads, of all crews, and of the control thread.
 *
 * Reads the threads' memories when asked. What a thread has counted stays when it ends, so that no counter
 * ever goes back; what its gauges showed goes with it.
 *
 * @module
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { ControlNumbers } from "./control_numbers.ts";
import { METRIC_NAMES, type MetricName, type MetricRow, metricRow } from "./metric_table.ts";
import { Numbers, type Series, widthOf } from "./numbers.ts";

/** One value. */
export interface Sample {
  /** Label values by name, in the row's order. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One histogram. */
export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  /** Observations up to each bound, growing; the last bound is Infinity, and its count that of all. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
}

/** A metric with all its series. */
export type Family =
  | {
    readonly name: MetricName;
    readonly type: "counter" | "gauge";
    readonly help: string;
    readonly samples: readonly Sample[];
  }
  | {
    readonly name: MetricName;
    readonly type: "histogram";
    readonly help: string;
    readonly samples: readonly HistogramSample[];
  };

/** A service thread on the board. */
export interface ThreadNumbers {
  /** What the thread writes to. */
  readonly memory: SharedArrayBuffer;
  /** Takes what the thread announced. */
  announce(series: Series): void;
  /** The thread has ended, or is not waited for any more; again is allowed. */
  end(): void;
}

/** A series with its cells, of one thread or of several. */
interface Total {
  readonly labels: readonly string[];
  readonly cells: Float64Array;
}

/** The series of one thread. */
interface Attached {
  readonly cells: Float64Array;
  readonly series: Series[];
}

/** All numbers of a process. */
export class NumberBoard {
  /** The control thread's. */
  readonly own: Numbers;
  /** What the control thread counts there. */
  readonly control: ControlNumbers;
  readonly #attached = new Set<Attached>();
  /** What threads that have ended have counted. */
  readonly #base = new Totals();
  readonly #steps = new Set<() => void>();

  constructor(clock: Pick<Clock, "unixSeconds"> = systemClock) {
    const { memory, announce } = this.attach();
    this.own = new Numbers(memory, announce);
    this.control = new ControlNumbers(this.own, clock);
  }

  /** Makes memory for a service thread. */
  attach(): ThreadNumbers {
    const memory = Numbers.allocate();
    const attached: Attached = { cells: new Float64Array(memory), series: [] };
    this.#attached.add(attached);
    return {
      memory,
      announce: (series) => void attached.series.push(series),
      end: () => {
        if (!this.#attached.delete(attached)) return;
        for (const series of attached.series) {
          if (metricRow(series.name).type !== "gauge") this.#base.add(series, attached.cells);
        }
      },
    };
  }

  /** Has `step` called before each collection; it brings up to date what is only looked at then. */
  beforeCollect(step: () => void): Disposable {
    this.#steps.add(step);
    return { [Symbol.dispose]: () => void this.#steps.delete(step) };
  }

  /** All metrics that have a series, in the table's order. */
  collect(): readonly Family[] {
    for (const step of this.#steps) step();
    const totals = this.#base.copy();
    for (const { cells, series } of this.#attached) {
      for (const one of series) totals.add(one, cells);
    }
    return totals.families();
  }
}

/** Sums over threads. */
class Totals {
  readonly #byName = new Map<MetricName, Map<string, Total>>();

  copy(): Totals {
    const copy = new Totals();
    for (const [name, totals] of this.#byName) {
      const ofName = new Map<string, Total>();
      for (const [key, { labels, cells }] of totals) {
        ofName.set(key, { labels, cells: cells.slice() });
      }
      copy.#byName.set(name, ofName);
    }
    return copy;
  }

  /** Adds a series that stands in `cells`. */
  add({ name, slot, labels }: Series, cells: Float64Array): void {
    const row = metricRow(name);
    const values = cells.subarray(slot, slot + widthOf(row));
    const ofName = this.#byName.get(name) ?? new Map<string, Total>();
    this.#byName.set(name, ofName);
    const key = labels.join("\0");
    const total = ofName.get(key);
    if (total === undefined) ofName.set(key, { labels, cells: Float64Array.from(values) });
    else {for (let i = 0; i < values.length; i++) {
        total.cells[i] = join(row, total.cells[i], values[i]);
      }}
  }

  families(): readonly Family[] {
    return METRIC_NAMES.flatMap((name) => {
      const totals = this.#byName.get(name);
      return totals === undefined ? [] : [familyOf(name, [...totals.values()])];
    });
  }
}

function join({ across }: MetricRow, one: number, other: number): number {
  switch (across) {
    case "min":
      return Math.min(one, other);
    case "max":
      return Math.max(one, other);
    default:
      return one + other;
  }
}

function familyOf(name: MetricName, totals: readonly Total[]): Family {
  const row = metricRow(name);
  const { type, help } = row;
  const named = (values: readonly string[]) =>
    Object.fromEntries(row.labels.map((label, index) => [label, values[index]]));
  if (type !== "histogram") {
    const samples = totals.map(({ labels, cells }) => ({ labels: named(labels), value: cells[0] }));
    return { name, type, help, samples };
  }
  const bounds = [...row.buckets ?? [], Infinity];
  const samples = totals.map(({ labels, cells }) => {
    let count = 0;
    const buckets = bounds.map((le, index) => ({ le, count: count += cells[index] }));
    return { labels: named(labels), buckets, sum: cells[bounds.length] };
  });
  return { name, type, help, samples };
}
