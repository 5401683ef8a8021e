/**
 * Files that are read for what others put into them: devices, FIFOs, plain files.
 *
 * Opening never waits (a FIFO without a writer would make it), and neither does reading a device or a
 * FIFO. A plain file may be on a disk that takes its time: those who must not wait read it elsewhere.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { closeFile, FILE_KIND, fstat, OPEN, openFile, readFile } from "../ffi/libc/file.ts";

const FIFO_KIND = 0o010000;
const FLAGS = OPEN.readOnly | OPEN.nonBlocking | OPEN.closeOnExec | OPEN.noControllingTerminal;

/** An open file to read from; whoever opened it closes the descriptor. */
export interface ByteSource {
  readonly fd: number;
  /**
   * `regular`: may wait for a disk. `fifo`: reads of 0 bytes while nobody has it open for writing.
   * `device`: everything else.
   */
  readonly kind: "regular" | "fifo" | "device";
}

/** Opens `path` for reading, or `-errno`; a folder is refused. */
export function openByteSource(path: string): ByteSource | number {
  const fd = openFile(path, FLAGS);
  if (fd < 0) return fd;
  const status = fstat(fd);
  const kind = typeof status === "number" ? undefined : status.mode & FILE_KIND.mask;
  if (kind === undefined || kind === FILE_KIND.directory) {
    closeFile(fd);
    return kind === undefined ? status as number : -ERRNO.EISDIR;
  }
  if (kind === FILE_KIND.regular) return { fd, kind: "regular" };
  return { fd, kind: kind === FIFO_KIND ? "fifo" : "device" };
}

/**
 * read(2) into the front of `bytes`: how many bytes there were, 0 at an end, or `-errno`, of which
 * `AGAIN` says that there is nothing at the moment. Not for regular files in a loop that must not wait.
 */
export function readByteSource(fd: number, bytes: Bytes): number {
  return readFile(fd, bytes, bytes.length);
}
