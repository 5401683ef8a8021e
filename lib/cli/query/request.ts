/**
 * The request that the operands of `postern query` ask for.
 *
 * Only their number and form are checked here: which cache there is, or how long a key's name must be,
 * is for the server to say.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { concat, fromUtf8 } from "../../base/bytes.ts";
import { EXIT, FatalError, messageOf } from "../../base/errors.ts";
import { nearestName } from "../../config/near_miss.ts";
import { ASK_NAMES, type AskName } from "../../proto/tlsmgr.ts";
import { misuse } from "../options.ts";
import { argumentText, type Encoding } from "./encoding.ts";

/** Text for tlsmgr is latin1, a character a byte. */
export type Request =
  | { readonly name: "seed"; readonly size: number }
  | { readonly name: "policy"; readonly cacheType: string }
  | { readonly name: "lookup" | "delete"; readonly cacheType: string; readonly cacheId: string }
  | {
    readonly name: "update";
    readonly cacheType: string;
    readonly cacheId: string;
    readonly session: Bytes;
  }
  | { readonly name: "tktkey"; readonly keyName: Bytes | undefined };

/** The words that a request may be. */
export const REQUEST_WORDS: readonly AskName[] = ASK_NAMES;

const STANDARD_INPUT = "-";
/** More than any server stores. */
const INPUT_BYTES_MAX = 4 * 1024 * 1024;

interface Shape {
  /** For messages. */
  readonly arguments: string;
  readonly least: number;
  readonly most: number;
  make(words: readonly string[], encoding: Encoding): Request;
}

const SHAPES: Readonly<Record<AskName, Shape>> = {
  seed: {
    arguments: "N",
    least: 1,
    most: 1,
    make: ([size]) => ({ name: "seed", size: readSize(size) }),
  },
  policy: {
    arguments: "CACHE",
    least: 1,
    most: 1,
    make: ([cache]) => ({ name: "policy", cacheType: argumentText(cache) }),
  },
  lookup: { arguments: "CACHE ID", least: 2, most: 2, make: (words) => entry("lookup", words) },
  update: {
    arguments: "CACHE ID DATA",
    least: 3,
    most: 3,
    make: ([cache, id, data], encoding) => ({
      name: "update",
      cacheType: argumentText(cache),
      cacheId: argumentText(id),
      session: readBytes("DATA", data === STANDARD_INPUT ? readStandardInput() : data, encoding),
    }),
  },
  delete: { arguments: "CACHE ID", least: 2, most: 2, make: (words) => entry("delete", words) },
  tktkey: {
    arguments: "[NAME]",
    least: 0,
    most: 1,
    make: ([name], encoding) => ({
      name: "tktkey",
      keyName: name === undefined ? undefined : readBytes("NAME", name, encoding),
    }),
  },
};

/** The request that `words` ask for. Throws a `FatalError` (usage) when they ask for none. */
export function readRequest(words: readonly string[], encoding: Encoding): Request {
  const [word, ...rest] = words;
  if (word === undefined) {
    throw misuse("There is no request", `Write ${REQUEST_WORDS.join(", ")} behind the socket`);
  }
  const name = REQUEST_WORDS.find((known) => known === word);
  if (name === undefined) {
    const near = nearestName(word, REQUEST_WORDS);
    throw misuse(
      `Unknown request "${word}"`,
      near === undefined ? `Requests are ${REQUEST_WORDS.join(", ")}` : `Did you mean ${near}?`,
    );
  }
  const shape = SHAPES[name];
  if (rest.length < shape.least || rest.length > shape.most) {
    throw misuse(
      `"${name}" has ${rest.length} arguments`,
      `Write ${name} ${shape.arguments}`,
    );
  }
  return shape.make(rest, encoding);
}

function entry(name: "lookup" | "delete", [cache, id]: readonly string[]): Request {
  return { name, cacheType: argumentText(cache), cacheId: argumentText(id) };
}

/** Any number that the wire can carry, so that refusals can be tried out. */
function readSize(text: string): number {
  const size = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (size >= -(2 ** 31) && size < 2 ** 32) return size;
  throw misuse(`Cannot ask for "${text}" random bytes: it is no number`, "Write seed 32");
}

function readBytes(what: string, text: string, encoding: Encoding): Bytes {
  const bytes = encoding.read(text);
  if (bytes !== undefined) return bytes;
  throw misuse(
    `Cannot read ${what}: it is not ${encoding.name}`,
    `Write it in ${encoding.name}, or see --hex and --base64`,
  );
}

function readStandardInput(): string {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = new Uint8Array(65_536);
    const count = readSome(chunk);
    if (count === null) return fromUtf8(concat(...chunks));
    size += count;
    if (size > INPUT_BYTES_MAX) throw unreadable(`it is larger than ${INPUT_BYTES_MAX} bytes`);
    chunks.push(chunk.subarray(0, count));
  }
}

function readSome(into: Uint8Array): number | null {
  try {
    return Deno.stdin.readSync(into);
  } catch (error) {
    throw unreadable(messageOf(error));
  }
}

function unreadable(why: string): FatalError {
  return new FatalError(`Cannot read DATA from standard input: ${why}`, {
    hint: "Pipe the session into the command",
    exitCode: EXIT.noInput,
  });
}
