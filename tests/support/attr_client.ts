/**
 * A plain client of Postfix's attribute protocol, written from its description alone.
 *
 * It shares no code with `lib/`, so that a mistake there is not repeated here. It keeps the raw bytes
 * of every list that it reads, because order and exact spelling are part of the protocol.
 *
 * @module
 */

import { inTime } from "./wait.ts";

/** An attribute: its name and its value as a string with one character a byte. */
export type Attribute = readonly [name: string, value: string];

/** A list as it was read. */
export interface AttributeList {
  attributes: Attribute[];
  /** All bytes of the list, with the terminator. */
  raw: Uint8Array;
}

/** The bytes of a whole list, with its terminator. */
export function encodeList(attributes: readonly Attribute[]): Uint8Array {
  const bytes = encodeAttributes(attributes);
  const list = new Uint8Array(bytes.length + 1);
  list.set(bytes);
  return list;
}

/** The bytes of `attributes`, each name and value ended by a null byte, without a terminator. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const text = attributes.map(([name, value]) => `${name}\0${value}\0`).join("");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One connection to a service. */
export class AttrClient implements Disposable {
  readonly #connection: Deno.UnixConn;
  #unread: Uint8Array = new Uint8Array();

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  /** Connects to the UNIX-domain socket at `path`. */
  static async connect(path: string): Promise<AttrClient> {
    return new AttrClient(await Deno.connect({ transport: "unix", path }));
  }

  /** Connects, and throws unless the service says `protocol=NAME` first. */
  static async connectTo(path: string, protocol: string): Promise<AttrClient> {
    const client = await AttrClient.connect(path);
    try {
      const { attributes } = await client.readList();
      if (JSON.stringify(attributes) !== JSON.stringify([["protocol", protocol]])) {
        throw new Error(`Wanted the announcement of ${protocol}: ${JSON.stringify(attributes)}`);
      }
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
    return client;
  }

  /** Sends a list and reads the answer. */
  async ask(attributes: readonly Attribute[]): Promise<AttributeList> {
    await this.writeBytes(encodeList(attributes));
    return await this.readList();
  }

  /** Sends bytes as they are. */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Reads one list; throws when the connection ends before its terminator. */
  async readList(): Promise<AttributeList> {
    for (;;) {
      const list = takeList(this.#unread);
      if (list !== undefined) {
        this.#unread = this.#unread.subarray(list.raw.length);
        return list;
      }
      if (!await this.#readMore()) {
        const seen = JSON.stringify(latin1Of(this.#unread));
        throw new Error(`Cannot read a list: the connection ended after ${seen}`);
      }
    }
  }

  /** Reads what comes until the peer closes; empty when it just closes. */
  async readToEnd(): Promise<Uint8Array> {
    while (await this.#readMore()) { /* all that comes is kept in #unread */ }
    const rest = this.#unread;
    this.#unread = new Uint8Array();
    return rest;
  }

  /** Ends the sending direction. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  async #readMore(): Promise<boolean> {
    const buffer = new Uint8Array(16_384);
    const count = await inTime("bytes of the service", this.#connection.read(buffer));
    if (count === null) return false;
    const grown = new Uint8Array(this.#unread.length + count);
    grown.set(this.#unread);
    grown.set(buffer.subarray(0, count), this.#unread.length);
    this.#unread = grown;
    return true;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** The first whole list in `bytes`. */
function takeList(bytes: Uint8Array): AttributeList | undefined {
  const attributes: Attribute[] = [];
  let at = 0;
  for (;;) {
    const nameEnd = bytes.indexOf(0, at);
    if (nameEnd === -1) return undefined;
    if (nameEnd === at) return { attributes, raw: bytes.slice(0, at + 1) };
    const valueEnd = bytes.indexOf(0, nameEnd + 1);
    if (valueEnd === -1) return undefined;
    attributes.push([
      latin1Of(bytes.subarray(at, nameEnd)),
      latin1Of(bytes.subarray(nameEnd + 1, valueEnd)),
    ]);
    at = valueEnd + 1;
  }
}

function latin1Of(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
