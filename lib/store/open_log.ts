/**
 * Bringing a cache file to where it can be served from: its header is judged, its records are found,
 * an unfinished end is cut off.
 *
 * A file that is not ours is never changed. One of ours with a damaged header is set aside under another
 * name, and an empty one takes its place: without the file id in the header no record can be proved.
 *
 * @module
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { FatalError } from "../base/errors.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import type { EntryIndex } from "./entry_index.ts";
import type { FileIo } from "./file_io.ts";
import { LogFile, readFully } from "./log_file.ts";
import { LogScan, type ScanFacts } from "./log_scan.ts";
import { openPrivateFile, type PrivateFile } from "./private_file.ts";
import { decodeFileHeader, FILE_HEADER_BYTES, RECORD_ALIGNMENT, RecordCodec } from "./record.ts";

/** How serious a report is. */
export type ReportLevel = "info" | "warning";

/** Told what an operator should know; each state of affairs once. */
export type Report = (level: ReportLevel, message: string) => void;

/** What {@linkcode openLog} needs. */
export interface OpenLogOptions {
  path: string;
  index: EntryIndex;
  report: Report;
  randomFileId: () => Bytes;
  /** Empties the file instead of reading it. */
  discard: boolean;
}

/** Opens the cache file, makes it if it is missing, and fills the index. */
export function openLog(io: FileIo, options: OpenLogOptions): LogFile {
  const { path } = options;
  let file = openPrivateFile(io, path);
  try {
    const fileId = readFileId(io, path, file);
    if (fileId === "damaged") {
      const old = file;
      file = setAside(io, options);
      io.close(old.fd);
      return LogFile.start(io, file.fd, options.randomFileId());
    }
    if (fileId !== "empty" && !options.discard) return scan(io, { file, fileId, options });
    const cut = fileId === "empty" ? 0 : io.ftruncate(file.fd, 0);
    if (cut < 0) throw new FatalError(`Cannot empty cache file "${path}": ${describeErrno(-cut)}`);
    return LogFile.start(io, file.fd, options.randomFileId());
  } catch (fault) {
    io.close(file.fd);
    throw fault;
  }
}

function readFileId(io: FileIo, path: string, file: PrivateFile): Bytes | "empty" | "damaged" {
  if (file.size === 0) return "empty";
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const length = readFully(io, file.fd, { bytes, length: bytes.length, offset: 0 });
  if (length < 0) {
    throw new FatalError(`Cannot read cache file "${path}": ${describeErrno(-length)}`);
  }
  const header = decodeFileHeader(bytes.subarray(0, length));
  switch (header.kind) {
    case "valid":
      return header.fileId;
    case "damaged":
      return "damaged";
    case "unsupported":
      throw new FatalError(
        `Cannot use cache file "${path}": it has ${header.what}, from a later version of postern`,
        { hint: "Run that version, or move the file away to begin an empty cache" },
      );
    case "foreign":
      throw new FatalError(`Cannot use cache file "${path}": it is no cache file of postern`, {
        hint: "Move it away, or choose another name for the cache",
      });
  }
}

function setAside(io: FileIo, { path, report, randomFileId }: OpenLogOptions): PrivateFile {
  const aside = `${path}.damaged-${toHex(randomFileId().subarray(0, 4))}`;
  const result = io.rename(path, aside);
  if (result < 0) {
    throw new FatalError(
      `Cannot set damaged cache file "${path}" aside as "${aside}": ${describeErrno(-result)}`,
      { hint: "Move it away by hand" },
    );
  }
  report(
    "warning",
    `Cache file "${path}": damaged header, set aside as "${aside}", starting empty`,
  );
  return openPrivateFile(io, path);
}

function scan(
  io: FileIo,
  { file, fileId, options }: { file: PrivateFile; fileId: Bytes; options: OpenLogOptions },
): LogFile {
  const { index } = options;
  const codec = new RecordCodec(fileId);
  const walk = new LogScan(io, { fd: file.fd, size: file.size, codec }, {
    put: (key, fields) => index.set(key, fields, true),
    delete: (key) => index.remove(key),
  });
  while (walk.step());
  const writtenBytes = cutEnd(io, { file, facts: walk.facts, options });
  return new LogFile(io, file.fd, { fileId, writtenBytes });
}

/** Cuts what follows the last intact record, and reports all damage. Where the next record goes. */
function cutEnd(
  io: FileIo,
  { file, facts, options }: { file: PrivateFile; facts: ScanFacts; options: OpenLogOptions },
): number {
  const { path, report } = options;
  const { intactEnd, unreadableBytes, damagedBytes, damagedPlaces } = facts;
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
  if (file.size === intactEnd) return intactEnd;
  // What could not be read may be intact: it stays, and records go behind it.
  const result = unreadableBytes > 0 ? -ERRNO.EIO : io.ftruncate(file.fd, intactEnd);
  if (result < 0) return Math.ceil(file.size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  report(
    "warning",
    `Cache file "${path}": cut ${file.size - intactEnd} unfinished bytes at its end`,
  );
  return intactEnd;
}
