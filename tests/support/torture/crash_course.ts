/**
 * A course of puts, deletes and a compaction on a {@linkcode CrashDisk}; then every disk that a crash in
 * the middle of it may leave is opened, and each key must be as it may be.
 *
 * What is promised: with the policy "always", what the store says is safe; with the others, what was
 * written before a sync of a file began that has come back, once that file has its name for good.
 *
 * @module
 */
import { latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import type { Store, StoreOptions } from "../../../lib/store/store.ts";
import { type Random, seededBytes } from "../random.ts";
import { CrashDisk, crashStates, type DiskState } from "./crash_disk.ts";
import { Ledger, Loss, type Mark } from "./ledger.ts";
import { NAME, Rig, type SyncUnderWay } from "./rig.ts";

const KEYS = 7;
const EXPIRES_AT_S = 2_000_000_000;
/** Small enough that a few dozen entries make a compaction of several slices. */
const SMALL = { compactBytesMin: 2000, compactRatio: 0.5, compactSliceBytes: 600 };

/** What a course came to. */
export interface CrashCounts {
  /** Moments at which a crash was imagined. */
  moments: number;
  /** Disks that were opened and checked. */
  states: number;
  compactions: number;
  /** Changes that were promised to last. */
  promised: number;
}

/** How a course goes. */
export interface CrashOptions {
  sync: NonNullable<StoreOptions["sync"]>;
  /** Some syncs fail. */
  failsSyncs?: boolean;
  /** Syncs say that they succeeded and do nothing; what follows is a loss that must be found. */
  liesAboutSyncs?: boolean;
}

/**
 * Runs one course until its compaction is over and some changes more, and then another one that begins on
 * a disk which a crash in the first may have left. Throws a {@linkcode Loss}.
 */
export function runCrashCourse(random: Random, options: CrashOptions): CrashCounts {
  const ledger = new Ledger();
  const first = new CrashCourse(random, options, { disk: prepareDisk(random, ledger), ledger });
  const counts = first.run();
  const again = new CrashCourse(random, options, first.crash());
  const more = again.run();
  return {
    moments: counts.moments + more.moments,
    states: counts.states + more.states,
    compactions: counts.compactions + more.compactions,
    promised: counts.promised + more.promised,
  };
}

class CrashCourse {
  readonly #random: Random;
  readonly #options: CrashOptions;
  readonly #counts: CrashCounts = { moments: 0, states: 0, compactions: 0, promised: 0 };
  readonly #ledger: Ledger;
  readonly #rig: Rig;
  /** What had been handed to the system when a sync began. */
  readonly #marks = new Map<SyncUnderWay, Mark>();
  /** What lasts in the file of a descriptor, by the syncs that have come back. */
  readonly #lasting = new Map<number, Mark>();
  #flushed: Mark = new Map();
  #isEnding = false;

  /** One of the disks that were checked. */
  #chosen: DiskState = new Map();

  constructor(
    random: Random,
    options: CrashOptions,
    { disk, ledger }: { disk: CrashDisk; ledger: Ledger },
  ) {
    this.#random = random;
    this.#options = options;
    this.#ledger = ledger;
    const rig = new Rig(disk, random);
    this.#rig = rig;
    rig.began = (sync) => void this.#marks.set(sync, this.#flushed);
    rig.beforeEnd = () => this.#imagineCrashes("before the end of a sync");
    rig.ended = (sync, ok) => {
      if (ok) this.#noteSync(sync);
      this.#imagineCrashes("after the end of a sync");
    };
  }

  run(): CrashCounts {
    const { sync, failsSyncs = false, liesAboutSyncs = false } = this.#options;
    const rig = this.#rig;
    if (liesAboutSyncs) rig.disk.beginSync = () => () => {};
    const store = rig.open({ ...SMALL, sync });
    this.#flushed = this.#ledger.mark();
    for (let rest = 6; rest > 0;) {
      for (let i = this.#random(4); i > 0; i--) changeOne(store, this.#random, this.#ledger);
      store.flush();
      // Also what is held back until the end of a compaction; it is not in the file then.
      if (store.stats().pendingBytes === 0) this.#flushed = this.#ledger.mark();
      this.#acknowledge(store);
      if (this.#random(3) === 0) this.#imagineCrashes("in a turn");
      for (let i = this.#random(3); i > 0; i--) store.work();
      if (this.#random(3) === 0) rig.fireOne();
      for (let i = this.#random(3); i > 0; i--) {
        rig.completeOne(!failsSyncs || this.#random(5) > 0);
      }
      if (store.stats().compactions > 0) rest--;
    }
    rig.completeAll();
    this.#counts.compactions = store.stats().compactions;
    this.#isEnding = true;
    store.close();
    this.#imagineCrashes("after the end");
    this.#counts.promised = this.#ledger.promised;
    return this.#counts;
  }

  /** One of the disks that a crash may have left, and what it holds. */
  crash(): { disk: CrashDisk; ledger: Ledger } {
    const ledger = new Ledger();
    // Read from a copy: opening repairs.
    const store = new Rig(CrashDisk.of(this.#chosen), this.#random).open({
      compactBytesMin: Infinity,
    });
    for (const key of this.#ledger.keys) {
      const value = store.get(key, EXPIRES_AT_S);
      ledger.note(key, value === undefined ? undefined : toLatin1(value));
    }
    store.close();
    ledger.promise();
    return { disk: CrashDisk.of(this.#chosen), ledger };
  }

  #acknowledge(store: Store): void {
    const mark = this.#flushed;
    if (this.#options.sync !== "always") return;
    store.whenSafe(() => {
      // A disk that takes neither the file nor a fresh one ends all promises, and the store says so;
      // at the end it lets all go that wait for a disk which refused before.
      if (!store.hasCompactionFailed && !this.#isEnding) this.#ledger.promise(mark);
    });
  }

  #noteSync(sync: SyncUnderWay): void {
    if (this.#options.sync === "always") return;
    const { disk } = this.#rig;
    if (!disk.isFolder(sync.fd)) this.#lasting.set(sync.fd, this.#marks.get(sync)!);
    for (const [fd, mark] of this.#lasting) {
      if (disk.hasLastingName(fd, NAME)) this.#ledger.promise(mark);
    }
  }

  #imagineCrashes(about: string): void {
    this.#counts.moments++;
    for (const state of crashStates(this.#rig.disk.moment(), NAME, this.#random)) {
      this.#counts.states++;
      if (this.#random(this.#counts.states) === 0) this.#chosen = state;
      checkState(state, this.#ledger, this.#random, `crash ${about}`);
    }
  }
}

/** A disk on which everything that `ledger` knows lasts. */
function prepareDisk(random: Random, ledger: Ledger): CrashDisk {
  const rig = new Rig(new CrashDisk(), random);
  const store = rig.open({ compactBytesMin: Infinity });
  for (let i = 0; i < 30; i++) changeOne(store, random, ledger);
  store.close();
  ledger.promise();
  return CrashDisk.of(new Map([[NAME, rig.disk.content(NAME)!]]));
}

function changeOne(store: Store, random: Random, ledger: Ledger): void {
  const key = `key ${random(KEYS)}`;
  if (random(4) === 0) {
    ledger.note(key, undefined);
    store.delete(key);
    return;
  }
  const value = toLatin1(seededBytes(random, random(3) === 0 ? random(1500) : random(60)));
  ledger.note(key, value);
  if (!store.put(key, latin1(value), EXPIRES_AT_S)) throw new Loss(`${key} was not taken`);
}

/** Opens a disk as the next start would, and checks every key. */
function checkState(state: DiskState, ledger: Ledger, random: Random, about: string): void {
  const rig = new Rig(CrashDisk.of(state), random);
  const store = rig.open(SMALL);
  for (const key of ledger.keys) {
    const value = store.get(key, EXPIRES_AT_S);
    ledger.check(key, value === undefined ? undefined : toLatin1(value), about);
  }
  if (rig.disk.names.includes(`${NAME}.compact`)) throw new Loss(`${about}: a half copy is left`);
  store.close();
  if (rig.disk.openDescriptors !== 0) throw new Loss(`${about}: a descriptor is left`);
}
