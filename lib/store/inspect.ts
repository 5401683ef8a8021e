/**
 * A look into a cache file without its lock: which entries it holds, and what is wrong with it.
 *
 * Reads and never writes. The owner may go on meanwhile: what stands in an append file stays, so the
 * bytes that were there when it was opened are one consistent state of it; a compaction puts another
 * file under the name and leaves this one whole. Only an owner that starts may cut the file's unfinished
 * end; a reader that meets this says so instead of taking it for damage.
 *
 * Values are proved by their checksums and passed over; none is handed out.
 *
 * Throws {@linkcode FatalError} for a file that is missing or unreadable, or that is no cache file.
 *
 * @module
 */
import { toLatin1 } from "../base/bytes.ts";
import { EXIT, FatalError } from "../base/errors.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { FILE_KIND, OPEN } from "../ffi/libc/file.ts";
import { type FileIo, libcFileIo } from "./file_io.ts";
import { readFully } from "./log_file.ts";
import { LogScan } from "./log_scan.ts";
import { decodeFileHeader, FILE_HEADER_BYTES, recordBytes, RecordCodec } from "./record.ts";

/** What stands in the file under one key. */
export interface InspectedEntry {
  /** A latin1 string: a character a byte, any byte. */
  readonly key: string;
  readonly valueBytes: number;
  /** Unix seconds; the last second in which the entry is there. */
  readonly expiresAtS: number;
}

/** Numbers about a file; all bytes add up to `fileBytes`, the header's included. */
export interface InspectionFacts {
  readonly fileBytes: number;
  /** Intact records: puts, older values included, and deletes. */
  readonly records: number;
  /** Keys that have a value, expired ones included. */
  readonly entries: number;
  /** Bytes of these entries' records. */
  readonly liveBytes: number;
  /** Bytes that no entry needs: older values, deletes, damage, an unfinished end. */
  readonly deadBytes: number;
  /** Bytes between intact records that are none, and the number of such places. */
  readonly damagedBytes: number;
  readonly damagedPlaces: number;
  /** Bytes behind the last intact record. */
  readonly unfinishedBytes: number;
  /** Bytes that the disk would not give. */
  readonly unreadableBytes: number;
}

/** A descriptor for reading `path`, or `-errno`. Does not wait for the other end of a FIFO. */
function openForReading(io: FileIo, path: string): number {
  const flags = OPEN.readOnly | OPEN.noFollow | OPEN.closeOnExec | OPEN.nonBlocking |
    OPEN.noControllingTerminal;
  return io.open(path, flags, 0);
}

const HINT = "Give the path of a cache file, or the value of the parameter that names it";

function refuse(path: string, what: string, hint = HINT): FatalError {
  const message = `Cannot read cache file "${path}": ${what}`;
  return new FatalError(message, { hint, exitCode: EXIT.noInput });
}

function refuseErrno(path: string, errno: number): FatalError {
  if (errno === ERRNO.ELOOP) {
    return refuse(path, "it is a symbolic link", "Give the path of the file itself");
  }
  const hint = errno === ERRNO.EACCES
    ? "It is closed to all but its owner: run this as that user, or as root"
    : undefined;
  return refuse(path, describeErrno(errno), hint);
}

/** A walk through a cache file. */
export class Inspection {
  readonly path: string;
  /** Length of the file when it was opened; what was appended later is not looked at. */
  readonly fileBytes: number;
  /** User id of the file's owner. */
  readonly uid: number;
  readonly #io: FileIo;
  readonly #fd: number;
  readonly #scan: LogScan | undefined;
  readonly #entries = new Map<string, InspectedEntry>();

