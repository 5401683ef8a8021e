/**
 * The load on a tlsmgr: one request at a time on each of several connections.
 *
 * A request is made once and its key's digits are changed in place; a reply is known by its length,
 * and a looked-up session by its first eight characters, which say whose it is. So a request costs
 * little more here than two system calls, and a wrong answer is still seen.
 *
 * @module
 */

import { close, connectUnix, MSG_NOSIGNAL, must, recv, send } from "./c_library.ts";
import type { AskCommand } from "./commands.ts";
import { opensslVersionNumber } from "./openssl.ts";

const DIGITS = 8;
const ZERO = 48;
/** "status", NUL, and then the digit. */
const STATUS_AT = 7;
/** "status", "0", "session", each with its NUL. */
const SESSION_AT = 17;
const CHECK_CLOCK_EVERY = 32;

const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));

/** The attributes of each request, and of its reply. */
// deno-fmt-ignore
const LISTS = {
  seed: { asked: () => ["size", "32"], attributes: 2 },
  policy: { asked: () => ["cache_type", "smtpd"], attributes: 3 },
  tktkey: { asked: () => ["keyname", ""], attributes: 2 },
  lookup: { asked: keyOf, attributes: 2 },
  update: {
    asked: (chars: number) => [...keyOf(), "session", "0".repeat(DIGITS) + "A".repeat(chars - DIGITS)],
    attributes: 1,
  },
} as const;

function keyOf(): string[] {
  // As long as a real one: a session id in hexadecimal, a service, OpenSSL's version.
  const id = "0".repeat(DIGITS) + "5A".repeat(28);
  return ["cache_type", "smtpd", "cache_id", `${id}&s=smtpd&l=${opensslVersionNumber}`];
}

/** The bytes of a request; its digits are zeroes. */
export function requestOf(name: AskCommand["name"], sessionChars = 2000): Uint8Array<ArrayBuffer> {
  const words = ["request", name, ...LISTS[name].asked(sessionChars)];
  return encode(words.map((word) => `${word}\0`).join("") + "\0");
}

/** Where runs of zeroes that stand for a key's digits begin in `request`. */
export function digitPlaces(request: Uint8Array): number[] {
  const text = new TextDecoder("latin1").decode(request);
  return [...text.matchAll(/(?<=(?:cache_id|session)\0)0{8}/g)].map((match) => match.index);
}

/** Writes `key` as eight decimal digits. */
export function writeDigits(bytes: Uint8Array, at: number, key: number): void {
  for (let i = at + DIGITS - 1; i >= at; i--) {
    bytes[i] = ZERO + key % 10;
    key = Math.floor(key / 10);
  }
}

/** What was asked and answered. */
export interface Asked {
  done: number;
  hits: number;
}

/** Sends requests until `more` says no; `more` is asked now and then with what was done. */
export function ask(command: AskCommand, more: (done: number) => boolean): Asked {
  if (command.mayMiss || command.mayEnd) return askCarefully(command, more);
  return askInTurn(command, more);
}

/** What the modes share: the request in its buffer, the check of a reply. */
class Dialogue {
  readonly #command: AskCommand;
  readonly #request: Uint8Array<ArrayBuffer>;
  readonly #places: number[];
  readonly #keys: number;
  readonly reply: Uint8Array<ArrayBuffer> = new Uint8Array(65536);
  replyBytes = 0;
  done = 0;

  constructor(command: AskCommand) {
    this.#command = command;
    this.#request = requestOf(command.name, command.sessionChars);
    this.#places = digitPlaces(this.#request);
    this.#keys = command.keys ?? 1;
  }

