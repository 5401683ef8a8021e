/**
 * Plain data that is too long for a line of a command pipe, on its way to a service thread.
 *
 * It lies in C memory that the control thread owns; what travels is the address. The thread copies it
 * before it answers.
 *
 * @module
 */
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { Memory } from "../ffi/memory.ts";

/** Where a parcel lies: the address in decimal digits, and the number of bytes. */
export interface ParcelPlace {
  readonly at: string;
  readonly bytes: number;
}

/** A parcel under way. */
export class Parcel implements Disposable {
  readonly #memory: Memory;

  /** Packs `data`, which must be what JSON can say. */
  constructor(data: unknown) {
    const bytes = utf8(JSON.stringify(data));
    this.#memory = new Memory(bytes.length);
    this.#memory.bytes.set(bytes);
  }

  get place(): ParcelPlace {
    return { at: String(this.#memory.address), bytes: this.#memory.bytes.length };
  }

  /** Gives the memory back; nobody may read it any more. */
  [Symbol.dispose](): void {
    this.#memory.free();
  }
}

/** Unpacks what lies at a place. */
export function readParcel<T>({ at, bytes }: ParcelPlace): T {
  const pointer = Deno.UnsafePointer.create(BigInt(at));
  if (pointer === null) throw new TypeError("A parcel lies at an address");
  const memory = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, bytes));
  return JSON.parse(fromUtf8(memory.slice()));
}
