/**
 * The append file: records go to its end and are read back by place.
 *
 * What was appended since the last flush waits in memory as the file's continuation: a place below
 * {@linkcode LogFile.writtenBytes} is on the disk, one above it is in memory, and a caller cannot tell.
 * A flush that fails leaves all of it waiting, and the next one writes the same bytes to the same
 * places; that is how a full disk costs nothing but memory.
 *
 * Owns its descriptor. A bad record or a bad disk is a returned value. What must never happen: a value
 * handed out whose checksum, key or length is not the asked one.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import type { FileIo } from "./file_io.ts";
import {
  encodeFileHeader,
  FILE_HEADER_BYTES,
  hasKey,
  KIND,
  readKey,
  readValue,
  RECORD_BYTES_MAX,
  RECORD_HEAD_BYTES,
  RecordBuffer,
  recordBytes,
  RecordCodec,
} from "./record.ts";

/**
 * Why a value could not be read: the record is not what was written, the disk says no, or the record is
 * intact and that of another key.
 */
export type ReadFault = "damaged" | "unreadable" | "other key";

/** Where a record is, as the index knows it. */
export interface Place {
  /** Bytes from the start of the file. */
  offset: number;
  keyBytes: number;
  valueBytes: number;
}

// A signal may interrupt a call again and again, but not for ever.
const INTERRUPTIONS_MAX = 100;
// Most turns of the event loop append less than this.
const PENDING_BYTES_INITIAL = 64 * 1024;
const READ_BYTES_INITIAL = 16 * 1024;

