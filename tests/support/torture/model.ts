/**
 * A store beside a model of it: two maps, one for what it answers and one for what its file says.
 *
 * Operations come from fast-check, which shrinks a course that fails to a short one. The model knows the
 * quotas and who is evicted, that the expiry scan leaves no trace in the file, what a kill loses, and that a
 * compaction makes the file say what the store answers.
 *
 * @module
 */
import fc from "fast-check";
import type { Bytes } from "../../../lib/base/bytes.ts";
import type { Store } from "../../../lib/store/store.ts";
import { seededRandom } from "../random.ts";
import { CrashDisk } from "./crash_disk.ts";
import { Loss } from "./ledger.ts";
import { NAME, Rig } from "./rig.ts";

/** One step. Keys are numbers below {@linkcode KEYS}. */
type Operation =
  | { do: "put"; key: number; bytes: number; lifeS: number }
  | { do: "get" | "delete" | "drop expired"; key: number }
  | { do: "expire"; visits: number }
  /** The clock moves, back as well. */
  | { do: "wait"; seconds: number }
  | { do: "flush" | "work" | "compact" | "finish a sync" | "fire a timer" }
  /** The store is closed or killed, and opened again. */
  | { do: "close" | "kill" };

/** How the store is opened. */
interface Config {
  sync: "never" | "interval" | "always";
  compactBytesMin: number;
  compactSliceBytes: number;
  maxEntries: number;
  maxBytes: number;
  eviction: "lru" | "oldest";
}

const KEYS = 9;
const START_S = 1_700_000_000;

const ofKey = fc.nat(KEYS - 1);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      key: ofKey,
      bytes: fc.oneof(fc.nat(20), fc.nat(300)),
      lifeS: fc.nat(200),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "get" as const,
        "get" as const,
        "delete" as const,
        "drop expired" as const,
      ),
      key: ofKey,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expire" as const), visits: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.integer({ min: -100, max: 150 }),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "flush" as const,
        "flush" as const,
        "work" as const,
        "work" as const,
        "finish a sync" as const,
        "fire a timer" as const,
        "compact" as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("close" as const, "kill" as const) }) },
);

const config: fc.Arbitrary<Config> = fc.record({
  sync: fc.constantFrom("never", "interval", "always"),
  compactBytesMin: fc.constantFrom(100, 1000, Infinity),
  compactSliceBytes: fc.constantFrom(1, 100, 1000, 10_000),
  maxEntries: fc.constantFrom(0, 0, 1, 4, 7),
  maxBytes: fc.constantFrom(0, 0, 200, 900),
  eviction: fc.constantFrom("lru", "oldest"),
});

/** What model courses came to. */
export interface ModelCounts {
  sequences: number;
  operations: number;
  compactions: number;
  evictions: number;
  reopenings: number;
}

/** Runs `sequences` courses; throws with a shrunk course and the seed when one fails. */
export function runModel(sequences: number, seed: number): ModelCounts {
  const counts = { sequences, operations: 0, compactions: 0, evictions: 0, reopenings: 0 };
  const courses = fc.array(operation, { maxLength: 150, size: "max" });
  fc.assert(
    fc.property(config, courses, (config, operations) => {
      new ModelCourse(config, counts).run(operations);
    }),
    { numRuns: sequences, seed },
  );
  return counts;
}

interface Entry {
  value: Bytes;
  expiresAtS: number;
}

/** Bytes of a record, as the format says. */
function recordBytes(key: string, value: Bytes): number {
  return Math.ceil((24 + key.length + value.length) / 8) * 8;
}

function keyOf(number: number): string {
  // Among them a null byte, the last byte, and one that is the beginning of another.
  return ["k", "\0", "\xff\xfe", "kk"][number] ?? `key ${number}`;
}

class ModelCourse {
  readonly #config: Config;
  readonly #counts: ModelCounts;
  #rig: Rig;
  #store: Store;
  #nowS = START_S;
  #serial = 0;
  /** What the store answers, the next one to be evicted first. */
  #entries = new Map<string, Entry>();
  /** What the file says, by the last records, in their order. */
  #file = new Map<string, Entry>();
  /** Changes that the file does not know. */
  #unwritten: { key: string; entry: Entry | undefined }[] = [];
  #compactions = 0;
  #evicted = 0;

  constructor(config: Config, counts: ModelCounts) {
    this.#config = config;
    this.#counts = counts;
    this.#rig = new Rig(new CrashDisk(), seededRandom(1));
    this.#store = this.#open();
  }

  run(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.#counts.operations++;
      this.#take(operation);
      this.#noteWritten();
      this.#checkStats(operation.do);
    }
    this.#reopen("close");
    this.#store.close();
    // A sync that was under way closes the file when it comes back.
    this.#rig.completeAll();
    expect(this.#rig.disk.openDescriptors, 0, "open descriptors");
    expect(this.#rig.reports, [], "reports");
  }

  #open(): Store {
    return this.#rig.open({ ...this.#config, compactRatio: 0.5 });
  }

