/**
 * One run of the benchmark: its options, its processors, the servers that several figures share, and the
 * order of things.
 *
 * A figure is measured in rounds; in each round every server has its turn, A B A B. Before the first
 * round each server gets the figure's warm-up: postern's compiler settles only after some thousand
 * requests, and Postfix's processes have their pages to touch as well.
 *
 * @module
 */

import { LoadProcess } from "./load_process.ts";
import type { Command, Extent, Outcome } from "./commands.ts";
import { OtherServer } from "./other_servers.ts";
import { inMemory } from "./memory_folder.ts";
import type { Row, RowSpec } from "./rows.ts";
import { type Pair, type Role, type ServerOptions, startPair, type TlsServer } from "./servers.ts";

/** What the command line says. */
export interface Options {
  readonly quick: boolean;
  readonly rounds: number;
  /** Only rows whose figures contain this. */
  readonly only: string;
  /** Further columns. */
  readonly others: readonly string[];
}

/**
 * Warm-up of each server for each figure: so many, or so many seconds of it where a server is so slow
 * that it would take longer.
 */
export const WARM_UP = {
  requests: { count: 20_000, seconds: 2 },
  sessions: { count: 2_000, seconds: 3 },
  echoes: { count: 5_000, seconds: 2 },
  bulk: { seconds: 0.5 },
} as const;

/** One measurement: a command, and the processor time that the server took for it. */
export interface Measured extends Outcome {
  readonly cpuSeconds: number;
}

/** What one turn of one server gave: numbers by the keys of the figure's rows. */
export type Sample = Readonly<Record<string, number>>;

/** A figure with its rows, as {@linkcode Run.rounds} measures it. */
export interface Figure<S extends TlsServer> {
  readonly rows: Readonly<Record<string, RowSpec>>;
  readonly servers: readonly S[];
  readonly warmUp?: (server: S) => Promise<unknown>;
  readonly once: (server: S) => Promise<Sample>;
  /** Rounds, when they are not the run's. */
  readonly rounds?: number;
}

/** Key of a sample that says how busy the server was; not a row. */
export const BUSY = "busy";

/** The state of a run; disposing of it ends everything that it started. */
export class Run implements AsyncDisposable {
  readonly options: Options;
  /** Where servers run, and where the load runs; the same if there is only one. */
  readonly processors: { readonly all: readonly number[]; server: number; load: number };
  readonly rows: Row[] = [];
  readonly #stack = new AsyncDisposableStack();
  #pair: Promise<Pair> | undefined;
  #memoryPair: Promise<Pair> | undefined;
  #others: Promise<TlsServer[]> | undefined;
  #isInterrupted = false;
  readonly #loads = new Map<number, Promise<LoadProcess>>();

  constructor(options: Options, processors: readonly number[]) {
    this.options = options;
    this.processors = {
      all: processors,
      server: processors[0],
      load: processors[1] ?? processors[0],
    };
  }

  /** Whether any of the rows is wanted. */
  wants(rows: Readonly<Record<string, RowSpec>>): boolean {
    return Object.values(rows).some(({ figure }) => figure.includes(this.options.only));
  }

  /** Both servers, each with one event loop, on the servers' processor; started once. */
  pair(): Promise<Pair> {
    this.#pair ??= this.freshPair({ processors: [this.processors.server], workers: 1 });
    return this.#pair;
  }

  /** The same with their caches in memory; started once. */
  memoryPair(): Promise<Pair> {
    const options = { processors: [this.processors.server], workers: 1 };
    this.#memoryPair ??= inMemory(() => this.freshPair(options));
    return this.#memoryPair;
  }

  /** Both servers anew. */
  async freshPair(options: ServerOptions): Promise<Pair> {
    return this.#stack.use(await startPair(options));
  }

  /** Postfix, postern, and the proxies that are installed and asked for. */
  async tlsServers(): Promise<TlsServer[]> {
    const { postfix, postern } = await this.pair();
    this.#others ??= this.freshOthers([this.processors.server]);
    const others = await this.#others;
    return [postfix, postern, ...others];
  }

  /** The proxies that are asked for, anew. */
  async freshOthers(processors: readonly number[]): Promise<TlsServer[]> {
    const servers: TlsServer[] = [];
    for (const name of this.options.others) {
      servers.push(this.#stack.use(await OtherServer.start(name, processors)));
    }
    return servers;
  }

  /** The load program on `processor`; started once. */
  load(processor = this.processors.load): Promise<LoadProcess> {
    const known = this.#loads.get(processor);
    if (known !== undefined) return known;
    const started = LoadProcess.start([processor]);
    this.#loads.set(processor, started);
    return started;
  }

  /** Ends the load programs, with whatever they have open; the next figure gets another one. */
  async dropLoads(): Promise<void> {
    const loads = [...this.#loads.values()];
    this.#loads.clear();
    for (const load of loads) await (await load)[Symbol.asyncDispose]();
  }

  /** Lets nothing further be measured: whatever is being measured fails with its next step. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Has the load program do something to a server, and measures what that took. */
  async measure(
    server: TlsServer,
    command: Command,
    options: { role: Role; processor?: number },
  ): Promise<Measured> {
    if (this.#isInterrupted) throw new Error("Cannot go on: a signal said to stop");
    const load = await this.load(options.processor);
    const before = await server.cpuSeconds(options.role);
    const outcome = await load.run(command);
    return { ...outcome, cpuSeconds: await server.cpuSeconds(options.role) - before };
  }

  /** An extent for a measurement; a quick run has a fifth of it. */
  extent(seconds: number): Extent {
    return { seconds: this.options.quick ? seconds / 5 : seconds };
  }

  /** A warm-up; a quick run has a tenth of it. */
  warmUp({ count = Infinity, seconds = Infinity }: Extent): Extent {
    const share = this.options.quick ? 0.1 : 1;
    return { ...(count < Infinity && { count: count * share }), seconds: seconds * share };
  }

  /** Measures a figure, if it is wanted, and keeps its rows. */
  async rounds<S extends TlsServer>(figure: Figure<S>): Promise<void> {
    if (!this.wants(figure.rows)) return;
    const samples = new Map<string, Sample[]>();
    for (const server of figure.servers) {
      this.say(`${Object.values(figure.rows)[0].figure}: ${server.name}`);
      samples.set(server.name, []);
      await figure.warmUp?.(server);
    }
    for (let round = 0; round < (figure.rounds ?? this.options.rounds); round++) {
      for (const server of figure.servers) {
        samples.get(server.name)!.push(await figure.once(server));
      }
    }
    this.keep(figure.rows, samples);
  }

  /** Keeps those rows that are wanted. */
  keep(
    rows: Readonly<Record<string, RowSpec>>,
    samples: ReadonlyMap<string, readonly Sample[]>,
  ): void {
    const valuesOf = (key: string) =>
      new Map([...samples].map(([name, list]) => {
        return [name, list.map((sample) => sample[key]).filter((value) => value !== undefined)];
      }));
    for (const [key, spec] of Object.entries(rows)) {
      if (!spec.figure.includes(this.options.only)) continue;
      const byClock = spec.unit.endsWith("/s");
      this.rows.push({ ...spec, values: valuesOf(key), ...(byClock && { busy: valuesOf(BUSY) }) });
    }
  }

  /** Tells whoever waits what is being done. */
  say(text: string): void {
    console.error(`bench: ${text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dropLoads();
    await this.#stack.disposeAsync();
  }
}

/** The share of its time in which a server that `measured` is about had a processor. */
export function busyShare(measured: Measured): number {
  return measured.cpuSeconds / measured.seconds;
}
