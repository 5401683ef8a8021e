/**
 * Rewriting an append file without what nobody needs any more, a slice at a time.
 *
 * The live records go into `NAME.compact`, made for this and opened exclusively, under a file id of its
 * own, in the order in which they would be evicted. Meanwhile the store goes on with the old file; what it
 * changes is copied once more, or deleted once more, so that the two files say the same at the moment of
 * the switch. In steps:
 *
 * 1. copy all, and sync the new file;
 * 2. let no sync of the old file begin any more, copy what was changed meanwhile, and sync the new file
 *    again: it now holds on the disk all that the old one holds there;
 * 3. copy what was changed meanwhile, rename the new file over the old one. What was copied last is on the
 *    disk in neither file, and the store's own syncs take care of it, and of the folder, from here on.
 *
 * The syncs are made outside this thread. Until the rename the old file is the truth, and whatever fails
 * before leaves it so.
 *
 * The disk holds the old file and the new one at once: twice the live data, and one segment, which is what
 * was dead in the old file when this began and what was appended meanwhile. Copying goes twice as fast as
 * appending, so the latter is half the live data at most, and what is appended during the two syncs.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import { type EntryIndex, longer, NONE } from "./entry_index.ts";
import { LogFile } from "./log_file.ts";
import { createPrivateFile, type PrivatePlace } from "./private_file.ts";
import { RECORD_ALIGNMENT } from "./record.ts";

/** The file that a compaction writes; one that is found at a start was left by a process that died. */
export function compactionName(name: string): string {
  return `${name}.compact`;
}

/** What a compaction works on. */
export interface CompactionSource {
  readonly place: PrivatePlace;
  readonly log: LogFile;
  readonly index: EntryIndex;
  /** 16 random bytes for the file that is written. */
  readonly fileId: Bytes;
  readonly calls: Pick<SlowCalls, "fdatasync"> | undefined;
  /** Lets no sync of the old file begin; false while one is under way. */
  readonly hold: () => boolean;
  /** Whether syncs of the old file mean anything, so that step 2 needs one. */
  readonly isSynced: boolean;
  /** Give up what the disk does not read, as what is damaged; otherwise it ends the compaction. */
  readonly dropUnreadable: boolean;
  /** Told of each entry that is given up; it is gone from the index by then. */
  readonly lost: () => void;
}

/** Not in the new file. */
const ABSENT = 0;
/** An older record of the key is in the new file. */
const STALE = -1;

type Stage = "copying" | "syncing" | "following" | "syncing again" | "ending";

/** A compaction under way. */
export class Compaction {
  /** The file that is written; the store's file once {@linkcode step} has said "done". */
  readonly log: LogFile;
  /** After a failure: the disk did not read an entry. */
  hasMetUnreadable = false;
  readonly #source: CompactionSource;
  /** By slot: place in the new file divided by 8, {@linkcode ABSENT} or {@linkcode STALE}. */
  #places: Int32Array<ArrayBuffer>;
  #stage: Stage = "copying";
  #sync: "none" | "under way" | "done" | "failed" = "none";
  /** Bytes of the new file that are on the disk. */
  #syncedBytes = 0;
  /** Something in the new file could not be taken back. */
  #isSpoiled = false;

  private constructor(source: CompactionSource, fd: number) {
    this.#source = source;
    this.#places = new Int32Array(source.index.capacity);
    this.log = LogFile.start(source.place.io, fd, source.fileId);
    const { order } = source.index;
    order.cursor = order.first;
  }

  /** Makes the new file. `-errno` if that fails. */
  static start(source: CompactionSource): Compaction | number {
    const { place } = source;
    const fd = createPrivateFile(place, compactionName(place.name));
    return fd < 0 ? fd : new Compaction(source, fd);
  }

  /** Bytes that were written and never synced; of use after "done". */
  get unsyncedBytes(): number {
    return this.log.writtenBytes - this.#syncedBytes;
  }

