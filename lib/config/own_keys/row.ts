/**
 * The shape of a row of the tables of our own keys.
 *
 * @module
 */

import type { Obeyed, ParameterName } from "../parameters.ts";

/**
 * What a value must be. `text`: a string, empty for none; `octal`: file mode bits in a string;
 * `seconds`: an integer, or a string as a time parameter; `ratio`: a number of at least 1;
 * `socket`: an absolute path, "off", or empty; `loopback`: an absolute path, a port of the loopback's, or
 * empty.
 */
export type OwnKind =
  | "bool"
  | "int"
  | "seconds"
  | "ratio"
  | "enum"
  | "text"
  | "octal"
  | "socket"
  | "loopback";

/** One row. */
export interface OwnKey {
  readonly kind: OwnKind;
  readonly initial: boolean | number | string;
  /** Absent keys have the value of this parameter, and not `initial`. */
  readonly initialFrom?: ParameterName;
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly string[];
  /** @default {true} */
  readonly obeyed?: Obeyed;
  /** One line of plain text. */
  readonly help: string;
  /** A few sentences for the manual, in the markup of a parameter's text. */
  readonly text: string;
}

type OwnValueOf<K> = K extends { kind: "bool" } ? boolean
  : K extends { kind: "int" | "seconds" | "ratio" | "octal" } ? number
  : K extends { values: readonly (infer V extends string)[] } ? V
  : string;

/** Typed values of one table. */
export type OwnValues<T> = { readonly [K in keyof T]: OwnValueOf<T[K]> };
