/**
 * Text that is too long, cut so that what is left is whole characters and says that it was cut.
 *
 * @module
 */
import { type Bytes, utf8 } from "../base/bytes.ts";

/**
 * UTF-8 bytes of `text`, at most `bytesMax` of them. What was cut is replaced by
 * ` [… 123 bytes cut]`, between whole characters; `bytesMax` must have room for that.
 */
export function cutToBytes(text: string, bytesMax: number): Bytes {
  const bytes = utf8(text);
  if (bytes.length <= bytesMax) return bytes;
  // The longest mark first: the number in it is never longer than that of all bytes.
  const room = bytesMax - utf8(markFor(bytes.length)).length;
  const end = wholeCharacters(bytes, room);
  const mark = utf8(markFor(bytes.length - end));
  const cut = new Uint8Array(end + mark.length);
  cut.set(bytes.subarray(0, end));
  cut.set(mark, end);
  return cut;
}

function markFor(count: number): string {
  return ` [… ${count} bytes cut]`;
}

/** The largest number of bytes, `end` at most, that does not end inside a character. */
function wholeCharacters(bytes: Uint8Array, end: number): number {
  let at = end;
  while (at > 0 && (bytes[at] & 0xc0) === 0x80) at--;
  return at;
}
