/**
 * One TLS session through a server, with the load program at both ends.
 *
 * The TLS leg is TCP on the loopback interface, the plaintext leg a UNIX-domain socket, for every
 * server. Whatever comes out of the plaintext leg goes back into it, so the server relays both ways.
 *
 * @module
 */

import {
  accept,
  close,
  connectTcp,
  connectUnix,
  EAGAIN,
  errno,
  listenTcp,
  listenUnix,
  MSG_NOSIGNAL,
  must,
  recv,
  send,
  sendDescriptor,
} from "./c_library.ts";
import type { Front } from "./commands.ts";
import { ClientConnection, type ClientContext, freeSession, type TlsSession } from "./openssl.ts";
import type { Poller, Ready } from "./poller.ts";

/** What goes through and back. */
const ECHO = bytesOf(
  "MAIL FROM:<somebody@client.example> SIZE=12345 BODY=8BITMIME\r\n",
);
/** Bytes of an echo. */
export const ECHO_BYTES: number = ECHO.length;

const room = new Uint8Array(65536);

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function listOf(...words: string[]): Uint8Array<ArrayBuffer> {
  return bytesOf(words.map((word) => `${word}\0`).join("") + "\0");
}

const ANNOUNCEMENT = listOf("protocol", "tlsproxy_protocol");
// deno-fmt-ignore
const REQUEST = listOf(
  "remote_endpoint", "[127.0.0.1]:12345", "flags", "1", "timeout", "3600", "timeout", "3600",
  "serverid", "bench",
);
const STATUS = listOf("status", "1");

