/**
 * The store on disk: an index in memory over an append file.
 *
 * One owner, one thread, synchronous. After a crash of the process it holds all that was flushed; after
 * a crash of the machine, what the system had written back. It never hands out a value that was not
 * stored under that key: each one is proved by its checksum when it is read. Damage to the file may
 * bring back an older value of a key, or a deleted one, only where it hit the head or the key of the
 * record that said otherwise.
 *
 * Disk faults are reported once and served around; only {@linkcode Store.open} throws.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { describeErrno } from "../ffi/errno.ts";
import { Compaction, compactionPath } from "./compaction.ts";
import { EntryIndex } from "./entry_index.ts";
import { type FileIo, libcFileIo } from "./file_io.ts";
import {
  isTime,
  isWithin,
  type KeyValueStore,
  type StoreLimits,
  type StoreStats,
} from "./key_value_store.ts";
import type { LogFile } from "./log_file.ts";
import { openLog, type Report } from "./open_log.ts";
import { takeLock } from "./private_file.ts";
import {
  FILE_HEADER_BYTES,
  FILE_ID_BYTES,
  KEY_BYTES_MAX,
  recordBytes,
  VALUE_BYTES_MAX,
} from "./record.ts";

/** Options of {@linkcode Store.open}. */
export interface StoreOptions extends Partial<StoreLimits> {
  /** Told what an operator should know, each state of affairs once. */
  report: Report;
  /** The disk. @default {libcFileIo} */
  io?: FileIo;
  /** 16 random bytes for each file that is made; secret from those whose values are stored. */
  randomFileId?: () => Bytes;
  /** Empties the file instead of reading it. @default {false} */
  discard?: boolean;
  /** Told the key of each entry that the expiry scan removes. */
  expired?: (key: string) => void;
  /** Memory for entries while the disk refuses them; more are turned away. @default {16 MiB} */
  pendingBytesMax?: number;
  /** No compaction of a smaller file. @default {4 MiB} */
  compactBytesMin?: number;
  /** Compaction when dead bytes are more than this many times the live ones. @default {1} */
  compactRatio?: number;
  /** Bytes that a flush copies while a compaction goes on. @default {256 KiB} */
  compactSliceBytes?: number;
}

type Settings = Required<StoreOptions>;

// Written in the middle of a turn when a turn stores more than this.
const FLUSH_BYTES = 1 << 20;
// An ailing disk is tried again at the 1st, 3rd, 7th flush and so on, then at every 64th.
const RETRY_FLUSHES_MAX = 64;

function completeOptions(options: StoreOptions): Settings {
  const { keyBytesMax = KEY_BYTES_MAX, valueBytesMax = VALUE_BYTES_MAX } = options;
  assert(keyBytesMax <= KEY_BYTES_MAX && valueBytesMax <= VALUE_BYTES_MAX, "limits fit the format");
  return {
    keyBytesMax,
    valueBytesMax,
    report: options.report,
    io: options.io ?? libcFileIo,
    randomFileId: options.randomFileId ??
      (() => crypto.getRandomValues(new Uint8Array(FILE_ID_BYTES))),
    discard: options.discard ?? false,
    expired: options.expired ?? (() => {}),
    pendingBytesMax: options.pendingBytesMax ?? 16 << 20,
    compactBytesMin: options.compactBytesMin ?? 4 << 20,
    compactRatio: options.compactRatio ?? 1,
    compactSliceBytes: options.compactSliceBytes ?? 256 << 10,
  };
}

/** A store on disk. */
export class Store implements KeyValueStore {
  readonly #path: string;
  readonly #settings: Settings;
  readonly #index: EntryIndex;
  readonly #lockFd: number;
  #log: LogFile;
  #compaction: Compaction | undefined;
  #compactions = 0;
  /** No compaction before the file is this long: set when one fails. */
  #compactNotBefore = 0;
  /** A delete found no room to wait in: only a compaction can make it last. */
  #hasLostDelete = false;
  #lostEntries = 0;
  /** Flushes in a row that failed, by tries; 0 = the disk is well. */
  #failedTries = 0;
  /** Flushes to let pass before the next try. */
  #flushesToSkip = 0;
  #scanSlot = 0;
  readonly #reported = new Set<string>();

