/**
 * The store on disk: an index in memory over an append file.
 *
 * One owner, one thread, synchronous but for syncs, which are made elsewhere ({@linkcode StoreOptions}).
 * After a crash of the process it holds all that was flushed; after a crash of the machine, all that was
 * synced and whatever else the system had written back. It never hands out a value that was not stored
 * under that key: each one is proved by its checksum when it is read. A record that is found damaged when the
 * file is opened counts as never written: what an older one says of its key is true again.
 *
 * Disk faults are reported once and served around; only {@linkcode Store.open} throws.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { compactionName } from "./compaction.ts";
import { Compactor } from "./compactor.ts";
import { Durability } from "./durability.ts";
import { EntryIndex, FILE_BYTES_MAX, NONE } from "./entry_index.ts";
import {
  isAbove,
  isTime,
  isWithin,
  type KeyValueStore,
  type StoreAdjustment,
  type StoreStats,
} from "./key_value_store.ts";
import { Loading } from "./loading.ts";
import { LogWriter } from "./log_writer.ts";
import { type OpenedLog, openLog } from "./open_log.ts";
import { demandPrivatePlace, type PrivatePlace, takeLock } from "./private_file.ts";
import { FILE_HEADER_BYTES, recordBytes } from "./record.ts";
import { Removal } from "./removal.ts";
import { StoreCore } from "./store_core.ts";
import { completeOptions, type StoreOptions, type StoreSettings } from "./store_options.ts";

export type { StoreOptions } from "./store_options.ts";

// Written in the middle of a turn when a turn stores more than this.
const FLUSH_BYTES = 1 << 20;
/** A file up to this length is read whole by `open()` even if it may be read in slices: some 30 ms. */
const LOADED_AT_ONCE_BYTES = 32 << 20;

/** A store on disk. */
export class Store implements KeyValueStore {
  readonly #core: StoreCore;
  readonly #index: EntryIndex;
  readonly #durability: Durability;
  readonly #settings: StoreSettings;
  readonly #lockFd: number;
  readonly #compactor: Compactor;
  readonly #removal: Removal;
  readonly #writer: LogWriter;
  /** Set while nothing is written until the compaction under way ends: who waits for that. */
  #heldBack: (() => void)[] | undefined;
  /** The slice of this turn was copied by the flush, and there is more. */
  #hasFlushCopied = false;
  #isReadFailing = false;

  private constructor(
    settings: StoreSettings,
    place: PrivatePlace,
    { lockFd, log, unread }: OpenedLog & { lockFd: number },
  ) {
    this.#settings = settings;
    this.#lockFd = lockFd;
    const core = new StoreCore({
      settings,
      place,
      log,
      makeDurability: (core) => this.#makeDurability(core, unread === undefined),
    });
    this.#core = core;
    this.#index = core.index;
    this.#durability = core.durability;
    this.#compactor = new Compactor(core);
    this.#removal = new Removal(core, this.#compactor);
    this.#writer = new LogWriter(core, () => this.flush());
    if (unread === undefined) return;
    const { report, keep } = settings;
    core.loading = new Loading(place.io, unread, {
      path: place.path,
      index: core.index,
      report,
      keep,
    });
    // An earlier process may have left it unsynced.
    core.durability.noteWrite();
  }