/** The sockets of a front that all its sessions share. */
export class Ground {
  /** Plaintext ends that a server has opened and not closed yet. */
  readonly ends: Set<number> = new Set();
  readonly #poller: Poller;
  readonly #tcp = listenTcp();
  #backend: { fd: number; inode: number | null } | undefined;

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  /** A connected pair of TCP sockets: the client's, and the one to be passed. */
  pair(): [client: number, passed: number] {
    const client = connectTcp(this.#tcp.port);
    return [client, must("accept a connection", accept(this.#tcp.fd))];
  }

  /** Listens at `path`, where a proxy brings its plaintext, and whoever listened there does no more. */
  listen(path: string): void {
    if (this.#backend !== undefined) {
      if (inodeOf(path) === this.#backend.inode) return;
      this.#poller.remove(this.#backend.fd);
      close(this.#backend.fd);
    }
    if (inodeOf(path) !== undefined) Deno.removeSync(path);
    const fd = listenUnix(path);
    Deno.chmodSync(path, 0o666);
    this.#backend = { fd, inode: inodeOf(path)! };
    this.#poller.add(fd, {
      ready: () => {
        for (let end = accept(fd); end >= 0; end = accept(fd)) {
          this.ends.add(end);
          this.#poller.add(end, this.#echo);
        }
      },
    });
  }

  readonly #echo: Ready = {
    ready: (fd) => {
      if (echoBack(fd)) return;
      this.#poller.remove(fd);
      this.ends.delete(fd);
      close(fd);
    },
  };
}

/** The inode at `path`, or `undefined` when nothing is there. */
function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Sends back what is there to read; false at the end of the stream. */
function echoBack(fd: number): boolean {
  const count = recv(fd, room, room.length, 0);
  if (count > 0) {
    if (send(fd, room, count, MSG_NOSIGNAL) !== count) throw new Error("Cannot echo: no room");
    return true;
  }
  if (count === 0) return false;
  if (errno() === EAGAIN) return true;
  // A proxy may reset what it is done with.
  return false;
}

/** Told what becomes of a session. */
export interface SessionOwner {
  /** The echo has come back; the session stays as it is unless the owner closes it. */
  echoed(session: Session): void;
  /** Both ends are closed. */
  ended(session: Session): void;
}

type State = "announcement" | "status" | "handshake" | "echo" | "closing";

/** What a session is made of. */
export interface SessionParts {
  readonly poller: Poller;
  readonly ground: Ground;
  readonly front: Front;
  readonly context: ClientContext;
  /** Resumed if given; becomes the session's to free. */
  readonly resume: TlsSession | undefined;
  readonly owner: SessionOwner;
}

/** A session from its first step to its end. */
export class Session implements Ready {
  readonly #parts: SessionParts;
  #state: State = "handshake";
  #heard = 0;
  #tls: ClientConnection | undefined;
  #remote = -1;
  /** Of a passed connection; a proxy's plaintext ends are the ground's. */
  #local = -1;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { front, poller } = parts;
    if (front.by === "tlsproxy") {
      this.#state = "announcement";
      this.#local = must(`connect to ${front.socket}`, connectUnix(front.socket));
      poller.add(this.#local, this);
    } else {
      this.#begin(connectTcp(front.port));
    }
  }

  /** The TLS side, once there is one. */
  get tls(): ClientConnection {
    if (this.#tls === undefined) throw new Error("Cannot use a session before its handshake");
    return this.#tls;
  }

  /** Whether the server has not closed it yet; for a proxy's, the ground knows. */
  get open(): boolean {
    return this.#local >= 0;
  }

  /** Whether both ends are this session's own. */
  get passed(): boolean {
    return this.#parts.front.by === "tlsproxy";
  }

  get remote(): number {
    return this.#remote;
  }

  /** The plaintext end; for a proxy's, only one session may be open. */
  get local(): number {
    if (this.#parts.front.by === "tlsproxy") return this.#local;
    const [end] = this.#parts.ground.ends;
    return end;
  }

  ready(fd: number): void {
    if (fd === this.#local) this.#localReady();
    else if (this.#state === "handshake") this.#shake();
    else this.#read();
  }

  /** Sends the echo's bytes again. */
  echo(): void {
    this.#heard = 0;
    if (this.tls.write(ECHO) !== ECHO_BYTES) throw new Error("Cannot write an echo: no room");
  }

  /** Says good-bye and waits for the server to close the plaintext leg. */
  close(): void {
    const { poller, owner } = this.#parts;
    this.#state = "closing";
    poller.remove(this.#remote);
    this.tls.close();
    close(this.#remote);
    if (this.#local < 0) owner.ended(this);
  }

  #localReady(): void {
    if (this.#state === "announcement") {
      if (!this.#hear(ANNOUNCEMENT)) return;
      must("ask for a session", send(this.#local, REQUEST, REQUEST.length, MSG_NOSIGNAL));
      this.#state = "status";
    } else if (this.#state === "status") {
      if (!this.#hear(STATUS)) return;
      const [client, passed] = this.#parts.ground.pair();
      sendDescriptor(this.#local, passed);
      close(passed);
      this.#begin(client);
    } else if (!echoBack(this.#local)) {
      if (this.#state !== "closing") throw new Error("Cannot go on: the server closed a session");
      this.#parts.poller.remove(this.#local);
      close(this.#local);
      this.#local = -1;
      this.#parts.owner.ended(this);
    }
  }

  /** Whether all of `wanted` has come; an error when something else did. */
  #hear(wanted: Uint8Array): boolean {
    const count = recv(this.#local, room, wanted.length - this.#heard, 0);
    if (count <= 0) throw new Error(`Cannot get a session: the server ended in ${this.#state}`);
    for (let i = 0; i < count; i++) {
      if (room[i] !== wanted[this.#heard + i]) {
        throw new Error(`Cannot get a session: another ${this.#state} came than was wanted`);
      }
    }
    this.#heard += count;
    if (this.#heard < wanted.length) return false;
    this.#heard = 0;
    return true;
  }

  #begin(remote: number): void {
    this.#remote = remote;
    this.#state = "handshake";
    const { context, resume } = this.#parts;
    this.#tls = new ClientConnection(context, remote, resume);
    if (resume !== undefined) freeSession(resume);
    this.#parts.poller.add(remote, this);
    this.#shake();
  }

  #shake(): void {
    if (!this.tls.shake()) return;
    this.#state = "echo";
    this.echo();
  }

  #read(): void {
    const count = this.tls.read(room);
    for (let i = 0; i < count; i++) {
      if (room[i] !== ECHO[this.#heard + i]) throw new Error("Cannot echo: other bytes came back");
    }
    this.#heard += count;
    if (count > 0 && this.#heard === ECHO_BYTES) this.#parts.owner.echoed(this);
  }
}
