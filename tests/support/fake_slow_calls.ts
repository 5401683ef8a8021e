/**
 * Slow calls that wait until a test lets them happen.
 *
 * @module
 */
import { closeFile, pread, pwrite } from "../../lib/ffi/libc/file.ts";
import type { SlowCalls } from "../../lib/reactor/slow_calls.ts";

/** One call that was handed in. */
export interface FakeSlowCall {
  readonly call: "fdatasync" | "fsync" | "read" | "write" | "close";
  readonly fd: number;
  /** Of a read or a write, bytes. */
  readonly offset?: number;
  /** Of a read. */
  readonly length?: number;
  /** Of a write: a copy. */
  readonly bytes?: Uint8Array;
  /** Carries the call out (syncs do nothing, transfers go to the descriptor) and says so. */
  succeed(): void;
  /** Says that it failed. */
  fail(): void;
  /** Of a read: says that these are the bytes. */
  answer(bytes: Uint8Array): void;
}

/** Takes slow calls and holds them. */
export class FakeSlowCalls implements SlowCalls {
  /** Calls that have not come to their end, the oldest first. */
  readonly waiting: FakeSlowCall[] = [];
  /** All calls ever handed in. */
  count = 0;

  fdatasync(fd: number, done: (ok: boolean) => void): void {
    this.#add({ call: "fdatasync", fd }, { succeed: () => done(true), fail: () => done(false) });
  }

  fsync(fd: number, done: (ok: boolean) => void): void {
    this.#add({ call: "fsync", fd }, { succeed: () => done(true), fail: () => done(false) });
  }

  read(
    fd: number,
    { length, offset }: { length: number; offset: number },
    done: (bytes: Uint8Array | undefined) => void,
  ): void {
    this.#add({ call: "read", fd, length, offset }, {
      succeed: () => {
        const bytes = new Uint8Array(length);
        const count = pread(fd, bytes, length, offset);
        done(count < 0 ? undefined : bytes.slice(0, count));
      },
      fail: () => done(undefined),
      answer: done,
    });
  }

  write(fd: number, bytes: Uint8Array, offset: number, done: (ok: boolean) => void): void {
    const copy = new Uint8Array(bytes);
    this.#add({ call: "write", fd, bytes: copy, offset }, {
      succeed: () => done(pwrite(fd, copy, copy.length, offset) === copy.length),
      fail: () => done(false),
    });
  }

  close(fd: number): void {
    this.#add({ call: "close", fd }, { succeed: () => closeFile(fd), fail: () => closeFile(fd) });
  }

  /** Lets everything that waits succeed, and whatever is handed in by that, too. */
  succeedAll(): void {
    for (let call = this.waiting[0]; call !== undefined; call = this.waiting[0]) call.succeed();
  }

  #add(
    call: Pick<FakeSlowCall, "call" | "fd" | "offset" | "length" | "bytes">,
    ends: { succeed(): void; fail(): void; answer?(bytes: Uint8Array): void },
  ): void {
    this.count++;
    const end = (how: () => void) => {
      const place = this.waiting.indexOf(entry);
      if (place < 0) throw new Error(`The ${call.call} has come to its end already`);
      this.waiting.splice(place, 1);
      how();
    };
    const entry: FakeSlowCall = {
      ...call,
      succeed: () => end(ends.succeed),
      fail: () => end(ends.fail),
      answer: (bytes) => {
        const { answer } = ends;
        if (answer === undefined) throw new Error(`A ${call.call} has no answer`);
        end(() => answer(bytes));
      },
    };
    this.waiting.push(entry);
  }
}
