/**
 * Rewriting an append file without what nobody needs any more, a slice at a time.
 *
 * The live records go into `NAME.compact`, made for this and opened exclusively, under a file id of its
 * own. Meanwhile the store goes on with the old file; it names each key that it changes, and these are
 * copied again (or deleted again) at the end, so that the two files say the same at the moment of the
 * switch. Then the new file is synced, renamed over the old one, and the folder is synced. Until the
 * rename the old file is the truth, and whatever fails before leaves it so.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { EntryIndex } from "./entry_index.ts";
import type { FileIo } from "./file_io.ts";
import { LogFile } from "./log_file.ts";
import { createPrivateFile, syncFolderOf } from "./private_file.ts";
import { recordBytes } from "./record.ts";

// Synced as it grows, so that no sync, the last included, waits for more than this.
const SYNC_BYTES = 8 << 20;

/** The file that a compaction writes; one that is found at a start was left by a process that died. */
export function compactionPath(path: string): string {
  return `${path}.compact`;
}

/** What a compaction works on. */
export interface CompactionSource {
  path: string;
  log: LogFile;
  index: EntryIndex;
  /** 16 random bytes for the file that is written. */
  fileId: Bytes;
  /** Told of an entry whose record cannot be read back; it is gone from the index by then. */
  lost: (key: string) => void;
}

/** A compaction under way. */
export class Compaction {
  /** The file that is written; the store's file once {@linkcode step} has said "done". */
  readonly log: LogFile;
  /** Set by "done" when the folder could not be synced: a crash of the machine may undo the rename. */
  folderErrno = 0;
  readonly #io: FileIo;
  readonly #source: CompactionSource;
  readonly #touched = new Set<string>();
  /** Places in the new file by slot; replaces the index's own at the switch. */
  #offsets: Float64Array<ArrayBuffer>;
  /** The next slot to copy. */
  #slot = 0;
  #syncedBytes = 0;

  private constructor(io: FileIo, source: CompactionSource, fd: number) {
    this.#io = io;
    this.#source = source;
    this.#offsets = new Float64Array(source.index.offsets.length);
    this.log = LogFile.start(io, fd, source.fileId);
  }

  /** Makes the new file. `-errno` if that fails. */
  static start(io: FileIo, source: CompactionSource): Compaction | number {
    const fd = createPrivateFile(io, compactionPath(source.path));
    return fd < 0 ? fd : new Compaction(io, source, fd);
  }

  /** Must be called for each key that is put or deleted while this goes on. */
  touch(key: string): void {
    this.#touched.add(key);
  }

  /**
   * Copies about `bytesMax` bytes. "done": the new file has taken the old one's name and the index
   * points into it; the old {@linkcode LogFile} is the caller's to close. `-errno`: to be abandoned.
   */
  step(bytesMax: number): "more" | "done" | number {
    for (let copied = 0; copied < bytesMax;) {
      const key = this.#next();
      if (key === undefined) return this.#finish();
      copied += this.#copy(key);
    }
    const flushed = this.log.flush();
    if (flushed < 0) return flushed;
    return this.#syncIfAbove(SYNC_BYTES) ?? "more";
  }

  /** Closes and removes the new file. The old one is as it was. */
  abandon(): void {
    this.log.close();
    this.#io.unlink(compactionPath(this.#source.path));
  }

  /** First every slot, then every key that was changed since its slot was passed. */
  #next(): string | undefined {
    const { index } = this.#source;
    while (this.#slot < index.slotsEnd) {
      const key = index.keyAt(this.#slot++);
      if (key !== undefined && !this.#touched.has(key)) return key;
    }
    for (const key of this.#touched) {
      this.#touched.delete(key);
      return key;
    }
    return undefined;
  }

  /** Copies what the index says of `key`; bytes written. */
  #copy(key: string): number {
    const { index, log } = this.#source;
    const slot = index.find(key);
    if (slot === undefined) return this.#copyDelete(key);
    const valueBytes = index.valueBytes[slot];
    const value = log.read(key, { offset: index.offsets[slot], valueBytes });
    if (typeof value === "string") {
      index.remove(key);
      this.#source.lost(key);
      return this.#copyDelete(key);
    }
    if (this.#offsets.length < index.offsets.length) this.#grow(index.offsets.length);
    this.#offsets[slot] = this.log.appendPut(key, value, index.expiresAtS[slot]);
    return recordBytes(key.length, valueBytes);
  }

  /** An earlier record of the key may stand in the new file already. */
  #copyDelete(key: string): number {
    this.log.appendDelete(key);
    return recordBytes(key.length, 0);
  }

  #grow(capacity: number): void {
    const offsets = this.#offsets;
    this.#offsets = new Float64Array(capacity);
    this.#offsets.set(offsets);
  }

  #finish(): "done" | number {
    const flushed = this.log.flush();
    if (flushed < 0) return flushed;
    const synced = this.#syncIfAbove(0);
    if (synced !== undefined) return synced;
    const { index, path } = this.#source;
    const renamed = this.#io.rename(compactionPath(path), path);
    if (renamed < 0) return renamed;
    if (this.#offsets.length < index.offsets.length) this.#grow(index.offsets.length);
    index.offsets = this.#offsets;
    this.folderErrno = -syncFolderOf(this.#io, path);
    return "done";
  }

  /** `-errno` if a sync was due and failed. */
  #syncIfAbove(bytes: number): number | undefined {
    if (this.log.writtenBytes - this.#syncedBytes <= bytes) return undefined;
    const result = this.#io.fdatasync(this.log.fd);
    if (result < 0) return result;
    this.#syncedBytes = this.log.writtenBytes;
    return undefined;
  }
}