  /** To be told of each entry that was put, after it took its place at the end of the order. */
  notePut(slot: number): void {
    const { capacity } = this.#source.index;
    if (this.#places.length < capacity) this.#places = longer(this.#places, capacity);
    if (this.#places[slot] !== ABSENT) this.#places[slot] = STALE;
  }

  /** To be told of each entry that goes, before it does; `key` if it is known. */
  noteRemoval(slot: number, key: string | undefined): void {
    const place = this.#places[slot] ?? ABSENT;
    if (place === ABSENT) return;
    this.#places[slot] = ABSENT;
    const { index, log } = this.#source;
    const name = key ?? log.readKey(index.place(slot));
    // Without the right key the older record would come back.
    if (name === undefined || index.find(name) !== slot) this.#isSpoiled = true;
    else this.log.appendDelete(name);
  }

  /**
   * Copies about `bytesMax` bytes. "waiting": nothing to do until a sync is through. "done": the new file
   * has taken the old one's name and the index points into it; the old {@linkcode LogFile} is the
   * caller's to close. `-errno`: to be abandoned.
   */
  step(bytesMax: number): "more" | "waiting" | "done" | number {
    for (let copied = 0; copied < bytesMax;) {
      const result = this.#advance(bytesMax - copied);
      if (typeof result === "string") return result;
      if (result < 0) return result;
      copied += result;
    }
    return "more";
  }

  /** Closes and removes the new file. The old one is as it was. */
  abandon(): void {
    const { io, name } = this.#source.place;
    // A sync under way needs the descriptor; it closes it when it comes back.
    if (this.#sync !== "under way") this.log.close();
    this.#sync = "failed";
    io.unlink(compactionName(name));
  }

  /** Some bytes of the stage at hand; how many, or why it stops here. */
  #advance(bytesMax: number): "more" | "waiting" | "done" | number {
    if (this.#isSpoiled) return -ERRNO.EIO;
    switch (this.#stage) {
      case "copying":
        return this.#copyAll(bytesMax, () => this.#startSync("syncing"));
      case "syncing":
        if (this.#sync !== "done") return this.#awaitSync();
        this.#stage = "following";
        return 0;
      case "following":
        if (!this.#source.hold()) return "waiting";
        return this.#copyAll(bytesMax, () => {
          if (this.#source.isSynced && this.unsyncedBytes > 0) this.#startSync("syncing again");
          else this.#stage = "ending";
          return 0;
        });
      case "syncing again":
        if (this.#sync !== "done") return this.#awaitSync();
        this.#stage = "ending";
        return 0;
      case "ending":
        return this.#copyAll(bytesMax, () => this.#rename());
    }
  }

  /** Copies what the new file lacks, and writes it out; then, if nothing is lacking, goes on. */
  #copyAll<T>(bytesMax: number, next: () => T): T | number | "more" {
    const { order } = this.#source.index;
    let copied = 0;
    while (order.cursor !== NONE && copied < bytesMax) {
      const result = this.#copy(order.cursor);
      if (result < 0) return result;
      copied += result;
    }
    const flushed = this.log.flush();
    if (flushed < 0) return flushed;
    return order.cursor === NONE ? next() : "more";
  }

  /** Copies the entry at the cursor and moves that on; bytes, or `-errno`. */
  #copy(slot: number): number {
    const { index, log } = this.#source;
    const { order } = index;
    // Looked up meanwhile, and moved to the end by that.
    if (this.#places[slot] > 0) {
      order.cursor = order.after(slot);
      return RECORD_ALIGNMENT;
    }
    const place = index.place(slot);
    const body = log.readBody(place);
    if (typeof body === "string") return this.#drop(slot, body);
    order.cursor = order.after(slot);
    const offset = this.log.appendCopy(body, place.keyBytes, index.expiresAtS(slot));
    this.#places[slot] = offset / RECORD_ALIGNMENT;
    return index.recordBytes(slot);
  }

  #drop(slot: number, why: string): number {
    const { index, lost, dropUnreadable } = this.#source;
    if (why === "unreadable" && !dropUnreadable) {
      this.hasMetUnreadable = true;
      return -ERRNO.EIO;
    }
    this.noteRemoval(slot, undefined);
    const bytes = index.recordBytes(slot);
    // Moves the cursor on.
    index.remove(slot);
    lost();
    return bytes;
  }

  #startSync(stage: Stage): number {
    this.#stage = stage;
    this.#sync = "under way";
    const { io } = this.#source.place;
    const { fd, writtenBytes } = this.log;
    const done = (ok: boolean) => {
      if (this.#sync !== "under way") return io.close(fd);
      this.#sync = ok ? "done" : "failed";
      if (ok) this.#syncedBytes = writtenBytes;
    };
    const { calls } = this.#source;
    if (calls === undefined) done(io.fdatasync(fd) === 0);
    else calls.fdatasync(fd, done);
    return 0;
  }

  #awaitSync(): "waiting" | number {
    return this.#sync === "under way" ? "waiting" : -ERRNO.EIO;
  }

  #rename(): "done" | number {
    const { index, place } = this.#source;
    const renamed = place.io.rename(compactionName(place.name), place.name);
    if (renamed < 0) return renamed;
    assert(this.log.pendingBytes === 0, "the new file says all that the index says");
    index.movePlaces(this.#places);
    return "done";
  }
}
