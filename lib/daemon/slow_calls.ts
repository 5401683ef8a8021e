/**
 * Both ends of the slow calls: a service thread asks, the control thread lets them be made.
 *
 * The memory of a read or a write is C memory that the service thread allocates and frees; its address
 * travels. When a service thread ends with calls outstanding, their memory stays allocated: a call may
 * still be writing to it.
 *
 * @module
 */
import { panic } from "../base/assert.ts";
import {
  closeSlowly,
  fdatasyncSlowly,
  fsyncSlowly,
  preadSlowly,
  pwriteSlowly,
  type SlowTransfer,
} from "../ffi/libc/slow_file.ts";
import { Memory } from "../ffi/memory.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import type { SlowRequest } from "./seam.ts";

/** What is done with a result: 0 or a count of bytes, -1 for a failure. */
type Finish = (result: number) => void;

/** The service thread's end. */
export class SlowCallClient implements SlowCalls {
  readonly #post: (request: SlowRequest) => void;
  readonly #outstanding = new Map<number, Finish>();
  #id = 0;
  #ended = false;

  /** @param post sends a request to the control thread */
  constructor(post: (request: SlowRequest) => void) {
    this.#post = post;
  }

  fdatasync(fd: number, done: (ok: boolean) => void): void {
    const id = this.#expect((result) => done(result === 0));
    this.#post({ id, fd, call: "fdatasync" });
  }

  fsync(fd: number, done: (ok: boolean) => void): void {
    const id = this.#expect((result) => done(result === 0));
    this.#post({ id, fd, call: "fsync" });
  }

  read(
    fd: number,
    { length, offset }: { length: number; offset: number },
    done: (bytes: Uint8Array | undefined) => void,
  ): void {
    const memory = new Memory(length);
    const id = this.#expect((result) => {
      const bytes = result < 0 ? undefined : memory.bytes.slice(0, result);
      memory.free();
      done(bytes);
    });
    this.#post({ id, fd, call: "read", at: { address: memory.address, length, offset } });
  }

  write(fd: number, bytes: Uint8Array, offset: number, done: (ok: boolean) => void): void {
    const { length } = bytes;
    const memory = new Memory(length);
    memory.bytes.set(bytes);
    const id = this.#expect((result) => {
      memory.free();
      done(result === length);
    });
    this.#post({ id, fd, call: "write", at: { address: memory.address, length, offset } });
  }

  close(fd: number): void {
    this.#post({ id: this.#expect(() => {}), fd, call: "close" });
  }

  /** Takes the answer to the call `id`. */
  finish(id: number, result: number): void {
    if (this.#ended) return;
    const finish = this.#outstanding.get(id);
    if (finish === undefined) panic(`slow call ${id} is outstanding`);
    this.#outstanding.delete(id);
    finish(result);
  }

  /** Nothing is told to anybody from here on. */
  end(): void {
    this.#ended = true;
  }

  #expect(finish: Finish): number {
    const id = ++this.#id;
    this.#outstanding.set(id, finish);
    return id;
  }
}

/** The control thread's end: has the call made, and answers with its result. */
export function makeSlowCall(request: SlowRequest): Promise<number> {
  switch (request.call) {
    case "fdatasync":
      return fdatasyncSlowly(request.fd);
    case "fsync":
      return fsyncSlowly(request.fd);
    case "close":
      return closeSlowly(request.fd);
    case "read":
      return preadSlowly(request.fd, request.at);
    case "write":
      return writeAll(request.fd, request.at);
  }
}

async function writeAll(fd: number, { address, length, offset }: SlowTransfer): Promise<number> {
  for (let written = 0; written < length;) {
    const count = await pwriteSlowly(fd, {
      address: address + BigInt(written),
      length: length - written,
      offset: offset + written,
    });
    if (count <= 0) return -1;
    written += count;
  }
  return length;
}