  private constructor(
    io: FileIo,
    file: { path: string; fd: number; size: number; uid: number },
    codec: RecordCodec | undefined,
  ) {
    this.path = file.path;
    this.fileBytes = file.size;
    this.uid = file.uid;
    this.#io = io;
    this.#fd = file.fd;
    if (codec === undefined) return;
    this.#scan = new LogScan(io, { fd: file.fd, size: file.size, codec }, {
      put: (scanned, { valueBytes, expiresAtS }) => {
        const key = scanned.text();
        // Removed first, so that the order is that of the last records.
        this.#entries.delete(key);
        this.#entries.set(key, { key, valueBytes, expiresAtS });
      },
      delete: (scanned) => this.#entries.delete(scanned.text()),
    });
  }

  /** Opens `path` and judges its header. */
  static open(path: string, io: FileIo = libcFileIo): Inspection {
    const fd = openForReading(io, path);
    if (fd < 0) throw refuseErrno(path, -fd);
    try {
      const status = io.fstat(fd);
      if (typeof status === "number") throw refuseErrno(path, -status);
      if ((status.mode & FILE_KIND.mask) !== FILE_KIND.regular) {
        throw refuse(path, "it is not a regular file");
      }
      const { size, uid } = status;
      return new Inspection(io, { path, fd, size, uid }, readCodec(io, { path, fd, size }));
    } catch (fault) {
      io.close(fd);
      throw fault;
    }
  }

  /** How much has been looked at, bytes; for those who wait. */
  get doneBytes(): number {
    return this.#scan?.facts.intactEnd ?? this.fileBytes;
  }

  /** Walks through about a megabyte more. False when the end is reached. */
  step(): boolean {
    if (this.#scan?.step() === true) return true;
    const status = this.#io.fstat(this.#fd);
    if (typeof status === "number" || status.size >= this.fileBytes) return false;
    throw new FatalError(
      `Cannot read cache file "${this.path}": it was made shorter meanwhile, by a role that starts`,
      { hint: "Run the command again", exitCode: EXIT.unavailable },
    );
  }

  /** What was found; whole after the last {@linkcode step}. */
  facts(): InspectionFacts {
    const { fileBytes } = this;
    const facts = this.#scan?.facts;
    let liveBytes = 0;
    for (const { key, valueBytes } of this.#entries.values()) {
      liveBytes += recordBytes(key.length, valueBytes);
    }
    const headerBytes = Math.min(fileBytes, FILE_HEADER_BYTES);
    return {
      fileBytes,
      records: facts?.records ?? 0,
      entries: this.#entries.size,
      liveBytes,
      deadBytes: fileBytes - headerBytes - liveBytes,
      damagedBytes: facts?.damagedBytes ?? 0,
      damagedPlaces: facts?.damagedPlaces ?? 0,
      unfinishedBytes: facts === undefined ? 0 : fileBytes - facts.intactEnd,
      unreadableBytes: facts?.unreadableBytes ?? 0,
    };
  }

  /** The entries in the order of their records, oldest first; expired ones are among them. */
  entries(): Iterable<InspectedEntry> {
    return this.#entries.values();
  }

  /** Gives the descriptor back. */
  close(): void {
    this.#io.close(this.#fd);
  }
}

/** What proves records of the file; undefined for an empty file. */
function readCodec(
  io: FileIo,
  { path, fd, size }: { path: string; fd: number; size: number },
): RecordCodec | undefined {
  if (size === 0) return undefined;
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const length = readFully(io, fd, { bytes, length: bytes.length, offset: 0 });
  if (length < 0) throw refuseErrno(path, -length);
  const header = decodeFileHeader(bytes.subarray(0, length));
  switch (header.kind) {
    case "valid":
      return new RecordCodec(header.fileId);
    case "damaged":
      throw new FatalError(
        `Cannot use cache file "${path}": its header is damaged, so no record can be proved`,
        { hint: "The role that opens it sets it aside and begins an empty one" },
      );
    case "unsupported":
      throw new FatalError(
        `Cannot use cache file "${path}": it has ${header.what}, from a later version of postern`,
        { hint: "Use that version" },
      );
    case "foreign":
      throw new FatalError(`Cannot use cache file "${path}": it is no cache file of postern`, {
        hint: HINT,
      });
  }
}

/** Ends of `/proc/locks` that are looked for at once; a busy machine has some hundred lines. */
const LOCKS_BYTES_MAX = 1 << 20;

/**
 * The process that uses the cache file `path`, or undefined if none is seen.
 *
 * Takes no lock to find out, because that would keep an owner that starts in this moment away: asks the
 * kernel's table, /proc/locks (proc_locks(5)), for a lock on `NAME.lock`. It shows only processes of
 * this process id namespace; an owner in another container is not seen.
 */
export function findOwner(path: string, io: FileIo = libcFileIo): number | undefined {
  const fd = openForReading(io, `${path}.lock`);
  if (fd < 0) return undefined;
  const status = io.fstat(fd);
  const note = readText(io, fd, 32);
  io.close(fd);
  if (typeof status === "number") return undefined;
  const table = openForReading(io, "/proc/locks");
  if (table < 0) return undefined;
  const lines = readText(io, table, LOCKS_BYTES_MAX).split("\n");
  io.close(table);
  const noted = Number.parseInt(note);
  const device = deviceText(status.dev);
  for (const line of lines) {
    // `3: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`; the numbers of the device are hexadecimal.
    const found = /: FLOCK +\S+ +WRITE +(\d+) +([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line);
    if (found === null || found[3] !== String(status.ino)) continue;
    // Some file systems (btrfs, overlays) show another device here; then the note decides.
    if (found[2] === device || Number(found[1]) === noted) return Number(found[1]);
  }
  return undefined;
}

/** A device number as /proc/locks shows it: major and minor, each of two digits at least. */
function deviceText(dev: bigint): string {
  // makedev(3): major in bits 8 to 19 and from 44, minor in bits 0 to 7 and 20 to 43.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return [major, minor].map((part) => part.toString(16).padStart(2, "0")).join(":");
}

function readText(io: FileIo, fd: number, lengthMax: number): string {
  const bytes = new Uint8Array(lengthMax);
  const length = readFully(io, fd, { bytes, length: lengthMax, offset: 0 });
  return length <= 0 ? "" : toLatin1(bytes, 0, length);
}
