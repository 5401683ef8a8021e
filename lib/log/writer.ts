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
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { isWritable, writeFile } from "../ffi/libc/file.ts";
import { connect, send } from "../ffi/libc/socket.ts";
import { cutToBytes } from "./cut.ts";

/** Longest line of text in bytes, its newline included; the rest is cut off. Postfix's limit is 2000. */
export const TEXT_BYTES_MAX = 2048;
/** Longest wait for a place in the queue of a datagram socket's reader. */
const QUEUE_WAIT_MS = 50;
const NEWLINE = 0x0a;
/** No line is longer; see {@linkcode LineWriter}. */
const BYTES_MAX = 8192;

/** Room for one line: an array for each would cost several times as much as writing it. */
const encoded = new Uint8Array(BYTES_MAX);
const encoder = new TextEncoder();

/** Writes lines to a descriptor that it does not own. */
export class LineWriter {
  readonly #fd: number;
  readonly #address: Bytes | undefined;
  readonly #bytesMax: number;
  #lost = 0;

  /**
   * @param address of the datagram socket that `fd` is connected to; each line is a datagram then
   * @param bytesMax longest line, its newline included; 8192 at most
   */
  constructor(fd: number, address?: Bytes, bytesMax = TEXT_BYTES_MAX) {
    assert(bytesMax <= BYTES_MAX, "the longest line fits into its room");
    this.#fd = fd;
    this.#address = address;
    this.#bytesMax = bytesMax;
  }

  /** Lines that could not be written since the last one that could. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * Writes `line`, which has no newline; answers whether it is written.
   *
   * @param wordLoss the line that says that lines were lost
   */
  write(line: string, wordLoss: (count: number) => string): boolean {
    if (this.#lost > 0) {
      if (!this.#writeLine(wordLoss(this.#lost))) {
        this.#lost++;
        return false;
      }
      this.#lost = 0;
    }
    const written = this.#writeLine(line);
    if (!written) this.#lost++;
    return written;
  }

  #writeLine(line: string): boolean {
    if (this.#address !== undefined) return this.#sendLine(line, this.#address);
    if (!isWritable(this.#fd)) return false;
    const length = this.#encode(line);
    let written = writeFile(this.#fd, encoded, length);
    if (written === -ERRNO.EINTR) written = writeFile(this.#fd, encoded, length);
    return written === length;
  }

  /** Puts the line, cut where it is too long, and its newline into the shared room; bytes there. */
  #encode(line: string): number {
    let length = encodeAscii(line);
    if (length < 0) {
      const { read, written } = encoder.encodeInto(line, encoded);
      length = read < line.length ? BYTES_MAX : written;
    }
    if (length >= this.#bytesMax) {
      const bytes = cutToBytes(line, this.#bytesMax - 1);
      encoded.set(bytes);
      length = bytes.length;
    }
    encoded[length] = NEWLINE;
    return length + 1;
  }

  /** A reader that was started again has another socket under the old name. */
  #sendLine(line: string, address: Bytes): boolean {
    const bytes = cutToBytes(line, this.#bytesMax);
    const { length } = bytes;
    let sent = send(this.#fd, bytes, length);
    // The queue holds ten lines or so, and its reader is quick; after a loss nobody waits for it again.
    if (sent === -ERRNO.EAGAIN && this.#lost === 0 && isWritable(this.#fd, QUEUE_WAIT_MS)) {
      sent = send(this.#fd, bytes, length);
    }
    if (sent >= 0 || sent === -ERRNO.EAGAIN) return sent >= 0;
    return connect(this.#fd, address) >= 0 && send(this.#fd, bytes, length) >= 0;
  }
}

/** Puts `line` into the shared room if it is ASCII and fits: its bytes there, or -1. */
function encodeAscii(line: string): number {
  const { length } = line;
  if (length > BYTES_MAX) return -1;
  for (let i = 0; i < length; i++) {
    const code = line.charCodeAt(i);
    if (code > 0x7f) return -1;
    encoded[i] = code;
  }
  return length;
}