  private constructor(
    path: string,
    settings: Settings,
    parts: { lockFd: number; log: LogFile; index: EntryIndex },
  ) {
    this.#path = path;
    this.#settings = settings;
    this.#lockFd = parts.lockFd;
    this.#log = parts.log;
    this.#index = parts.index;
  }

  /**
   * Opens the store in the file `path`, or makes it, and takes its lock (`NAME.lock`).
   *
   * Throws {@linkcode FatalError} for a file that is not ours to use (a symbolic link, another owner,
   * not a regular file, several names, open to others, another format) and for one that another
   * process uses. Such a file is left as it is.
   */
  static open(path: string, options: StoreOptions): Store {
    const settings = completeOptions(options);
    const { io } = settings;
    const lockFd = takeLock(io, path);
    try {
      // Its absence is the usual case; if it cannot be removed the next compaction says so.
      io.unlink(compactionPath(path));
      const index = new EntryIndex();
      const log = openLog(io, { ...settings, path, index });
      const store = new Store(path, settings, { lockFd, log, index });
      // A header, if the file is new. No compaction yet: nobody is served so far.
      if (log.pendingBytes > 0) store.#writePending();
      return store;
    } catch (fault) {
      io.close(lockFd);
      throw fault;
    }
  }

  get(key: string, nowS: number): Uint8Array | undefined {
    const index = this.#index;
    const slot = index.find(key);
    if (slot === undefined || index.expiresAtS[slot] < nowS) return undefined;
    const value = this.#log.read(key, {
      offset: index.offsets[slot],
      valueBytes: index.valueBytes[slot],
    });
    if (typeof value !== "string") return value;
    if (value === "damaged") {
      index.remove(key);
      this.#appendDelete(key);
      this.#noteLost();
    } else {
      this.#reportOnce("read", `Cannot read cache file "${this.#path}": entries are missed`);
    }
    return undefined;
  }

  put(key: string, value: Uint8Array, expiresAtS: number): boolean {
    assert(isTime(expiresAtS), "an expiry is a whole number of seconds");
    if (!isWithin(this.#settings, key, value)) return false;
    const log = this.#log;
    if (log.pendingBytes >= FLUSH_BYTES && this.#failedTries === 0) this.#writePending();
    const bytes = recordBytes(key.length, value.length);
    if (log.pendingBytes + bytes > this.#settings.pendingBytesMax) return false;
    const offset = log.appendPut(key, value, expiresAtS);
    this.#index.set(key, { offset, valueBytes: value.length, expiresAtS }, false);
    this.#compaction?.touch(key);
    return true;
  }

  delete(key: string): boolean {
    if (!this.#index.remove(key)) return false;
    this.#appendDelete(key);
    return true;
  }

  flush(): boolean {
    const before = this.#log.pendingBytes;
    if (before > 0) {
      if (this.#flushesToSkip > 0) {
        this.#flushesToSkip--;
        return false;
      }
      if (!this.#writePending()) return false;
    }
    this.#stepCompaction(before);
    return true;
  }

  expireSome(nowS: number, entriesMax: number): number {
    const index = this.#index;
    for (let visited = 0; visited < entriesMax; visited++) {
      if (this.#scanSlot >= index.slotsEnd) {
        this.#scanSlot = 0;
        return visited;
      }
      const slot = this.#scanSlot++;
      const key = index.keyAt(slot);
      // No delete record: the expiry in the record says it all.
      if (key !== undefined && index.expiresAtS[slot] < nowS) {
        index.remove(key);
        this.#settings.expired(key);
      }
    }
    return entriesMax;
  }

  stats(): StoreStats {
    return {
      entries: this.#index.size,
      liveBytes: this.#index.liveBytes,
      deadBytes: this.#deadBytes(),
      fileBytes: this.#log.writtenBytes,
      pendingBytes: this.#log.pendingBytes,
      compactions: this.#compactions,
      lostEntries: this.#lostEntries,
    };
  }

  close(): void {
    this.#compaction?.abandon();
    this.#compaction = undefined;
    if (this.#log.pendingBytes > 0) this.#writePending();
    this.#log.close();
    this.#settings.io.close(this.#lockFd);
  }

  #deadBytes(): number {
    return this.#log.endBytes - FILE_HEADER_BYTES - this.#index.liveBytes;
  }

  #appendDelete(key: string): void {
    const bytes = recordBytes(key.length, 0);
    if (this.#log.pendingBytes + bytes > this.#settings.pendingBytesMax) this.#hasLostDelete = true;
    else this.#log.appendDelete(key);
    this.#compaction?.touch(key);
  }

  #writePending(): boolean {
    const result = this.#log.flush();
    const file = `cache file "${this.#path}"`;
    if (result < 0) {
      if (this.#failedTries === 0) {
        const why = describeErrno(-result);
        this.#settings.report("warning", `Cannot write ${file}: ${why}; serving from memory`);
      }
      this.#flushesToSkip = Math.min(2 ** this.#failedTries, RETRY_FLUSHES_MAX) - 1;
      this.#failedTries++;
      return false;
    }
    if (this.#failedTries > 0) this.#settings.report("info", `Writing ${file} again`);
    this.#failedTries = 0;
    this.#flushesToSkip = 0;
    return true;
  }

  #isCompactionDue(): boolean {
    const { compactBytesMin, compactRatio } = this.#settings;
    const fileBytes = this.#log.endBytes;
    if (fileBytes < this.#compactNotBefore) return false;
    if (this.#hasLostDelete) return true;
    return fileBytes >= compactBytesMin &&
      this.#deadBytes() > compactRatio * this.#index.liveBytes;
  }

  /** Starts a compaction if it is due, and carries one on by a slice. */
  #stepCompaction(writtenBytes: number): void {
    if (this.#compaction === undefined) {
      if (!this.#isCompactionDue()) return;
      const started = this.#startCompaction();
      if (typeof started === "number") return this.#failCompaction(started);
      this.#compaction = started;
    }
    // Twice what was appended meanwhile, or the end would never be reached.
    const compaction = this.#compaction;
    const result = compaction.step(this.#settings.compactSliceBytes + 2 * writtenBytes);
    if (result === "more") return;
    this.#compaction = undefined;
    if (result !== "done") {
      compaction.abandon();
      return this.#failCompaction(result);
    }
    this.#log.close();
    this.#log = compaction.log;
    this.#hasLostDelete = false;
    this.#compactNotBefore = 0;
    this.#compactions++;
    this.#reported.delete("compact");
    if (compaction.folderErrno !== 0) {
      const why = describeErrno(compaction.folderErrno);
      this.#reportOnce("folder", `Cannot sync the folder of cache file "${this.#path}": ${why}`);
    }
  }

  #startCompaction(): Compaction | number {
    return Compaction.start(this.#settings.io, {
      path: this.#path,
      log: this.#log,
      index: this.#index,
      fileId: this.#settings.randomFileId(),
      lost: () => this.#noteLost(),
    });
  }

  #failCompaction(result: number): void {
    this.#compactNotBefore = this.#log.endBytes + this.#settings.compactBytesMin;
    const why = describeErrno(-result);
    this.#reportOnce("compact", `Cannot compact cache file "${this.#path}": ${why}`);
  }

  #noteLost(): void {
    this.#lostEntries++;
    this.#reportOnce("lost", `Cache file "${this.#path}": damaged entries are dropped`);
  }

  #reportOnce(subject: string, message: string): void {
    if (this.#reported.has(subject)) return;
    this.#reported.add(subject);
    this.#settings.report("warning", message);
  }
}
