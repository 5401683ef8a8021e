/**
 * Golden bytes: reads the files under golden/ that hold what real Postfix programs sent.
 *
 * A `.hex` file is a dump as xxd(1) makes it, a `.list` file is an attribute list written out as
 * lines of `name = value`. Both say in a comment where they come from, and in a last line how many
 * bytes they must give.
 *
 * @module
 */

import { type Bytes, concat, fromHex, latin1 } from "../../lib/base/bytes.ts";

const FOLDER = new URL("./golden/", import.meta.url);
const NUL: Bytes = new Uint8Array(1);

/** The bytes of golden/NAME.hex. */
export function goldenHex(name: string): Bytes {
  const lines = readLines(`${name}.hex`);
  const parts: Bytes[] = [];
  let size = 0;
  for (const line of lines.rows) {
    const dump = line.match(/^([0-9a-f]{4,8}) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/);
    if (dump === null || Number.parseInt(dump[1], 16) !== size) {
      throw new Error(`Cannot read golden dump "${name}": ${JSON.stringify(line)}`);
    }
    parts.push(fromHex(dump[2]));
    size += parts[parts.length - 1].length;
  }
  return checked(name, concat(...parts), lines.size);
}

/** The attribute list of golden/NAME.list. */
export function goldenList(name: string): Bytes {
  const lines = readLines(`${name}.list`);
  const parts: Bytes[] = [];
  for (const line of lines.rows) {
    if (line === "(terminator)") {
      parts.push(NUL);
      continue;
    }
    const equals = line.indexOf(" = ");
    const value = line.slice(equals + 3);
    parts.push(latin1(line.slice(0, equals)), NUL);
    parts.push(latin1(value === "(empty)" ? "" : value), NUL);
  }
  return checked(name, concat(...parts), lines.size);
}

function readLines(file: string): { rows: string[]; size: number | undefined } {
  const lines = Deno.readTextFileSync(new URL(file, FOLDER)).split("\n");
  const rows = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const size = rows[rows.length - 1].match(/^\((\d+) bytes\)$/);
  if (size !== null) rows.pop();
  return { rows, size: size === null ? undefined : Number(size[1]) };
}

function checked(name: string, bytes: Bytes, size: number | undefined): Bytes {
  if (size !== undefined && size !== bytes.length) {
    throw new Error(`Golden file "${name}" gives ${bytes.length} bytes instead of ${size}`);
  }
  return bytes;
}
