/**
 * A stream socket that carries attribute lists, both ways, without ever waiting.
 *
 * All channels of a thread read into one buffer. A list that arrives whole, as nearly all do, is
 * handled where it lies; only a channel in the middle of a list has a buffer of its own, and an idle
 * one has none. A channel whose peer does not take its answers stops reading until it does, so that
 * what is kept for one peer is bounded by one list each way; and that is kept for a limited time only.
 *
 * The channel owns the descriptor until {@linkcode AttrChannel.close} or {@linkcode AttrChannel.release}.
 * It reports how its peer ended and leaves it to the handler to close; it never closes itself.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type Bytes, concat } from "../base/bytes.ts";
import {
  LIST_FAULT,
  LIST_MORE,
  type ListLimits,
  ListScanner,
  type ScanFault,
} from "../attr/scan.ts";
import { ERRNO } from "../ffi/errno.ts";
import { closeFile } from "../ffi/libc/file.ts";
import { receive, send } from "../ffi/libc/socket.ts";
import { type Reactor, READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";

/** How a peer's stream came to its end. */
export type ChannelEnd =
  /** Between two lists, as it should. */
  | { readonly kind: "closed" }
  /** In the middle of a list. */
  | { readonly kind: "cut off"; readonly pending: "name" | "value" }
  /** A list was begun and not completed in time, or what was sent was not taken in time. */
  | { readonly kind: "too slow"; readonly limitMs: number; readonly sending: boolean }
  /** A list is beyond the limits. */
  | { readonly kind: "too large"; readonly fault: ScanFault }
  /** A system call failed. */
  | { readonly kind: "error"; readonly errno: number };

/** Who owns a channel and understands its lists. */
export interface AttrChannelHandler {
  /**
   * A complete list at `bytes[start]`, with offsets in `scanner`; both are good for this call only.
   *
   * The answer `"drop"` throws away what arrived behind it (Postfix's streams do so when they turn
   * from reading to writing, util/vstream.c); `"next"` goes on with it. `behind` tells how many bytes
   * that is.
   */
  list(scanner: ListScanner, bytes: Bytes, start: number, behind: number): "next" | "drop";
  /** A list has begun and is not complete; `"drop"` forgets what has arrived of it. */
  partial?(bytes: Bytes, start: number, end: number): "keep" | "drop";
  /** The peer's stream is over; the handler closes the channel. */
  ended(end: ChannelEnd): void;
}

/** Settings of a channel. */
export interface AttrChannelOptions {
  /** What one list may hold. */
  limits: ListLimits;
  /** How long a list may take from its first byte to its last, either way, in milliseconds. */
  listLimitMs: number;
}

const CHUNK_BYTES = 65536;
const chunk = new Uint8Array(CHUNK_BYTES);
const CLOSED: ChannelEnd = { kind: "closed" };

/** One connection. */
export class AttrChannel implements ReadyHandler {
  readonly #reactor: Reactor;
  readonly #fd: number;
  readonly #handler: AttrChannelHandler;
  readonly #options: AttrChannelOptions;
  readonly #registration: Registration;
  /** Used while no list is in pieces; shared by all channels with the same limits. */
  readonly #sharedScanner: ListScanner;
  /** The beginning of a list whose end has not arrived. */
  #input: Bytes | undefined;
  #inputLength = 0;
  #ownScanner: ListScanner | undefined;
  /** Input is there that has not been looked at, because the peer does not take its answers. */
  #held = false;
  #deadline: Timer | undefined;
  /** What the peer has not taken yet. */
  #output: Bytes | undefined;
  #outputDeadline: Timer | undefined;
  /** Why a send failed, until the handler has been told. */
  #sendErrno = 0;
  #open = true;