/** pread(2) until `length` bytes are there or the file ends. Bytes read, or `-errno`. */
export function readFully(
  io: FileIo,
  fd: number,
  { bytes, length, offset }: { bytes: Bytes; length: number; offset: number },
): number {
  let done = 0;
  let interruptions = 0;
  while (done < length) {
    const into = done === 0 ? bytes : bytes.subarray(done);
    const got = io.pread(fd, into, length - done, offset + done);
    if (got === -ERRNO.EINTR && interruptions++ < INTERRUPTIONS_MAX) continue;
    if (got < 0) return got;
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** pwrite(2) until all is written. 0, or `-errno`. */
export function writeFully(
  io: FileIo,
  fd: number,
  { bytes, length, offset }: { bytes: Bytes; length: number; offset: number },
): number {
  let done = 0;
  let interruptions = 0;
  while (done < length) {
    const from = done === 0 ? bytes : bytes.subarray(done);
    const put = io.pwrite(fd, from, length - done, offset + done);
    if (put === -ERRNO.EINTR && interruptions++ < INTERRUPTIONS_MAX) continue;
    if (put < 0) return put;
    if (put === 0) return -ERRNO.EIO;
    done += put;
  }
  return 0;
}

/** One append file, open for reading and writing. */
export class LogFile {
  readonly fd: number;
  readonly #io: FileIo;
  readonly #codec: RecordCodec;
  #writtenBytes: number;
  #pending: RecordBuffer;
  #pendingBytes = 0;
  #read: RecordBuffer;
  /** Where the last {@linkcode #fetch} found its bytes, or why it did not. */
  readonly #found: { buffer: RecordBuffer; at: number };
  #fault: ReadFault = "damaged";

  /** A file whose first `writtenBytes` bytes are good; records follow there. */
  constructor(io: FileIo, fd: number, file: { fileId: Uint8Array; writtenBytes: number }) {
    assert(file.writtenBytes % 8 === 0, "records start at multiples of 8");
    this.#io = io;
    this.fd = fd;
    this.#codec = new RecordCodec(file.fileId);
    this.#writtenBytes = file.writtenBytes;
    this.#pending = new RecordBuffer(PENDING_BYTES_INITIAL);
    this.#read = new RecordBuffer(READ_BYTES_INITIAL);
    this.#found = { buffer: this.#read, at: 0 };
  }

  /** An empty file; its header waits for the first flush, like a record. */
  static start(io: FileIo, fd: number, fileId: Uint8Array): LogFile {
    const log = new LogFile(io, fd, { fileId, writtenBytes: 0 });
    log.#pending.bytes.set(encodeFileHeader(fileId));
    log.#pendingBytes = FILE_HEADER_BYTES;
    return log;
  }

  /** Bytes on the disk. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Bytes that wait for a flush. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Where the next record goes: written and waiting bytes together. */
  get endBytes(): number {
    return this.#writtenBytes + this.#pendingBytes;
  }

  /** Appends a put; its place in bytes. Lengths were checked by the caller. */
  appendPut(key: string, value: Uint8Array, expiresAtS: number): number {
    const at = this.#takeRoom(recordBytes(key.length, value.length));
    const fileOffset = this.#writtenBytes + at;
    this.#codec.encodePut(this.#pending, at, { fileOffset, key, value, expiresAtS });
    return fileOffset;
  }

  /** Appends a delete. */
  appendDelete(key: string): void {
    const at = this.#takeRoom(recordBytes(key.length, 0));
    this.#codec.encodeDelete(this.#pending, at, { fileOffset: this.#writtenBytes + at, key });
  }

  /** Appends a put of the key and the value that stand in `body`, one behind the other; its place. */
  appendCopy(body: Uint8Array, keyBytes: number, expiresAtS: number): number {
    const at = this.#takeRoom(recordBytes(keyBytes, body.length - keyBytes));
    const fileOffset = this.#writtenBytes + at;
    this.#codec.encodeCopy(this.#pending, at, { fileOffset, keyBytes, body, expiresAtS });
    return fileOffset;
  }

  /** Reads back the value of `key`: a view, valid until the next call, or what is wrong. */
  read(key: string, place: Place): Bytes | ReadFault {
    const length = recordBytes(place.keyBytes, place.valueBytes);
    if (!this.#fetch(place.offset, length)) return this.#fault;
    const { buffer, at } = this.#found;
    if (!this.#prove(buffer, at, place)) return "damaged";
    return key.length === place.keyBytes && hasKey(buffer, at, key)
      ? readValue(buffer, at, this.#codec.head)
      : "other key";
  }

  /** Reads back key and value, one behind the other: a view, valid until the next call. */
  readBody(place: Place): Bytes | ReadFault {
    const { keyBytes, valueBytes } = place;
    if (!this.#fetch(place.offset, recordBytes(keyBytes, valueBytes))) return this.#fault;
    const { buffer, at } = this.#found;
    if (!this.#prove(buffer, at, place)) return "damaged";
    const start = at + RECORD_HEAD_BYTES;
    return buffer.bytes.subarray(start, start + keyBytes + valueBytes);
  }

  /** Reads back the key, and not the value behind it. Only the head of the record is proved. */
  readKey(place: Place): string | undefined {
    if (!this.#fetch(place.offset, RECORD_HEAD_BYTES + place.keyBytes)) return undefined;
    const { buffer, at } = this.#found;
    return this.#proveHead(buffer, at, place) ? readKey(buffer, at, place.keyBytes) : undefined;
  }

  /** Points {@linkcode #found} to bytes of the file; false when {@linkcode #fault} says why not. */
  #fetch(offset: number, length: number): boolean {
    const found = this.#found;
    found.buffer = this.#pending;
    found.at = offset - this.#writtenBytes;
    this.#fault = "damaged";
    if (found.at >= 0) return true;
    if (this.#read.bytes.length < length) this.#read = new RecordBuffer(2 * length);
    found.at = 0;
    found.buffer = this.#read;
    const { bytes } = this.#read;
    let got = this.#io.pread(this.fd, bytes, length, offset);
    if (got !== length) got = readFully(this.#io, this.fd, { bytes, length, offset });
    if (got < 0) this.#fault = "unreadable";
    return got === length;
  }

  #proveHead(buffer: RecordBuffer, at: number, place: Place): boolean {
    const { head } = this.#codec;
    return this.#codec.readHead(buffer, at, place.offset) && head.kind === KIND.put &&
      head.keyBytes === place.keyBytes && head.valueBytes === place.valueBytes;
  }

  #prove(buffer: RecordBuffer, at: number, place: Place): boolean {
    return this.#proveHead(buffer, at, place) && this.#codec.isBodyIntact(buffer, at);
  }

  /** Cuts the file at `bytes`; only before anything was appended. 0, or `-errno`. */
  cut(bytes: number): number {
    assert(this.#pendingBytes === 0, "nothing waits to be written behind the cut");
    const result = this.#io.ftruncate(this.fd, bytes);
    if (result === 0) this.#writtenBytes = bytes;
    return result;
  }

  /** Writes what waits to the file. 0, or `-errno` and everything waits on. */
  flush(): number {
    const length = this.#pendingBytes;
    if (length === 0) return 0;
    const { bytes } = this.#pending;
    const result = writeFully(this.#io, this.fd, { bytes, length, offset: this.#writtenBytes });
    if (result < 0) return result;
    this.#writtenBytes += length;
    this.#pendingBytes = 0;
    // Memory that an ailing disk or a burst took is given back.
    if (bytes.length > 2 * RECORD_BYTES_MAX) {
      this.#pending = new RecordBuffer(PENDING_BYTES_INITIAL);
    }
    return 0;
  }

  /** Gives the descriptor back; what waits is lost. */
  close(): void {
    this.#io.close(this.fd);
  }

  #takeRoom(length: number): number {
    const at = this.#pendingBytes;
    const needed = at + length;
    if (needed > this.#pending.bytes.length) {
      const larger = new RecordBuffer(Math.max(2 * this.#pending.bytes.length, needed));
      larger.bytes.set(this.#pending.bytes.subarray(0, at));
      this.#pending = larger;
    }
    this.#pendingBytes = needed;
    return at;
  }
}
