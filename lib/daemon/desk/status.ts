/**
 * What a service says of itself at `GET /status`: plain data, for `postern status` and for scripts.
 *
 * Names are those of JSON, in small letters; times are seconds since 1970. A member may be added; none
 * changes its meaning.
 *
 * @module
 */
import type { RoleName } from "../../config/settings.ts";
import type { Family } from "../numbers/number_board.ts";
import type { LastReload } from "../reload.ts";

/** Where a service stands: `serving` accepts connections, `draining` lets what is open come to its end. */
export type ServiceState = "starting" | "serving" | "draining";

/** One crew of service threads. */
export interface CrewStatus {
  /** A crew that finishes accepts nothing: it serves the sessions that began before a reload. */
  readonly state: "serving" | "finishing";
  readonly threads: number;
}

/** What came of the last reload. */
export interface ReloadStatus {
  readonly ended: number;
  /** Why the settings stayed as they were; null: they are in force. */
  readonly fault: string | null;
  readonly lines: readonly string[];
}

/** One value with its labels, or one histogram, as Prometheus's text has them. */
export interface NumberStatus {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram, absent. */
  readonly value?: number;
  readonly sum?: number;
  readonly count?: number;
  /** Pairs of an upper bound, "+Inf" for the last one, and how many observations it covers. */
  readonly buckets?: readonly (readonly [number | "+Inf", number])[];
}

/** All of it. */
export interface Status {
  readonly role: RoleName;
  /** The NAME of `[instance.NAME]`, or null. */
  readonly instance: string | null;
  readonly state: ServiceState;
  /** Whether the threads make progress. */
  readonly well: boolean;
  readonly version: string;
  readonly pid: number;
  readonly started: number;
  /** What is served: the path of a socket, or who holds it. */
  readonly socket: string;
  /** What the settings come from, or null when that has no name. */
  readonly settings: string | null;
  readonly crews: readonly CrewStatus[];
  readonly reload: ReloadStatus | null;
  /** By the name of the metric. */
  readonly numbers: Readonly<Record<string, readonly NumberStatus[]>>;
}

/** The last reload, as it is shown. */
export function reloadStatus(last: LastReload | undefined): ReloadStatus | null {
  if (last === undefined) return null;
  const { endedS: ended, fault, lines } = last;
  return { ended, fault: fault ?? null, lines };
}

/** All numbers, as they are shown. */
export function numbersStatus(families: readonly Family[]): Status["numbers"] {
  return Object.fromEntries(families.map((family) => {
    if (family.type !== "histogram") return [family.name, family.samples];
    const samples = family.samples.map(({ labels, buckets, sum }) => ({
      labels,
      sum,
      count: buckets.at(-1)?.count ?? 0,
      buckets: buckets.map(({ le, count }) => [le === Infinity ? "+Inf" : le, count] as const),
    }));
    return [family.name, samples];
  }));
}
