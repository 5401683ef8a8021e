/**
 * One descriptor that log lines go to.
 *
 * Each line is one write(2), so that lines of several threads and processes do not mix. A line that
 * cannot be written at once is counted and forgotten: logging never throws, never waits for a reader
 * that has stopped reading, and never ends the process (a closed stderr would do that with `console`).
 * (The queue of a datagram socket is short: a line waits a moment for a place in it, unless one was lost.)
 * The next line that gets through is preceded by one that says how many were lost.
 *
 * @module
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { isWritable, writeFile } from "../ffi/libc/file.ts";
import { connect, send } from "../ffi/libc/socket.ts";

/** Longest line in bytes, its newline included; the rest is cut off. Postfix's limit is 2000. */
const LINE_BYTES_MAX = 2048;
/** Longest wait for a place in the queue of a datagram socket's reader. */
const QUEUE_WAIT_MS = 50;

/** Writes lines to a descriptor that it does not own. */
export class LineWriter {
  readonly #fd: number;
  readonly #address: Bytes | undefined;
  #lost = 0;

  /** @param address of the datagram socket that `fd` is connected to; each line is a datagram then */
  constructor(fd: number, address?: Bytes) {
    this.#fd = fd;
    this.#address = address;
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
    if (this.#address !== undefined) return this.#sendLine(line, this.#address);
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

  /** A reader that was started again has another socket under the old name. */
  #sendLine(line: string, address: Bytes): boolean {
    const bytes = utf8(line);
    const length = Math.min(bytes.length, LINE_BYTES_MAX);
    let sent = send(this.#fd, bytes, length);
    // The queue holds ten lines or so, and its reader is quick; after a loss nobody waits for it again.
    if (sent === -ERRNO.EAGAIN && this.#lost === 0 && isWritable(this.#fd, QUEUE_WAIT_MS)) {
      sent = send(this.#fd, bytes, length);
    }
    if (sent >= 0 || sent === -ERRNO.EAGAIN) return sent >= 0;
    return connect(this.#fd, address) >= 0 && send(this.#fd, bytes, length) >= 0;
  }
}
