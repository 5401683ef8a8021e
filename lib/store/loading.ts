/**
 * Filling the index from the file, a slice at a time, while the store may be in use already.
 *
 * What is stored meanwhile goes behind the bytes that are being read and counts as the newer. Until the
 * end is reached no entry out of the file is served, because its last word may come later: it is missed.
 * What is deleted meanwhile is remembered, so that it does not come back.
 *
 * @module
 */
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { type EntryFields, type EntryIndex, NONE } from "./entry_index.ts";
import type { FileIo } from "./file_io.ts";
import type { LogFile } from "./log_file.ts";
import { LogScan, type ScannedKey, type ScanSink } from "./log_scan.ts";
import type { Report } from "./open_log.ts";
import type { RecordCodec } from "./record.ts";

/** What is read. */
export interface UnreadLog {
  readonly log: LogFile;
  /** Bytes of the file. */
  readonly size: number;
  readonly codec: RecordCodec;
}

/** What {@linkcode Loading} needs besides. */
export interface LoadingOptions {
  readonly path: string;
  readonly index: EntryIndex;
  readonly report: Report;
  readonly keep: ((key: Uint8Array) => boolean) | undefined;
}

/** A file being read. */
export class Loading implements ScanSink {
  readonly #unread: UnreadLog;
  readonly #options: LoadingOptions;
  readonly #scan: LogScan;
  /** Where the first record goes that is stored meanwhile. */
  readonly #startBytes: number;
  readonly #deleted = new Set<string>();
  #notKept = 0;

  constructor(io: FileIo, unread: UnreadLog, options: LoadingOptions) {
    this.#unread = unread;
    this.#options = options;
    this.#startBytes = unread.log.endBytes;
    const { size, codec } = unread;
    this.#scan = new LogScan(io, { fd: unread.log.fd, size, codec }, this);
  }

  /** Bytes that have been looked at. */
  get readBytes(): number {
    return this.#scan.doneBytes;
  }

  /** Bytes that have not. */
  get unreadBytes(): number {
    return this.#unread.size - this.#scan.doneBytes;
  }

  /** Whether an entry at `offset` was stored since, and so is the last word on its key. */
  isFinal(offset: number): boolean {
    return offset >= this.#startBytes;
  }

  /** To be told of each key that is deleted meanwhile. */
  noteDelete(key: string): void {
    this.#deleted.add(key);
  }

  /**
   * Reads about a megabyte. "loaded": all is known, and the end is as it should be. "damaged end": what
   * was at the end could not be cut off, because something stands behind it; a compaction has to.
   */
  step(): "more" | "loaded" | "damaged end" {
    return this.#scan.step() ? "more" : this.#finish();
  }

  /** For the walk. */
  put(key: ScannedKey, fields: EntryFields): void {
    const { index, keep } = this.#options;
    const found = index.findBytes(key.bytes, key.start, key.end);
    if (found !== NONE && this.isFinal(index.offset(found))) return;
    if (this.#deleted.size > 0 && this.#deleted.has(key.text())) return;
    if (keep !== undefined && !keep(key.bytes.subarray(key.start, key.end))) {
      this.#notKept++;
      if (found !== NONE) index.remove(found);
      return;
    }
    const slot = index.put(found, fields);
    if (found !== NONE) index.order.remove(slot);
    index.order.appendLoaded(slot);
  }

  /** For the walk. */
  delete(key: ScannedKey): void {
    const { index } = this.#options;
    const found = index.findBytes(key.bytes, key.start, key.end);
    if (found !== NONE && !this.isFinal(index.offset(found))) index.remove(found);
  }

  /** Cuts what follows the last intact record, and reports what was wrong. */
  #finish(): "loaded" | "damaged end" {
    const { path, report } = this.#options;
    const { log, size } = this.#unread;
    const { intactEnd, unreadableBytes, damagedBytes, damagedPlaces } = this.#scan.facts;
    const places = `${damagedPlaces} ${damagedPlaces === 1 ? "place" : "places"}`;
    if (damagedPlaces > 0) {
      report("warning", `Cache file "${path}": skipped ${damagedBytes} damaged bytes in ${places}`);
    }
    if (unreadableBytes > 0) {
      report(
        "warning",
        `Cannot read ${unreadableBytes} bytes of cache file "${path}": ${describeErrno(ERRNO.EIO)}`,
      );
    }
    if (this.#notKept > 0) {
      report("info", `Cache file "${path}": dropped ${this.#notKept} entries that nobody can use`);
    }
    const unfinished = size - intactEnd;
    // What could not be read may be intact: it stays.
    if (unfinished === 0 || unreadableBytes > 0) return "loaded";
    if (log.endBytes > this.#startBytes) {
      report("warning", `Cache file "${path}": skipped ${unfinished} unfinished bytes in it`);
      return "damaged end";
    }
    if (log.cut(intactEnd) === 0) {
      report("warning", `Cache file "${path}": cut ${unfinished} unfinished bytes at its end`);
    }
    return "loaded";
  }
}
