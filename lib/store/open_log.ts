/**
 * Bringing a cache file to where it can be appended to: its header is judged.
 *
 * A file that is not ours is never changed. One of ours with a damaged header is set aside under another
 * name, and an empty one takes its place: without the file id in the header no record can be proved.
 *
 * @module
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { FatalError } from "../base/errors.ts";
import { describeErrno } from "../ffi/errno.ts";
import type { FileIo } from "./file_io.ts";
import type { UnreadLog } from "./loading.ts";
import { LogFile, readFully } from "./log_file.ts";
import { openPrivateFile, type PrivateFile, type PrivatePlace } from "./private_file.ts";
import { decodeFileHeader, FILE_HEADER_BYTES, RECORD_ALIGNMENT, RecordCodec } from "./record.ts";

/** How serious a report is. */
export type ReportLevel = "info" | "warning";

/** Told what an operator should know; each state of affairs once. */
export type Report = (level: ReportLevel, message: string) => void;

/** What {@linkcode openLog} needs. */
export interface OpenLogOptions {
  report: Report;
  randomFileId: () => Bytes;
  /** Empties the file instead of reading it. */
  discard: boolean;
}

/** An open cache file. */
export interface OpenedLog {
  readonly log: LogFile;
  /** Set unless it is empty: records go behind what has to be read first. */
  readonly unread: UnreadLog | undefined;
}

/** Opens the cache file, and makes it if it is missing. */
export function openLog(place: PrivatePlace, options: OpenLogOptions): OpenedLog {
  const { io, path } = place;
  let file = openPrivateFile(place);
  try {
    const fileId = readFileId(io, path, file);
    if (fileId === "damaged" && !options.discard) {
      const old = file;
      file = setAside(place, options);
      io.close(old.fd);
      return { log: LogFile.start(io, file.fd, options.randomFileId()), unread: undefined };
    }
    if (typeof fileId !== "string" && !options.discard) return openFilled(io, file, fileId);
    const cut = fileId === "empty" ? 0 : io.ftruncate(file.fd, 0);
    if (cut < 0) throw new FatalError(`Cannot empty cache file "${path}": ${describeErrno(-cut)}`);
    return { log: LogFile.start(io, file.fd, options.randomFileId()), unread: undefined };
  } catch (fault) {
    io.close(file.fd);
    throw fault;
  }
}

function openFilled(io: FileIo, { fd, size }: PrivateFile, fileId: Bytes): OpenedLog {
  const writtenBytes = Math.ceil(size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  const log = new LogFile(io, fd, { fileId, writtenBytes });
  return { log, unread: { log, size, codec: new RecordCodec(fileId) } };
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

function setAside(place: PrivatePlace, { report, randomFileId }: OpenLogOptions): PrivateFile {
  const { io, path, name } = place;
  const suffix = `.damaged-${toHex(randomFileId().subarray(0, 4))}`;
  const result = io.rename(name, name + suffix);
  if (result < 0) {
    throw new FatalError(
      `Cannot set damaged cache file "${path}" aside as "${path}${suffix}": ` +
        describeErrno(-result),
      { hint: "Move it away by hand" },
    );
  }
  report(
    "warning",
    `Cache file "${path}": damaged header, set aside as "${path}${suffix}", starting empty`,
  );
  return openPrivateFile(place);
}