  constructor(
    reactor: Reactor,
    fd: number,
    handler: AttrChannelHandler,
    options: AttrChannelOptions,
  ) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#handler = handler;
    this.#options = options;
    this.#sharedScanner = scannerFor(options.limits);
    this.#registration = reactor.watch(fd, READY.read, this);
  }

  /** Whether the channel still has its descriptor. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether the peer has not taken all that was sent. */
  get hasUnsent(): boolean {
    return this.#output !== undefined;
  }

  /** The descriptor, which the channel owns. */
  get fd(): number {
    return this.#fd;
  }

  /** Sends `bytes`, which may be overwritten after the call; what does not fit is kept and sent later. */
  send(bytes: Bytes): void {
    if (!this.#open || this.#sendErrno !== 0) return;
    if (this.#output !== undefined) {
      this.#output = concat(this.#output, bytes);
      return;
    }
    const sent = send(this.#fd, bytes, bytes.length);
    if (sent === bytes.length) return;
    if (sent < 0 && sent !== -ERRNO.EAGAIN && sent !== -ERRNO.EINTR) {
      // Told from the loop, where every other end is told too: the caller is in the middle of something.
      this.#sendErrno = -sent;
      this.#registration.change(READY.read | READY.write);
      return;
    }
    this.#output = concat(bytes.subarray(Math.max(sent, 0)));
    this.#registration.change(READY.write);
    this.#outputDeadline = this.#reactor.after(this.#options.listLimitMs, () => {
      this.#outputDeadline = undefined;
      this.#tooSlow(true);
    });
  }

  /** Closes the descriptor and drops what was not sent; again is allowed. */
  close(): void {
    if (!this.#open) return;
    this.#end();
    this.#registration.closeWithDescriptor();
    closeFile(this.#fd);
  }

  /**
   * Gives the descriptor to the caller, watched for reading, with `handler` to be told from here on.
   * Nothing may be half received or half sent.
   */
  release(handler: ReadyHandler): Registration {
    assert(this.#open, "a channel is released once");
    this.#end();
    this.#registration.handler = handler;
    this.#registration.change(READY.read);
    return this.#registration;
  }

  #end(): void {
    this.#open = false;
    this.#forgetInput();
    this.#forgetOutput();
  }

  /** For the reactor. */
  ready(events: number): void {
    if (this.#sendErrno !== 0) {
      this.#handler.ended({ kind: "error", errno: this.#sendErrno });
      return;
    }
    if (this.#output !== undefined && !this.#flush(events)) return;
    if ((events & (READY.read | READY.gone)) !== 0) this.#receive();
  }

  /** Sends what is kept; answers whether reading may go on. */
  #flush(events: number): boolean {
    const output = this.#output!;
    if ((events & (READY.write | READY.gone)) === 0) return false;
    const sent = send(this.#fd, output, output.length);
    if (sent === -ERRNO.EAGAIN || sent === -ERRNO.EINTR) return false;
    if (sent < 0) {
      this.#handler.ended({ kind: "error", errno: -sent });
      return false;
    }
    if (sent < output.length) {
      this.#output = output.slice(sent);
      return false;
    }
    this.#forgetOutput();
    this.#registration.change(READY.read);
    if (this.#held) {
      this.#held = false;
      this.#takeFrom(this.#input!, 0, this.#inputLength, this.#ownScanner!);
    }
    return this.#open && this.#output === undefined;
  }

  #receive(): void {
    const count = receive(this.#fd, chunk, CHUNK_BYTES);
    if (count === -ERRNO.EAGAIN || count === -ERRNO.EINTR) return;
    if (count <= 0) {
      this.#handler.ended(this.#endAfter(count));
    } else if (this.#input === undefined) {
      this.#sharedScanner.reset();
      this.#takeFrom(chunk, 0, count, this.#sharedScanner);
    } else {
      this.#keep(chunk.subarray(0, count));
      this.#takeFrom(this.#input, 0, this.#inputLength, this.#ownScanner!);
    }
  }

  #endAfter(count: number): ChannelEnd {
    if (count < 0) return { kind: "error", errno: -count };
    const pending = this.#ownScanner?.pending ?? "nothing";
    return pending === "nothing" ? CLOSED : { kind: "cut off", pending };
  }

  /** Handles the lists in `bytes[start, end)`, whose first one `scanner` may know already. */
  #takeFrom(bytes: Bytes, start: number, end: number, scanner: ListScanner): void {
    let at = start;
    while (at < end) {
      const after = scanner.scan(bytes, end, at);
      if (after === LIST_FAULT) {
        this.#handler.ended({ kind: "too large", fault: scanner.fault! });
        return;
      }
      if (after === LIST_MORE) {
        this.#wait(bytes, at, end, scanner);
        return;
      }
      this.#reactor.cancel(this.#deadline);
      this.#deadline = undefined;
      const answer = this.#handler.list(scanner, bytes, at, end - after);
      if (!this.#open) return;
      scanner.reset();
      if (answer === "drop") break;
      at = after;
      if (this.#output !== undefined && at < end) {
        this.#held = true;
        this.#copyInput(bytes, at, end);
        return;
      }
    }
    this.#forgetInput();
  }

  /** Keeps the beginning of a list, `bytes[at, end)`, until more of it arrives. */
  #wait(bytes: Bytes, at: number, end: number, scanner: ListScanner): void {
    if (this.#handler.partial?.(bytes, at, end) === "drop") {
      if (this.#open) this.#forgetInput();
      return;
    }
    if (!this.#open) return;
    if (bytes !== this.#input || at !== 0) this.#copyInput(bytes, at, end);
    if (scanner !== this.#ownScanner) this.#ownScanner!.scan(this.#input!, this.#inputLength);
    this.#deadline ??= this.#reactor.after(this.#options.listLimitMs, () => {
      this.#deadline = undefined;
      this.#tooSlow(false);
    });
  }

  /** Makes `bytes[at, end)` this channel's own input. */
  #copyInput(bytes: Bytes, at: number, end: number): void {
    this.#input = bytes.slice(at, end);
    this.#inputLength = end - at;
    this.#ownScanner ??= new ListScanner(this.#options.limits);
  }

  #keep(bytes: Bytes): void {
    const input = this.#input!;
    const length = this.#inputLength + bytes.length;
    if (length > input.length) {
      const wider = new Uint8Array(Math.max(length, 2 * input.length));
      wider.set(input.subarray(0, this.#inputLength));
      this.#input = wider;
    }
    this.#input!.set(bytes, this.#inputLength);
    this.#inputLength = length;
  }

  #tooSlow(sending: boolean): void {
    this.#handler.ended({ kind: "too slow", limitMs: this.#options.listLimitMs, sending });
  }

  #forgetOutput(): void {
    this.#output = undefined;
    this.#reactor.cancel(this.#outputDeadline);
    this.#outputDeadline = undefined;
  }

  #forgetInput(): void {
    this.#input = undefined;
    this.#inputLength = 0;
    this.#ownScanner = undefined;
    this.#held = false;
    this.#reactor.cancel(this.#deadline);
    this.#deadline = undefined;
  }
}

const scanners = new Map<ListLimits, ListScanner>();

function scannerFor(limits: ListLimits): ListScanner {
  let scanner = scanners.get(limits);
  if (scanner === undefined) {
    scanner = new ListScanner(limits);
    scanners.set(limits, scanner);
  }
  return scanner;
}
