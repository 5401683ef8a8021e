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
  type StoreStats,
} from "./key_value_store.ts";
import { Loading } from "./loading.ts";
import { LogWriter } from "./log_writer.ts";
import { type OpenedLog, openLog } from "./open_log.ts";
import { demandPrivatePlace, type PrivatePlace, takeLock } from "./private_file.ts";
import { FILE_HEADER_BYTES, recordBytes } from "./record.ts";
import { StoreCore } from "./store_core.ts";
import { completeOptions, type StoreOptions, type StoreSettings } from "./store_options.ts";

export type { StoreOptions } from "./store_options.ts";

// Written in the middle of a turn when a turn stores more than this.
const FLUSH_BYTES = 1 << 20;
/** A file up to this length is read whole by `open()` even if it may be read in slices: some 30 ms. */
const LOADED_AT_ONCE_BYTES = 32 << 20;
/** Most entries that one call evicts. */
const EVICTIONS_MAX = 500;

/** A store on disk. */
export class Store implements KeyValueStore {
  readonly #core: StoreCore;
  readonly #index: EntryIndex;
  readonly #durability: Durability;
  readonly #settings: StoreSettings;
  readonly #lockFd: number;
  readonly #compactor: Compactor;
  #loading: Loading | undefined;
  readonly #writer: LogWriter;
  /** Set while nothing is written until the compaction under way ends: who waits for that. */
  #heldBack: (() => void)[] | undefined;
  /** The slice of this turn was copied by the flush, and there is more. */
  #hasFlushCopied = false;
  #evictedEntries = 0;
  #isReadFailing = false;
  #scanSlot = 1;

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
    this.#writer = new LogWriter(core, () => this.flush());
    if (unread === undefined) return;
    const { report, keep } = settings;
    this.#loading = new Loading(place.io, unread, {
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
    if (this.#loading !== undefined && !this.#loading.isFinal(place.offset)) return undefined;
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
      this.#remove(slot, key);
      this.#appendDelete(key);
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
    this.#evict();
    return true;
  }

  delete(key: string): boolean {
    const slot = this.#index.find(key);
    if (slot !== NONE) this.#remove(slot, key);
    else if (this.#loading === undefined) return false;
    this.#appendDelete(key);
    return true;
  }

  dropExpired(key: string, nowS: number): boolean {
    const slot = this.#index.find(key);
    if (slot === NONE || this.#loading !== undefined) return false;
    if (this.#index.expiresAtS(slot) >= nowS) return false;
    this.#remove(slot, key);
    return true;
  }

  flush(): boolean {
    const before = this.#core.log.pendingBytes;
    if (before > 0) {
      if (this.#mustHoldBack()) this.#heldBack ??= [];
      else if (!this.#writer.offer()) return false;
    }
    if (this.#loading !== undefined) return true;
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
    if (this.#loading !== undefined) {
      this.#load(this.#loading);
      return "more";
    }
    if (this.#evict()) return "more";
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
    const index = this.#index;
    // A pass that ended here would have missed all that comes.
    if (this.#loading !== undefined) return entriesMax;
    for (let visited = 0; visited < entriesMax; visited++) {
      if (this.#scanSlot >= index.slotsEnd) {
        this.#scanSlot = 1;
        return visited;
      }
      const slot = this.#scanSlot++;
      // No delete record: the expiry in the record says it all.
      if (index.isUsed(slot) && index.expiresAtS(slot) < nowS) this.#expire(slot);
    }
    return entriesMax;
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
      unloadedBytes: this.#loading?.unreadBytes ?? 0,
      compactions: this.#compactor.count,
      lostEntries,
      evictedEntries: this.#evictedEntries,
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
    for (let loading = this.#loading; loading !== undefined; loading = this.#loading) {
      if (load === "slices" && loading.readBytes >= LOADED_AT_ONCE_BYTES) break;
      this.#load(loading);
    }
  }

  #load(loading: Loading): void {
    const result = loading.step();
    if (result === "more") return;
    this.#loading = undefined;
    if (result === "damaged end") this.#compactor.force();
  }

  /** Forgets an entry; `key` if it is known. */
  #remove(slot: number, key?: string): void {
    this.#compactor.current?.noteRemoval(slot, key);
    this.#index.remove(slot);
  }

  #expire(slot: number): void {
    const { expired } = this.#settings;
    const key = expired === undefined ? undefined : this.#readKey(slot);
    this.#remove(slot, key);
    if (key !== undefined) expired?.(key);
  }

  /** Brings the store within its quotas, or nearer; whether there was anything to do. */
  #evict(): boolean {
    if (this.#loading !== undefined) return false;
    const index = this.#index;
    let count = 0;
    while (isAbove(this.#settings, index.size, index.liveBytes) && count++ < EVICTIONS_MAX) {
      const slot = index.order.first;
      // Written down, because its record may be younger than those of entries that stay.
      const key = this.#readKey(slot);
      this.#remove(slot, key);
      if (key !== undefined) this.#appendDelete(key);
      this.#evictedEntries++;
    }
    return count > 0;
  }

  /** The key of the entry in `slot`, if the disk gives it and it is the right one. */
  #readKey(slot: number): string | undefined {
    const key = this.#core.log.readKey(this.#index.place(slot));
    return key !== undefined && this.#index.find(key) === slot ? key : undefined;
  }

  #appendDelete(key: string): void {
    const { log } = this.#core;
    const bytes = recordBytes(key.length, 0);
    if (log.pendingBytes + bytes <= this.#settings.pendingBytesMax) log.appendDelete(key);
    // No room to wait in: only a fresh file makes it last.
    else this.#compactor.force();
    this.#loading?.noteDelete(key);
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
