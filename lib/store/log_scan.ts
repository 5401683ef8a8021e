/**
 * The walk through an append file when it is opened: finds every intact record, whatever else is there.
 *
 * Reads large pieces, one a step. Where no record is intact it tries each multiple of 8 until one is;
 * that costs one small checksum at worst for each, because a record's lengths are believed only after
 * its head's checksum, so the whole walk is linear in the file's length. A record with a good head and
 * a bad body is passed over as a whole; what an older record says of its key stands. A crash of the machine
 * leaves such records where something was written and not synced: their keys must not lose what was.
 *
 * @module
 */
import { toLatin1 } from "../base/bytes.ts";
import type { FileIo } from "./file_io.ts";
import { readFully } from "./log_file.ts";
import {
  FILE_HEADER_BYTES,
  KIND,
  RECORD_ALIGNMENT,
  RECORD_BYTES_MAX,
  RECORD_HEAD_BYTES,
  RecordBuffer,
  type RecordCodec,
} from "./record.ts";
import type { EntryFields } from "./entry_index.ts";

/** The key of a record, where the walk has it in memory; good for the length of one call. */
export class ScannedKey {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  end = 0;

  /** The key as a latin1 string with memory of its own. */
  text(): string {
    return toLatin1(this.bytes, this.start, this.end);
  }
}

/** Who is told what the walk finds, in the order of the file. The arguments are used again. */
export interface ScanSink {
  put(key: ScannedKey, fields: EntryFields): void;
  delete(key: ScannedKey): void;
}

/** What the walk came across. */
export interface ScanFacts {
  /** Intact records. */
  records: number;
  /** Bytes between intact records that are none. */
  damagedBytes: number;
  /** Runs of such bytes. */
  damagedPlaces: number;
  /** The end of the last intact record, bytes from the start of the file. */
  intactEnd: number;
  /** Bytes that the disk would not give. */
  unreadableBytes: number;
}

/** Bytes of one step. */
const PIECE_BYTES = 1 << 20;
/** What is given up when the disk cannot read it. */
const BLOCK_BYTES = 4096;

/** A walk under way. */
export class LogScan {
  readonly facts: ScanFacts = {
    records: 0,
    damagedBytes: 0,
    damagedPlaces: 0,
    intactEnd: FILE_HEADER_BYTES,
    unreadableBytes: 0,
  };
  readonly #io: FileIo;
  readonly #file: { fd: number; size: number; codec: RecordCodec };
  readonly #sink: ScanSink;
  /** Holds the file's bytes from `#base` to `#base + #filled`. */
  readonly #window: RecordBuffer;
  readonly #key = new ScannedKey();
  readonly #fields: EntryFields = { offset: 0, keyBytes: 0, valueBytes: 0, expiresAtS: 0 };
  #base = FILE_HEADER_BYTES;
  #filled = 0;

  constructor(
    io: FileIo,
    file: { fd: number; size: number; codec: RecordCodec },
    sink: ScanSink,
  ) {
    this.#io = io;
    this.#file = file;
    // A piece, and what the one before left over: less than one record.
    this.#window = new RecordBuffer(Math.min(PIECE_BYTES + RECORD_BYTES_MAX, file.size));
    this.#sink = sink;
  }

  /** Bytes of the file that have been walked through. */
  get doneBytes(): number {
    return this.#base;
  }

  /** Walks through one more piece. False when the end of the file is reached. */
  step(): boolean {
    if (this.#base + this.#filled < this.#file.size) this.#fill();
    const isLast = this.#base + this.#filled >= this.#file.size;
    const at = this.#walk(isLast);
    this.#window.bytes.copyWithin(0, at, this.#filled);
    this.#base += at;
    this.#filled -= at;
    return !isLast;
  }

  /** Handles all records that are whole in the window; where it stopped. */
  #walk(isLast: boolean): number {
    const { codec } = this.#file;
    let at = 0;
    while (at + RECORD_HEAD_BYTES <= this.#filled) {
      if (!codec.readHead(this.#window, at, this.#base + at)) {
        at += RECORD_ALIGNMENT;
        continue;
      }
      const length = codec.head.recordBytes;
      if (at + length > this.#filled) {
        if (!isLast) break;
        at += RECORD_ALIGNMENT;
        continue;
      }
      this.#take(at, length);
      at += length;
    }
    return at;
  }

  #take(at: number, length: number): void {
    const { codec } = this.#file;
    const { head } = codec;
    const key = this.#key;
    key.bytes = this.#window.bytes;
    key.start = at + RECORD_HEAD_BYTES;
    key.end = key.start + head.keyBytes;
    if (!codec.isBodyIntact(this.#window, at)) return;
    const offset = this.#base + at;
    this.facts.records++;
    if (offset > this.facts.intactEnd) {
      this.facts.damagedBytes += offset - this.facts.intactEnd;
      this.facts.damagedPlaces++;
    }
    this.facts.intactEnd = offset + length;
    if (head.kind === KIND.delete) return this.#sink.delete(key);
    const fields = this.#fields;
    fields.offset = offset;
    fields.keyBytes = head.keyBytes;
    fields.valueBytes = head.valueBytes;
    fields.expiresAtS = head.expiresAtS;
    this.#sink.put(key, fields);
  }

  #fill(): void {
    const from = this.#base + this.#filled;
    const length = Math.min(PIECE_BYTES, this.#file.size - from);
    this.#filled += this.#readPiece(this.#filled, length, from);
  }

  /** Fills `length` bytes of the window; zeros stand for what cannot be read. */
  #readPiece(at: number, length: number, offset: number): number {
    const bytes = this.#window.bytes.subarray(at);
    const got = readFully(this.#io, this.#file.fd, { bytes, length, offset });
    if (got === length) return length;
    if (got < 0 && length > BLOCK_BYTES) {
      const half = Math.ceil(length / 2 / BLOCK_BYTES) * BLOCK_BYTES;
      this.#readPiece(at, half, offset);
      this.#readPiece(at + half, length - half, offset + half);
      return length;
    }
    const missing = Math.max(got, 0);
    bytes.fill(0, missing, length);
    this.facts.unreadableBytes += length - missing;
    return length;
  }
}