  #makeDurability(core: StoreCore, isNew: boolean): Durability {
    const { place, settings, log } = core;
    return new Durability({
      io: place.io,
      policy: settings.sync,
      calls: settings.slowCalls,
      after: settings.after,
      folderFd: place.folderFd,
      failed: () => {
        core.reportOnce("sync", `Cannot sync ${core.file}: its entries go into a fresh file`);
        this.#compactor.force();
      },
      recovered: () => core.settle("sync", `Syncing ${core.file} again`),
    }, { fd: log.fd, isNew });
  }

  /**
   * Opens the store in the file `path`, or makes it, and takes its lock (`NAME.lock`).
   *
   * Throws {@linkcode FatalError} for a file that is not ours to use (a symbolic link, another owner,
   * not a regular file, several names, open to others, another format), for one in a folder where others
   * may put files, and for one that another process uses. Such a file is left as it is.
   */
  static open(path: string, options: StoreOptions): Store {
    const settings = completeOptions(options);
    const place = demandPrivatePlace(settings.io, path, settings.ownerId);
    const { io } = place;
    let lockFd: number | undefined;
    try {
      lockFd = takeLock(place);
      // Its absence is the usual case; if it cannot be removed the next compaction says so.
      io.unlink(compactionName(place.name));
      const store = new Store(settings, place, { lockFd, ...openLog(place, settings) });
      store.#start();
      return store;
    } catch (fault) {
      if (lockFd !== undefined) io.close(lockFd);
      io.close(place.folderFd);
      throw fault;
    }
  }

  get(key: string, nowS: number): Uint8Array | undefined {
    const index = this.#index;
    const slot = index.find(key);
    if (slot === NONE || index.expiresAtS(slot) < nowS) return undefined;
    const place = index.place(slot);
    // A later record may say otherwise.
    const { loading } = this.#core;
    if (loading !== undefined && !loading.isFinal(place.offset)) return undefined;
    const value = this.#core.log.read(key, place);
    if (typeof value !== "string") {
      if (this.#isReadFailing) {
        this.#isReadFailing = false;
        this.#core.settle("read", `Reading ${this.#core.file} again`);
      }
      if (this.#settings.eviction === "lru") index.order.moveToEnd(slot);
      return value;
    }
    if (value === "damaged") {
      this.#removal.delete(slot, key);
      this.#core.noteLost();
    } else if (value === "unreadable") {
      this.#isReadFailing = true;
      this.#core.reportOnce("read", `Cannot read ${this.#core.file}: entries are missed`);
    }
    return undefined;
  }

  put(key: string, value: Uint8Array, expiresAtS: number): boolean {
    assert(isTime(expiresAtS), "an expiry is a whole number of seconds");
    const settings = this.#settings;
    const index = this.#index;
    const { log } = this.#core;
    if (!isWithin(settings, key, value)) return false;
    const bytes = recordBytes(key.length, value.length);
    if (isAbove(settings, 1, bytes)) return false;
    if (log.pendingBytes >= FLUSH_BYTES && this.#mayWrite()) this.#writer.write();
    if (log.pendingBytes + bytes > settings.pendingBytesMax) return false;
    if (log.endBytes + bytes > FILE_BYTES_MAX) return false;
    const offset = log.appendPut(key, value, expiresAtS);
    const found = index.find(key);
    const fields = { offset, keyBytes: key.length, valueBytes: value.length, expiresAtS };
    const slot = index.put(found, fields);
    if (found === NONE) index.order.append(slot);
    else index.order.moveToEnd(slot);
    this.#compactor.current?.notePut(slot);
    this.#removal.evict();
    return true;
  }

  delete(key: string): boolean {
    const slot = this.#index.find(key);
    if (slot !== NONE) this.#removal.delete(slot, key);
    else if (this.#core.loading === undefined) return false;
    else this.#removal.appendDelete(key);
    return true;
  }

  dropExpired(key: string, nowS: number): boolean {
    return this.#removal.dropExpired(key, nowS);
  }

  flush(): boolean {
    const before = this.#core.log.pendingBytes;
    if (before > 0) {
      if (this.#mustHoldBack()) this.#heldBack ??= [];
      else if (!this.#writer.offer()) return false;
    }
    if (this.#core.loading !== undefined) return true;
    // Twice what was appended meanwhile, or the end would never be reached.
    const slice = this.#settings.compactSliceBytes + 2 * before;
    this.#hasFlushCopied = this.#stepCompaction(slice) === "more";
    return this.#heldBack === undefined;
  }

  get holdsAnswers(): boolean {
    return this.#heldBack !== undefined || this.#durability.holdsAnswers;
  }

  whenSafe(done: () => void): void {
    if (this.#heldBack !== undefined) this.#heldBack.push(done);
    else this.#durability.whenSafe(done);
  }

  work(): "more" | "idle" {
    const { loading } = this.#core;
    if (loading !== undefined) {
      this.#load(loading);
      return "more";
    }
    if (this.#removal.evict()) return "more";
    if (this.#hasFlushCopied) {
      this.#hasFlushCopied = false;
      return "more";
    }
    return this.#stepCompaction(this.#settings.compactSliceBytes);
  }

  /** Demands a compaction; {@linkcode flush} and {@linkcode work} carry it on. */
  compact(): void {
    this.#compactor.force();
  }

  /** Whether the last compaction failed, as was reported. */
  get hasCompactionFailed(): boolean {
    return this.#compactor.hasFailed;
  }

  expireSome(nowS: number, entriesMax: number): number {
    return this.#removal.expireSome(nowS, entriesMax);
  }

  adjust({ expired, ...limits }: StoreAdjustment): void {
    Object.assign(this.#settings, limits);
    if (expired === undefined) delete this.#settings.expired;
    else this.#settings.expired = expired;
  }

  stats(): StoreStats {
    const { log, lostEntries } = this.#core;
    const { size, liveBytes } = this.#index;
    return {
      entries: size,
      liveBytes,
      deadBytes: log.endBytes - FILE_HEADER_BYTES - liveBytes,
      fileBytes: log.writtenBytes,
      pendingBytes: log.pendingBytes,
      unloadedBytes: this.#core.loading?.unreadBytes ?? 0,
      compactions: this.#compactor.count,
      lostEntries,
      evictedEntries: this.#removal.evictedEntries,
      expiredEntries: this.#removal.expiredEntries,
    };
  }

  close(): void {
    this.#compactor.close();
    const { file, place } = this.#core;
    const { report } = this.#settings;
    if (!this.#writer.write()) {
      report("warning", `Cannot write ${file} at the end: what waited in memory is lost`);
    }
    this.#releaseHeldBack();
    if (!this.#durability.close()) report("warning", `Cannot sync ${file} at the end`);
    place.io.close(this.#lockFd);
    this.#core.isClosed = true;
  }

  #start(): void {
    // A header, if the file is new. No compaction yet: nobody is served so far.
    this.#writer.write();
    const { load } = this.#settings;
    const core = this.#core;
    for (let { loading } = core; loading !== undefined; loading = core.loading) {
      if (load === "slices" && loading.readBytes >= LOADED_AT_ONCE_BYTES) break;
      this.#load(loading);
    }
  }

  #load(loading: Loading): void {
    const result = loading.step();
    if (result === "more") return;
    this.#core.loading = undefined;
    if (result === "damaged end") this.#compactor.force();
  }

  /** Whether writing would make the file longer than twice the quota, and a compaction goes on. */
  #mustHoldBack(): boolean {
    const { maxBytes } = this.#settings;
    return maxBytes > 0 && this.#compactor.current !== undefined &&
      this.#core.log.endBytes >= 2 * maxBytes;
  }

  /** Whether what waits may be written in the middle of a turn. */
  #mayWrite(): boolean {
    return !this.#writer.isAiling && !this.#mustHoldBack();
  }

  #stepCompaction(bytesMax: number): "more" | "idle" {
    const result = this.#compactor.step(bytesMax);
    if (this.#heldBack !== undefined && this.#compactor.current === undefined) {
      // The file is fresh and holds all that waited; or there is none, and the old one has to take it.
      this.#writer.write();
      this.#releaseHeldBack();
    }
    return result;
  }

  #releaseHeldBack(): void {
    const heldBack = this.#heldBack;
    this.#heldBack = undefined;
    for (const done of heldBack ?? []) this.#durability.whenSafe(done);
  }
}
