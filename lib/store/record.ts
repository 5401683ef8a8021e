/**
 * The format of a cache file. The only file that knows byte offsets; each encoder stands beside its
 * decoder. Numbers are little-endian. Everything starts at a multiple of 8.
 *
 * A file is one header and then records, the older first:
 *
 * ```text
 *    0   8  magic: 93 "postern" (hexadecimal 93 70 6f 73 74 65 72 6e)
 *    8   4  version: 1
 *   12   4  encryption at rest: 0 = none; other values are reserved
 *   16  16  file id: random, drawn when the file is made
 *   32  28  reserved for encryption at rest (key check, salt): zeros
 *   60   4  CRC-32C of bytes 0 to 59
 * ```
 *
 * A header is valid if and only if (1) the magic is right, (2) the checksum matches, (3) version is 1,
 * (4) encryption is 0, (5) the reserved bytes are zeros.
 *
 * A record:
 *
 * ```text
 *    0   4  head checksum: CRC-32C of the file id, of the record's offset in the file (8 bytes) and
 *           of bytes 8 to 23
 *    4   4  body checksum: the same CRC carried on over key and value
 *    8   8  expires at: unix seconds, below 2^53; the last second in which the entry is there
 *   16   4  value length: 0 to VALUE_BYTES_MAX; 0 for a delete
 *   20   2  key length: 1 to KEY_BYTES_MAX
 *   22   1  kind: 1 = put, 2 = delete
 *   23   1  reserved: 0
 *   24      key, value, then zeros up to a multiple of 8
 * ```
 *
 * A record is valid if and only if (1) its offset is a multiple of 8, (2) kind, lengths, expiry and the
 * reserved byte keep the bounds above, (3) the head checksum matches, (4) it lies within the file,
 * (5) the body checksum matches. Lengths are believed only after (2) and (3).
 *
 * The file id and the offset are under the checksum without being in the record: a record that was
 * copied from another file or another place is not valid. The last valid record of a key decides; a
 * delete says that the key is gone. The filling up to a multiple of 8 is not looked at.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type Bytes, toLatin1 } from "../base/bytes.ts";
import {
  CRC32C_START,
  finishCrc32c,
  updateCrc32c,
  updateCrc32cPair,
  type WordBytes,
} from "./crc32c.ts";

/** The longest key that the format admits, in bytes. */
export const KEY_BYTES_MAX = 4096;
/** The longest value that the format admits, in bytes. */
export const VALUE_BYTES_MAX = 1 << 20;

/** Bytes of a file header; the first record follows at once. */
export const FILE_HEADER_BYTES = 64;
/** Bytes of a file id. */
export const FILE_ID_BYTES = 16;
/** Records start at multiples of this. */
export const RECORD_ALIGNMENT = 8;
/** Bytes of a record before its key. */
export const RECORD_HEAD_BYTES = 24;
/** The longest record, in bytes. */
export const RECORD_BYTES_MAX = recordBytes(KEY_BYTES_MAX, VALUE_BYTES_MAX);

const FORMAT_VERSION = 1;
const MAGIC = new Uint8Array([0x93, 0x70, 0x6f, 0x73, 0x74, 0x65, 0x72, 0x6e]);
const FILE_HEADER = { version: 8, encryption: 12, fileId: 16, reserved: 32, checksum: 60 } as const;

// Fields of a record by 4-byte word; the last word holds key length, kind and the reserved byte.
const WORD_HEAD_CHECKSUM = 0;
const WORD_BODY_CHECKSUM = 1;
const WORD_EXPIRES_LOW = 2;
const WORD_EXPIRES_HIGH = 3;
const WORD_VALUE_BYTES = 4;
const WORD_KEY_BYTES_AND_KIND = 5;

/** What a record says about its key. */
export const KIND = { put: 1, delete: 2 } as const;

// Kinds where they stand in the last word of a head.
const KIND_PUT = KIND.put << 16;
const KIND_DELETE = KIND.delete << 16;