  /** A connection, calls on which wait, behind its announcement. */
  connect(): number {
    const fd = must("connect to tlsmgr", connectUnix(this.#command.socket, { blocking: true }));
    if (this.#readList(fd, 1) === 0) throw new Error("Cannot measure tlsmgr: it says nothing");
    return fd;
  }

  /** Asks once to see how long an answer is. */
  learn(fd: number): void {
    this.replyBytes = this.askOnce(fd, 0);
    this.check(this.replyBytes, 0);
  }

  /** The key of request number `n`. */
  keyOf(n: number): number {
    return n % this.#keys;
  }

  send(fd: number, key: number): boolean {
    for (const place of this.#places) writeDigits(this.#request, place, key);
    const { length } = this.#request;
    return send(fd, this.#request, length, MSG_NOSIGNAL) === length;
  }

  /** Waits for the whole reply to a request for `key`. */
  take(fd: number, key: number): void {
    const { reply, replyBytes } = this;
    let length = recv(fd, reply, reply.length, 0);
    while (length > 0 && length < replyBytes) {
      const count = recv(fd, reply.subarray(length), reply.length - length, 0);
      length = count > 0 ? length + count : 0;
    }
    if (length <= 0) throw new Error("Cannot measure tlsmgr: it closed a connection");
    this.check(length, key);
  }

  /** An error unless the reply of `length` bytes in the buffer is a good one for `key`. */
  check(length: number, key: number): void {
    const { reply } = this;
    if (length !== this.replyBytes || reply[STATUS_AT] !== ZERO) {
      const text = new TextDecoder("latin1").decode(reply.subarray(0, Math.min(length, 60)));
      throw new Error(`Cannot measure ${this.#command.name}: ${JSON.stringify(text)} came back`);
    }
    if (this.#command.name !== "lookup") return;
    for (let i = SESSION_AT + DIGITS - 1; i >= SESSION_AT; i--) {
      if (reply[i] !== ZERO + key % 10) throw new Error("Cannot measure lookup: a wrong session");
      key = Math.floor(key / 10);
    }
  }

  /** Reads one reply of unknown length; its bytes, or 0 when the server has ended. */
  #readList(fd: number, attributes: number): number {
    let nulls = 2 * attributes + 1;
    for (let at = 0;;) {
      const count = recv(fd, this.reply.subarray(at), this.reply.length - at, 0);
      if (count <= 0) return 0;
      for (const end = at + count; at < end; at++) if (this.reply[at] === 0) nulls--;
      if (nulls <= 0) return at;
    }
  }

  /** Asks for `key` and reads the answer whatever it is: its bytes, or 0 at the server's end. */
  askOnce(fd: number, key: number): number {
    if (!this.send(fd, key)) return 0;
    return this.#readList(fd, LISTS[this.#command.name].attributes);
  }
}

/**
 * Any number of connections, calls that wait, replies taken in the order of the requests.
 *
 * While one reply is waited for, the other connections' requests keep the server busy; so nobody has to be
 * asked which connection is ready, and the load stays cheaper than any server.
 */
function askInTurn(command: AskCommand, more: (done: number) => boolean): Asked {
  const dialogue = new Dialogue(command);
  const fds = Array.from({ length: command.connections }, () => dialogue.connect());
  dialogue.learn(fds[0]);
  const keys = fds.map((_, i) => dialogue.keyOf(i));
  let sent = fds.length;
  for (const [i, fd] of fds.entries()) dialogue.send(fd, keys[i]);
  let open = true;
  for (let i = 0; dialogue.done < sent; i = (i + 1) % fds.length) {
    dialogue.take(fds[i], keys[i]);
    if (++dialogue.done % CHECK_CLOCK_EVERY === 0) open &&= more(dialogue.done);
    if (!open) continue;
    keys[i] = dialogue.keyOf(sent++);
    dialogue.send(fds[i], keys[i]);
  }
  for (const fd of fds) close(fd);
  return { done: dialogue.done, hits: dialogue.done };
}

/** One connection; an entry may be missing, and the server may end. */
function askCarefully(command: AskCommand, more: (done: number) => boolean): Asked {
  const dialogue = new Dialogue(command);
  const asked: Asked = { done: 0, hits: 0 };
  const fd = dialogue.connect();
  while (more(asked.done)) {
    const key = dialogue.keyOf(asked.done);
    const length = dialogue.askOnce(fd, key);
    if (length === 0 && command.mayEnd) break;
    if (length === 0) throw new Error("Cannot measure tlsmgr: it closed a connection");
    if (dialogue.reply[STATUS_AT] === ZERO) {
      dialogue.replyBytes = length;
      dialogue.check(length, key);
      asked.hits++;
    }
    asked.done++;
  }
  close(fd);
  return asked;
}
