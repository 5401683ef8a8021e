/**
 * Memory for keys that live long: pages of their own that stay out of core dumps.
 *
 * A role forbids core dumps altogether unless it is told otherwise (`[service] core_dumps`); this is for
 * those who want to have them. What passes by on the way (buffers of requests and answers, OpenSSL's own
 * memory) is overwritten after use or freed, and may be in a dump that was allowed.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { mapSecretPages, unmapPages } from "../ffi/libc/pages.ts";

/** A block of memory for secrets, which C may keep the address of. */
export class SecretMemory implements Disposable {
  readonly pointer: Deno.PointerObject;
  /** The memory; must not be touched after {@linkcode free}. */
  readonly bytes: Bytes;
  /** The same memory, for numbers of several bytes. */
  readonly view: DataView<ArrayBuffer>;
  #freed = false;

  /** Takes `size` bytes, set to zero, and whole pages for them. No memory is a panic. */
  constructor(size: number) {
    const pointer = mapSecretPages(size);
    assert(pointer !== undefined, `mmap of ${size} bytes succeeds`);
    this.pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** The address as a number, for a field of a C structure. */
  get address(): bigint {
    return BigInt(Deno.UnsafePointer.value(this.pointer));
  }

  /** Overwrites the block with zeros and gives it back; again is allowed. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.bytes.fill(0);
    unmapPages(this.pointer, this.bytes.length);
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
