/**
 * Whether an executable of ours is whole, and is the one that a list of checksums names.
 *
 * `deno compile` puts what was compiled in behind the ELF image: it begins and ends with a mark of eight
 * bytes, and the last sixteen bytes say how long it is (two words, then the length from the end of the
 * image to the end of the file, all little-endian). A file that was copied in part, was stripped, or is
 * another program, differs in one of them.
 *
 * @module
 */
import { latin1, toHex } from "../../base/bytes.ts";
import { FatalError } from "../../base/errors.ts";

const MARK = latin1("d3n0l4nd");
const TRAILER_BYTES = 16;
/** Offsets in the header of a 64-bit ELF file (elf(5)): e_shoff, e_shentsize, e_shnum. */
const SECTIONS_AT = 40;
const SECTION_BYTES_AT = 58;
const SECTION_COUNT_AT = 60;
const HEADER_BYTES = 64;

/** Throws {@linkcode FatalError} unless `bytes` are a whole executable of ours; `path` is for the message. */
export function demandWhole(bytes: Uint8Array, path: string): void {
  const fault = faultOf(bytes);
  if (fault === undefined) return;
  throw new FatalError(`Cannot install "${path}": ${fault}`, {
    hint:
      "Copy the file again, whole and not stripped, and compare its sha256 with the published one",
  });
}

function faultOf(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER_BYTES || view.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2) {
    return "it is no ELF file of 64 bits, so no executable of postern";
  }
  const sections = Number(view.getBigUint64(SECTIONS_AT, true));
  const imageEnd = sections +
    view.getUint16(SECTION_BYTES_AT, true) * view.getUint16(SECTION_COUNT_AT, true);
  if (bytes.length < imageEnd) {
    return `it is cut off: ${bytes.length} bytes of a program of ${imageEnd} and more`;
  }
  if (!isMarkAt(bytes, imageEnd)) {
    return "nothing is compiled into it: it is another program, was stripped, or was cut off there";
  }
  const length = Number(view.getBigUint64(bytes.length - 8, true));
  const isEnd = isMarkAt(bytes, bytes.length - TRAILER_BYTES - MARK.length);
  if (isEnd && length === bytes.length - imageEnd) return undefined;
  return `it is cut off, or something was added: its end is not where it should be, after ` +
    `${bytes.length} bytes`;
}

function isMarkAt(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && MARK.every((byte, i) => bytes[at + i] === byte);
}

/** SHA-256 in hexadecimal, as sha256sum(1) writes it. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).toLowerCase();
}

/**
 * Throws {@linkcode FatalError} unless `sums`, the text of a file as sha256sum(1) writes it, has `sha256`
 * for `name`, or for a file without a name.
 */
export function demandListed(
  sha256: string,
  { sums, name, sumsPath }: { sums: string; name: string; sumsPath: string },
): void {
  const lines = [...sums.matchAll(/^\\?([0-9a-f]{64})(?:[ \t]+\*?(\S.*))?[ \t]*$/gim)];
  const wanted = lines.filter(([, , file]) =>
    file === undefined || file.slice(file.lastIndexOf("/") + 1) === name
  );
  if (wanted.some(([, listed]) => listed.toLowerCase() === sha256)) return;
  const hint = "Fetch the executable and its checksums again, from the same place and release";
  if (wanted.length === 0) {
    throw new FatalError(`Cannot find ${name} in "${sumsPath}"`, { hint });
  }
  throw new FatalError(
    `Cannot install ${name}: its sha256 is ${sha256}, and "${sumsPath}" says ${wanted[0][1]}`,
    { hint },
  );
}
