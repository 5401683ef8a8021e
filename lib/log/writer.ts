/**
 * One descriptor that log lines go to.
 *
 * Each line is one write(2), so that lines of several threads and processes do not mix. A line that
 * cannot be written is counted and forgotten: logging never throws, never waits for a reader that has
 * gone, and never ends the process (a closed stderr would do that with `console`).
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { writeFile } from "../ffi/libc/file.ts";

/** Longest line in bytes, its newline included; the rest is cut off. Postfix's limit is 2000. */
const LINE_BYTES_MAX = 2048;

/** Writes lines to a descriptor that it does not own. */
export class LineWriter {
  readonly #fd: number;
  #dropped = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Lines that could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes `line`, which has no newline. */
  write(line: string): void {
    let bytes = utf8(line + "\n");
    if (bytes.length > LINE_BYTES_MAX) {
      bytes = bytes.slice(0, LINE_BYTES_MAX);
      bytes[LINE_BYTES_MAX - 1] = 0x0a;
    }
    const written = writeFile(this.#fd, bytes, bytes.length);
    if (written === -ERRNO.EINTR && writeFile(this.#fd, bytes, bytes.length) >= 0) return;
    if (written < bytes.length) this.#dropped++;
  }
}
