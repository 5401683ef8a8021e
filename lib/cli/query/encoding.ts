/**
 * Bytes as text on the command line.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "../../attr/base64.ts";
import { type Bytes, fromHex, toHex, toLatin1, utf8 } from "../../base/bytes.ts";

/** One way to write bytes. */
export interface Encoding {
  /** For messages. */
  readonly name: string;
  write(bytes: Uint8Array): string;
  /** The bytes of `text`, white space left aside; `undefined` when it is not written so. */
  read(text: string): Bytes | undefined;
}

/** As on the wire. */
export const BASE64: Encoding = {
  name: "base64",
  write: (bytes) => toLatin1(encodeBase64(bytes)),
  read: (text) => decodeBase64(utf8(text.replace(/\s+/g, ""))),
};

/** Two digits a byte; upper case, as Postfix prints session ids. */
export const HEX: Encoding = {
  name: "hexadecimal",
  write: toHex,
  read: (text) => /^(?:\s*[0-9a-fA-F]\s*[0-9a-fA-F])*\s*$/.test(text) ? fromHex(text) : undefined,
};

/** An argument as a latin1 string of its UTF-8 bytes, which is how attributes hold text. */
export function argumentText(argument: string): string {
  return toLatin1(utf8(argument));
}
