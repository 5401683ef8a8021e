/**
 * Rows: one attribute of a message each, readable and printable, so that a message is a table.
 *
 * A row joins an attribute's name on the wire to a field of a plain object. An optional row is an
 * attribute that only some Postfix releases send; it leaves its field `undefined` when the next
 * name is another one.
 *
 * @module
 */

import type { Base64Value } from "../attr/base64_value.ts";
import { AttrName } from "../attr/names.ts";
import type { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";

/** One attribute (or group of attributes) of a message whose fields are those of `T`. */
export interface Row<T> {
  /** First name of the row on the wire. */
  readonly name: AttrName;
  /** Not every release sends it. */
  readonly optional: boolean;
  /** Stores the value in `into`; `false` is a fault, which the reader keeps. */
  read(reader: ListReader, into: T): boolean;
  /** Prints the value that is in `from`. */
  print(printer: ListPrinter, from: T): void;
  /** Whether `from` has a value for this row. */
  has(from: T): boolean;
}

/** Fields of `T` that can hold a `V` and nothing else but `undefined`. */
export type FieldsOf<T, V> = {
  [K in keyof T]-?: NonNullable<T[K]> extends V ? (V extends NonNullable<T[K]> ? K : never) : never;
}[keyof T];

/** How a value of one type is read and printed. */
interface Kind<V> {
  read(reader: ListReader, name: AttrName): V | undefined;
  print(printer: ListPrinter, name: AttrName, value: V): void;
}

const TEXT: Kind<string> = {
  read: (reader, name) => reader.wantText(name),
  print: (printer, name, value) => printer.text(name, value),
};

const INT: Kind<number> = {
  read: (reader, name) => reader.wantInt(name),
  print: (printer, name, value) => printer.int(name, value),
};

const FLAG: Kind<boolean> = {
  read: (reader, name) => {
    const value = reader.wantInt(name);
    return value === undefined ? undefined : value !== 0;
  },
  print: (printer, name, value) => printer.int(name, value ? 1 : 0),
};

function rowOf<T, V>(wire: string, key: keyof T, kind: Kind<V>, optional: boolean): Row<T> {
  const name = new AttrName(wire);
  return {
    name,
    optional,
    read(reader, into) {
      const value = kind.read(reader, name);
      if (value === undefined) return false;
      into[key] = value as T[keyof T];
      return true;
    },
    print: (printer, from) => kind.print(printer, name, from[key] as V),
    has: (from) => from[key] !== undefined,
  };
}

/** A string that every release sends. */
export function text<T>(wire: string, key: FieldsOf<T, string>): Row<T> {
  return rowOf<T, string>(wire, key, TEXT, false);
}

/** A string that some releases send. */
export function optionalText<T>(wire: string, key: FieldsOf<T, string>): Row<T> {
  return rowOf<T, string>(wire, key, TEXT, true);
}

/** An integer that every release sends. */
export function int<T>(wire: string, key: FieldsOf<T, number>): Row<T> {
  return rowOf<T, number>(wire, key, INT, false);
}

/** An integer that some releases send. */
export function optionalInt<T>(wire: string, key: FieldsOf<T, number>): Row<T> {
  return rowOf<T, number>(wire, key, INT, true);
}

/** A yes or no, sent as integer by every release; any number but 0 is a yes. */
export function flag<T>(wire: string, key: FieldsOf<T, boolean>): Row<T> {
  return rowOf<T, boolean>(wire, key, FLAG, false);
}

/** A yes or no, sent as integer by some releases. */
export function optionalFlag<T>(wire: string, key: FieldsOf<T, boolean>): Row<T> {
  return rowOf<T, boolean>(wire, key, FLAG, true);
}

/** Data whose base64 text is kept as it is, in a {@linkcode Base64Value} that is there already. */
export function data<T>(wire: string, key: FieldsOf<T, Base64Value>): Row<T> {
  const name = new AttrName(wire);
  return {
    name,
    optional: false,
    read: (reader, into) => reader.wantBase64(name, into[key] as Base64Value),
    print: (printer, from) => {
      printer.base64(name, from[key] as Base64Value);
    },
    has: () => true,
  };
}

/** Reads all `rows` in order; `false` at the first fault, which the reader keeps. */
export function readRows<T>(rows: readonly Row<T>[], reader: ListReader, into: T): boolean {
  for (const row of rows) {
    if (row.optional && !reader.nextIs(row.name)) continue;
    if (!row.read(reader, into)) return false;
  }
  return true;
}

/** Prints all `rows` in order, without the optional ones that `from` has no value for. */
export function printRows<T>(rows: readonly Row<T>[], printer: ListPrinter, from: T): void {
  for (const row of rows) {
    if (row.optional && !row.has(from)) continue;
    row.print(printer, from);
  }
}