const TWO_TO_32 = 0x1_0000_0000;
// Above this high word an expiry would not be a whole JavaScript number.
const EXPIRES_HIGH_MAX = 0x1f_ffff;

/** Memory for records: bytes and words over the same block, which starts at a multiple of 8. */
export class RecordBuffer implements WordBytes {
  readonly bytes: Bytes;
  readonly words: Int32Array<ArrayBuffer>;

  /** Room for at least `capacity` bytes. */
  constructor(capacity: number) {
    const memory = new ArrayBuffer(roundUp(capacity));
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
  }
}

function roundUp(bytes: number): number {
  return (bytes + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT;
}

/** Bytes of a record with a key and a value of these lengths, the filling included. */
export function recordBytes(keyBytes: number, valueBytes: number): number {
  return roundUp(RECORD_HEAD_BYTES + keyBytes + valueBytes);
}

/** What the beginning of a file says. */
export type FileHeader =
  /** A header of this format. */
  | { kind: "valid"; fileId: Bytes }
  /** This format, but damaged: the magic or all the rest of it is intact, or all of it is zeros. */
  | { kind: "damaged" }
  /** This format, as a later version of the program writes it. */
  | { kind: "unsupported"; what: string }
  /** Something else. */
  | { kind: "foreign" };

/** The header of a file with id `fileId` (16 random bytes). */
export function encodeFileHeader(fileId: Uint8Array): Bytes {
  assert(fileId.length === FILE_ID_BYTES, "a file id has 16 bytes");
  const header = new RecordBuffer(FILE_HEADER_BYTES);
  header.bytes.set(MAGIC);
  header.words[FILE_HEADER.version >> 2] = FORMAT_VERSION;
  header.bytes.set(fileId, FILE_HEADER.fileId);
  header.words[FILE_HEADER.checksum >> 2] = headerChecksum(header);
  return header.bytes;
}

/** Judges the first bytes of a file that is not empty; fewer than 64 when the file is shorter. */
export function decodeFileHeader(start: Uint8Array): FileHeader {
  const header = new RecordBuffer(FILE_HEADER_BYTES);
  header.bytes.set(start.subarray(0, FILE_HEADER_BYTES));
  // A file may end within the magic: its very first write was cut short.
  const hasMagic = MAGIC.every((byte, i) => i >= start.length || header.bytes[i] === byte);
  const isWhole = start.length >= FILE_HEADER_BYTES;
  header.bytes.set(MAGIC);
  const hasRest = isWhole && header.words[FILE_HEADER.checksum >> 2] === headerChecksum(header);
  if (!hasMagic || !hasRest) {
    // A crash of the machine may leave zeros where the first write went.
    const isZeros = start.every((byte) => byte === 0);
    return { kind: hasMagic || hasRest || isZeros ? "damaged" : "foreign" };
  }
  const version = header.words[FILE_HEADER.version >> 2] >>> 0;
  if (version !== FORMAT_VERSION) return { kind: "unsupported", what: `format version ${version}` };
  if (header.words[FILE_HEADER.encryption >> 2] !== 0) {
    return { kind: "unsupported", what: "encryption at rest" };
  }
  if (
    header.bytes.subarray(FILE_HEADER.reserved, FILE_HEADER.checksum).some((byte) => byte !== 0)
  ) {
    return { kind: "unsupported", what: "fields that this version does not know" };
  }
  const fileId = header.bytes.slice(FILE_HEADER.fileId, FILE_HEADER.fileId + FILE_ID_BYTES);
  return { kind: "valid", fileId };
}

function headerChecksum(header: WordBytes): number {
  return finishCrc32c(updateCrc32c(CRC32C_START, header, 0, FILE_HEADER.checksum));
}

/** One record's head; the object that {@linkcode RecordCodec.readHead} fills is used again. */
export interface RecordHead {
  kind: number;
  keyBytes: number;
  valueBytes: number;
  expiresAtS: number;
  /** The whole record, filling included. */
  recordBytes: number;
}

/** Writes and proves the records of one file. */
export class RecordCodec {
  /** What the last successful {@linkcode readHead} found. */
  readonly head: RecordHead = {
    kind: 0,
    keyBytes: 0,
    valueBytes: 0,
    expiresAtS: 0,
    recordBytes: 0,
  };
  /** CRC state after the file id; every checksum starts from it. */
  readonly #idState: number;
  /** CRC state after the last head that was read or written; the body checksum carries it on. */
  #headState = 0;

  constructor(fileId: Uint8Array) {
    assert(fileId.length === FILE_ID_BYTES, "a file id has 16 bytes");
    const id = new RecordBuffer(FILE_ID_BYTES);
    id.bytes.set(fileId);
    this.#idState = updateCrc32c(CRC32C_START, id, 0, FILE_ID_BYTES);
  }

  /**
   * Writes a put record for the place `fileOffset` at `at` in `buffer`, which must have room; both are
   * multiples of 8. Lengths were checked by the caller.
   */
  encodePut(
    buffer: RecordBuffer,
    at: number,
    record: { fileOffset: number; key: string; value: Uint8Array; expiresAtS: number },
  ): void {
    const { key, value, expiresAtS } = record;
    this.#writeHead(buffer, at, expiresAtS, value.length, key.length | KIND_PUT);
    this.#writeKey(buffer, at, key);
    buffer.bytes.set(value, at + RECORD_HEAD_BYTES + key.length);
    this.#seal(buffer, at, record.fileOffset, key.length);
  }

  /**
   * Writes a put record with the key and the value that stand in `body`, one behind the other; as
   * {@linkcode encodePut}.
   */
  encodeCopy(
    buffer: RecordBuffer,
    at: number,
    record: { fileOffset: number; keyBytes: number; body: Uint8Array; expiresAtS: number },
  ): void {
    const { keyBytes, body } = record;
    this.#writeHead(buffer, at, record.expiresAtS, body.length - keyBytes, keyBytes | KIND_PUT);
    buffer.bytes.set(body, at + RECORD_HEAD_BYTES);
    this.#seal(buffer, at, record.fileOffset, keyBytes);
  }

  /** Writes a delete record; as {@linkcode encodePut}. */
  encodeDelete(
    buffer: RecordBuffer,
    at: number,
    record: { fileOffset: number; key: string },
  ): void {
    const { key } = record;
    this.#writeHead(buffer, at, 0, 0, key.length | KIND_DELETE);
    this.#writeKey(buffer, at, key);
    this.#seal(buffer, at, record.fileOffset, key.length);
  }

  #writeHead(
    { words }: RecordBuffer,
    at: number,
    expiresAtS: number,
    valueBytes: number,
    keyBytesAndKind: number,
  ): void {
    const w = at >> 2;
    words[w + WORD_EXPIRES_LOW] = expiresAtS >>> 0;
    words[w + WORD_EXPIRES_HIGH] = (expiresAtS / TWO_TO_32) >>> 0;
    words[w + WORD_VALUE_BYTES] = valueBytes;
    words[w + WORD_KEY_BYTES_AND_KIND] = keyBytesAndKind;
  }

  #writeKey({ bytes }: RecordBuffer, at: number, key: string): void {
    const keyAt = at + RECORD_HEAD_BYTES;
    let bits = 0;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      bits |= code;
      bytes[keyAt + i] = code;
    }
    assert(bits <= 255, "keys are latin1 strings");
  }

  /** Filling and checksums of a record whose fields, key and value are written. */
  #seal(buffer: RecordBuffer, at: number, fileOffset: number, keyBytes: number): void {
    const { bytes, words } = buffer;
    const w = at >> 2;
    const keyAt = at + RECORD_HEAD_BYTES;
    const end = keyAt + keyBytes + words[w + WORD_VALUE_BYTES];
    for (let i = end; i % RECORD_ALIGNMENT !== 0; i++) bytes[i] = 0;
    this.#takeHead(words, w, fileOffset);
    words[w + WORD_HEAD_CHECKSUM] = finishCrc32c(this.#headState);
    words[w + WORD_BODY_CHECKSUM] = finishCrc32c(
      updateCrc32c(this.#headState, buffer, keyAt, end),
    );
  }

  /**
   * Reads the head of a record at `at`, whose 24 bytes must be in `buffer`, into {@linkcode head}.
   *
   * False unless conditions (1) to (3) hold; whether the record lies within the file is the caller's
   * to see.
   */
  readHead(buffer: RecordBuffer, at: number, fileOffset: number): boolean {
    const { words } = buffer;
    const w = at >> 2;
    const last = words[w + WORD_KEY_BYTES_AND_KIND];
    // Kind and reserved byte together: anything but 1 and 2 fails before a checksum is made.
    const kind = last >>> 16;
    const keyBytes = last & 0xffff;
    const valueBytes = words[w + WORD_VALUE_BYTES] >>> 0;
    const expiresHigh = words[w + WORD_EXPIRES_HIGH] >>> 0;
    if (kind !== KIND.put && (kind !== KIND.delete || valueBytes !== 0)) return false;
    if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX || valueBytes > VALUE_BYTES_MAX) return false;
    if (expiresHigh > EXPIRES_HIGH_MAX) return false;
    this.#takeHead(words, w, fileOffset);
    if (words[w + WORD_HEAD_CHECKSUM] !== finishCrc32c(this.#headState)) return false;
    const head = this.head;
    head.kind = kind;
    head.keyBytes = keyBytes;
    head.valueBytes = valueBytes;
    head.expiresAtS = expiresHigh * TWO_TO_32 + (words[w + WORD_EXPIRES_LOW] >>> 0);
    head.recordBytes = recordBytes(keyBytes, valueBytes);
    return true;
  }

  /** Condition (5), for the record whose head was read last; its bytes must all be in `buffer`. */
  isBodyIntact(buffer: RecordBuffer, at: number): boolean {
    const start = at + RECORD_HEAD_BYTES;
    const end = start + this.head.keyBytes + this.head.valueBytes;
    const checksum = buffer.words[(at >> 2) + WORD_BODY_CHECKSUM];
    return checksum === finishCrc32c(updateCrc32c(this.#headState, buffer, start, end));
  }

  #takeHead(words: Int32Array, w: number, fileOffset: number): void {
    const offsetHigh = (fileOffset / TWO_TO_32) >>> 0;
    let state = updateCrc32cPair(this.#idState, fileOffset >>> 0, offsetHigh);
    state = updateCrc32cPair(state, words[w + WORD_EXPIRES_LOW], words[w + WORD_EXPIRES_HIGH]);
    this.#headState = updateCrc32cPair(
      state,
      words[w + WORD_VALUE_BYTES],
      words[w + WORD_KEY_BYTES_AND_KIND],
    );
  }
}

/** The key of a record at `at` as a latin1 string with memory of its own. */
export function readKey(buffer: RecordBuffer, at: number, keyBytes: number): string {
  return toLatin1(buffer.bytes, at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + keyBytes);
}

/** True if the record at `at` has this key. */
export function hasKey(buffer: RecordBuffer, at: number, key: string): boolean {
  const { bytes } = buffer;
  const start = at + RECORD_HEAD_BYTES;
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** The value of a record at `at`: a view, valid as long as nothing else is put into `buffer`. */
export function readValue(
  buffer: RecordBuffer,
  at: number,
  lengths: { keyBytes: number; valueBytes: number },
): Bytes {
  const start = at + RECORD_HEAD_BYTES + lengths.keyBytes;
  return buffer.bytes.subarray(start, start + lengths.valueBytes);
}
