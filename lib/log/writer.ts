/**
 * One descriptor that log lines go to.
 *
 * Each line is one write(2), so that lines of several threads and processes do not mix. A line that
 * cannot be written at once is counted and forgotten: logging never throws, never waits for a reader
 * that has stopped reading, and never ends the process (a closed stderr would do that with `console`).
 * The next line that gets through is preceded by one that says how many were lost.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { isWritable, writeFile } from "../ffi/libc/file.ts";

/** Longest line in bytes, its newline included; the rest is cut off. Postfix's limit is 2000. */
const LINE_BYTES_MAX = 2048;

/** Writes lines to a descriptor that it does not own. */
export class LineWriter {
  readonly #fd: number;
  #lost = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Lines that could not be written since the last one that could. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * Writes `line`, which has no newline.
   *
   * @param wordLoss the line that says that lines were lost
   */
  write(line: string, wordLoss: (count: number) => string): void {
    if (this.#lost > 0) {
      if (!this.#writeLine(wordLoss(this.#lost))) {
        this.#lost++;
        return;
      }
      this.#lost = 0;
    }
    if (!this.#writeLine(line)) this.#lost++;
  }

  #writeLine(line: string): boolean {
    if (!isWritable(this.#fd)) return false;
    let bytes = utf8(line + "\n");
    if (bytes.length > LINE_BYTES_MAX) {
      bytes = bytes.slice(0, LINE_BYTES_MAX);
      bytes[LINE_BYTES_MAX - 1] = 0x0a;
    }
    let written = writeFile(this.#fd, bytes, bytes.length);
    if (written === -ERRNO.EINTR) written = writeFile(this.#fd, bytes, bytes.length);
    return written === bytes.length;
  }
}
