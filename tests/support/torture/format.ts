/**
 * The format of a cache file as its description says (the header of lib/store/record.ts), for tests: a
 * parser and a writer that share no code with the store and are slow and plain.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, latin1, toLatin1 } from "../../../lib/base/bytes.ts";

/** What a record says. */
export interface RawRecord {
  kind: "put" | "delete";
  /** Latin1: a character a byte. */
  key: string;
  value: Bytes;
  expiresAtS: number;
}

/** A record where it stands. */
export interface PlacedRecord extends RawRecord {
  start: number;
  end: number;
  /** Where the filling up to a multiple of 8 begins. */
  textEnd: number;
}

const HEADER_BYTES = 64;
const HEAD_BYTES = 24;
const KINDS = { put: 1, delete: 2 } as const;

/** CRC-32C (RFC 3720, appendix B.4), a bit at a time. */
export function crc32c(...parts: Uint8Array[]): number {
  let state = 0xffff_ffff;
  for (const part of parts) {
    for (const byte of part) {
      state ^= byte;
      for (let bit = 0; bit < 8; bit++) {
        state = state & 1 ? (state >>> 1) ^ 0x82f6_3b78 : state >>> 1;
      }
    }
  }
  return ~state >>> 0;
}

function placeBytes(offset: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(offset), true);
  return bytes;
}

/** All records of a whole and intact file; throws where a condition of validity fails. */
export function parseFile(file: Bytes): { fileId: Bytes; records: PlacedRecord[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  assertEquals(toLatin1(file, 0, 8), "\x93postern");
  assertEquals(view.getUint32(8, true), 1, "version");
  assertEquals(view.getUint32(12, true), 0, "encryption at rest");
  const fileId = file.slice(16, 32);
  assertEquals(file.slice(32, 60), new Uint8Array(28), "reserved");
  assertEquals(view.getUint32(60, true), crc32c(file.subarray(0, 60)), "header checksum");
  const records: PlacedRecord[] = [];
  for (let start = HEADER_BYTES; start < file.length; start = records.at(-1)!.end) {
    const fields = file.subarray(start + 8, start + HEAD_BYTES);
    const valueBytes = view.getUint32(start + 16, true);
    const keyBytes = view.getUint16(start + 20, true);
    const valueAt = start + HEAD_BYTES + keyBytes;
    const textEnd = valueAt + valueBytes;
    const text = file.subarray(start + HEAD_BYTES, textEnd);
    const proved = [fileId, placeBytes(start), fields];
    assertEquals(view.getUint32(start, true), crc32c(...proved), `head at ${start}`);
    assertEquals(view.getUint32(start + 4, true), crc32c(...proved, text), `body at ${start}`);
    assertEquals(file[start + 23], 0, "reserved byte");
    const end = Math.ceil(textEnd / 8) * 8;
    assertEquals(file.slice(textEnd, end), new Uint8Array(end - textEnd), "filling");
    const kind = file[start + 22];
    assert(kind === KINDS.put || kind === KINDS.delete, `kind ${kind}`);
    const expiresAtS = Number(view.getBigUint64(start + 8, true));
    const value = file.slice(valueAt, textEnd);
    const key = toLatin1(file, start + HEAD_BYTES, valueAt);
    records.push({
      ...{ kind: kind === KINDS.put ? "put" : "delete", key, value, expiresAtS },
      ...{ start, end, textEnd },
    });
  }
  return { fileId, records };
}

/** A header; `change` may spoil it before its checksum is made. */
export function makeHeader(fileId: Bytes, change: (header: DataView) => void = () => {}): Bytes {
  const header = concat(latin1("\x93postern\x01\0\0\0\0\0\0\0"), fileId, new Uint8Array(32));
  const view = new DataView(header.buffer);
  change(view);
  view.setUint32(60, crc32c(header.subarray(0, 60)), true);
  return header;
}

/** What may be wrong with a record whose checksums are right. */
export interface RecordFields {
  kind?: number;
  reserved?: number;
  keyBytes?: number;
  valueBytes?: number;
  expiresAt?: bigint;
}

/** A record for the place `offset`; `fields` replaces what its head would say. */
export function makeRecord(
  fileId: Bytes,
  offset: number,
  record: RawRecord,
  fields: RecordFields = {},
): Bytes {
  const text = concat(latin1(record.key), record.value);
  const head = new Uint8Array(HEAD_BYTES - 8);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, fields.expiresAt ?? BigInt(record.expiresAtS), true);
  view.setUint32(8, fields.valueBytes ?? record.value.length, true);
  view.setUint16(12, fields.keyBytes ?? record.key.length, true);
  view.setUint8(14, fields.kind ?? KINDS[record.kind]);
  view.setUint8(15, fields.reserved ?? 0);
  const proved = [fileId, placeBytes(offset), head];
  const checks = new Uint8Array(8);
  new DataView(checks.buffer).setUint32(0, crc32c(...proved), true);
  new DataView(checks.buffer).setUint32(4, crc32c(...proved, text), true);
  const length = HEAD_BYTES + text.length;
  return concat(checks, head, text, new Uint8Array(Math.ceil(length / 8) * 8 - length));
}

/** The entries that records make, one after the other. */
export function replay(records: Iterable<RawRecord>): Map<string, RawRecord> {
  const entries = new Map<string, RawRecord>();
  for (const record of records) {
    if (record.kind === "put") entries.set(record.key, record);
    else entries.delete(record.key);
  }
  return entries;
}