  #take(operation: Operation): void {
    switch (operation.do) {
      case "put":
        return this.#put(keyOf(operation.key), operation.bytes, this.#nowS + operation.lifeS);
      case "get":
        return this.#get(keyOf(operation.key));
      case "delete":
        return this.#delete(keyOf(operation.key));
      case "drop expired": {
        const key = keyOf(operation.key);
        const entry = this.#entries.get(key);
        const isExpired = entry !== undefined && entry.expiresAtS < this.#nowS;
        expect(this.#store.dropExpired(key, this.#nowS), isExpired, `dropExpired(${key})`);
        if (isExpired) this.#entries.delete(key);
        return;
      }
      case "expire":
        return this.#expire(operation.visits);
      case "wait":
        this.#nowS += operation.seconds;
        return;
      case "flush":
        this.#store.flush();
        return;
      case "work":
        this.#evict();
        this.#store.work();
        return;
      case "compact":
        return this.#store.compact();
      case "finish a sync":
        return this.#rig.completeOne();
      case "fire a timer":
        return this.#rig.fireOne();
      case "close":
      case "kill":
        return this.#reopen(operation.do);
    }
  }

  #put(key: string, bytes: number, expiresAtS: number): void {
    const serial = this.#serial++;
    const value = Uint8Array.from({ length: bytes }, (_, i) => serial + i);
    const { maxBytes } = this.#config;
    const fits = maxBytes === 0 || recordBytes(key, value) <= maxBytes;
    expect(this.#store.put(key, value, expiresAtS), fits, `put(${key})`);
    if (!fits) return;
    const entry = { value, expiresAtS };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#unwritten.push({ key, entry });
    this.#evict();
  }

  #get(key: string): void {
    const entry = this.#entries.get(key);
    const isThere = entry !== undefined && entry.expiresAtS >= this.#nowS;
    expect(this.#store.get(key, this.#nowS), isThere ? entry.value : undefined, `get(${key})`);
    if (!isThere || this.#config.eviction === "oldest") return;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #delete(key: string): void {
    const isThere = this.#entries.delete(key);
    expect(this.#store.delete(key), isThere, `delete(${key})`);
    if (isThere) this.#unwritten.push({ key, entry: undefined });
  }

  /** A whole pass in steps, wherever the scan stands: to its end, and once more. */
  #expire(visits: number): void {
    const step = visits + 1;
    for (let pass = 0; pass < 2; pass++) {
      while (this.#store.expireSome(this.#nowS, step) === step);
    }
    for (const [key, { expiresAtS }] of this.#entries) {
      if (expiresAtS < this.#nowS) this.#entries.delete(key);
    }
  }

  #evict(): void {
    const { maxEntries, maxBytes } = this.#config;
    for (const key of this.#entries.keys()) {
      const isMany = maxEntries > 0 && this.#entries.size > maxEntries;
      if (!isMany && (maxBytes === 0 || this.#liveBytes() <= maxBytes)) return;
      this.#entries.delete(key);
      this.#unwritten.push({ key, entry: undefined });
      this.#evicted++;
      this.#counts.evictions++;
    }
  }

  #liveBytes(): number {
    let bytes = 0;
    for (const [key, { value }] of this.#entries) bytes += recordBytes(key, value);
    return bytes;
  }

  /** Lets the model's file follow the store's. */
  #noteWritten(): void {
    const { compactions, pendingBytes } = this.#store.stats();
    if (compactions > this.#compactions) {
      this.#counts.compactions += compactions - this.#compactions;
      this.#compactions = compactions;
      this.#file = new Map(this.#entries);
      this.#unwritten = [];
    }
    if (pendingBytes === 0) this.#write();
  }

  #write(): void {
    for (const { key, entry } of this.#unwritten) {
      this.#file.delete(key);
      if (entry !== undefined) this.#file.set(key, entry);
    }
    this.#unwritten = [];
  }

  #reopen(how: "close" | "kill"): void {
    const rig = this.#rig;
    if (how === "close") {
      this.#store.close();
      this.#write();
      rig.completeAll();
      expect(rig.disk.openDescriptors, 0, "open descriptors");
    }
    rig.killProcess();
    this.#store = this.#open();
    this.#counts.reopenings++;
    expect(rig.disk.names, [NAME, `${NAME}.lock`], "files");
    this.#entries = new Map(this.#file);
    this.#unwritten = [];
    this.#compactions = 0;
    this.#evicted = 0;
    this.#checkStats(how);
    // Expired entries are back, until the scan; those that stay are brought into an order that is known.
    this.#expire(3);
    for (const key of [...this.#entries.keys()].sort()) this.#get(key);
    for (let number = 0; number < KEYS; number++) {
      if (!this.#entries.has(keyOf(number))) this.#get(keyOf(number));
    }
  }

  #checkStats(after: string): void {
    const { entries, liveBytes, evictedEntries, lostEntries } = this.#store.stats();
    const found = [entries, liveBytes, evictedEntries, lostEntries];
    const expected = [this.#entries.size, this.#liveBytes(), this.#evicted, 0];
    expect(found, expected, `entries, live bytes, evicted and lost ones after ${after}`);
  }
}

function expect(found: unknown, expected: unknown, what: string): void {
  const [one, two] = [found, expected].map((value) =>
    value instanceof Uint8Array ? `bytes ${value.join(" ")}` : JSON.stringify(value) ?? "nothing"
  );
  if (one !== two) throw new Loss(`${what}: ${one}, and should be ${two}`);
}
