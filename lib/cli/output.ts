/**
 * Standard output and standard error, written at once and whole.
 *
 * `console.log` throws into nowhere when a pipe has lost its reader; here, text that nobody reads is
 * dropped: `postern help | head -1` is no failure.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";

/** What can be written to; `Deno.stdout` and `Deno.stderr` are. */
export interface Sink {
  writeSync(bytes: Uint8Array): number;
}

/** Writes `text` to standard output. */
export function print(text: string): void {
  writeTo(Deno.stdout, text);
}

/** Writes `text` to standard error. */
export function printError(text: string): void {
  writeTo(Deno.stderr, text);
}

/** Writes all of `text` to `sink`; answers whether that was possible. */
export function writeTo(sink: Sink, text: string): boolean {
  const bytes = utf8(text);
  try {
    for (let at = 0; at < bytes.length;) at += sink.writeSync(bytes.subarray(at));
    return true;
  } catch {
    // The reader has gone or the disk is full, and there is no other place to say so.
    return false;
  }
}
