/**
 * Memory that C may keep: allocated with malloc, freed by hand.
 *
 * JavaScript buffers may be handed to a C function for the length of one synchronous call. Whatever
 * C remembers longer (a message header, parameter arrays) lives here instead.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { libc } from "./libc/libc.ts";

/** A block of C memory with a JavaScript view of it. */
export class Memory implements Disposable {
  /** The address, looked up once: finding the address of a JavaScript buffer is slow. */
  readonly pointer: Deno.PointerObject;
  /** The same memory; must not be used after {@linkcode free}. */
  readonly bytes: Bytes;
  /** The same memory, for numbers of several bytes. */
  readonly view: DataView<ArrayBuffer>;
  #freed = false;

  /** Allocates `size` bytes, set to zero. Running out of memory is a panic. */
  constructor(size: number) {
    const pointer = libc.malloc(BigInt(size));
    assert(pointer !== null, `malloc(${size}) succeeds`);
    this.pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
    this.bytes = new Uint8Array(buffer).fill(0);
    this.view = new DataView(buffer);
  }

  /** The address as a number, for a field of a C structure. */
  get address(): bigint {
    return BigInt(Deno.UnsafePointer.value(this.pointer));
  }

  /** Overwrites the block with zeros and gives it back. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.bytes.fill(0);
    libc.free(this.pointer);
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

/** `text` as a NUL-terminated string, for one call. */
export function cString(text: string): Bytes {
  assert(!text.includes("\0"), "a C string holds no NUL");
  return utf8(text + "\0");
}

/** The text at `pointer`, or the empty string for NULL. */
export function readCString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** Copies the first `count` bytes at `pointer` to the front of `bytes`. */
export function copyFromC(bytes: Bytes, pointer: Deno.PointerObject, count: number): void {
  assert(count <= bytes.length, "the bytes copied fit");
  libc.copy_from_c(bytes, pointer, count);
}

/** As {@linkcode copyFromC}, from an address that C has written somewhere: no object is made for it. */
export function copyFromAddress(bytes: Bytes, address: bigint, count: number): void {
  assert(count <= bytes.length, "the bytes copied fit");
  libc.copy_from_address(bytes, address, count);
}

/** Copies the first `count` of `bytes` to `pointer`, where there must be room. */
export function copyToC(pointer: Deno.PointerObject, bytes: Bytes, count: number): void {
  assert(count <= bytes.length, "the bytes copied exist");
  libc.copy_to_c(pointer, bytes, count);
}
