/**
 * The parts of a TOML text as the scan sees them: statements, the shape of values, faults.
 *
 * @module
 */

/** What a value looks like, before anybody knows what it holds. */
export type Shape =
  | { readonly kind: "string" }
  | { readonly kind: "bare"; readonly raw: string; readonly means: BareKind }
  | { readonly kind: "array"; readonly items: readonly Shape[] }
  | { readonly kind: "table"; readonly members: readonly KeyValue[] };

/** What a value without quotes can be. */
export type BareKind = "boolean" | "integer" | "float" | "date";

/** `key = value`; offsets count UTF-16 code units from the start of the text. */
export interface KeyValue {
  readonly type: "key";
  readonly path: readonly string[];
  readonly shape: Shape;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly valueEnd: number;
}

/** `[table]` or `[[table]]`. */
export interface Header {
  readonly type: "header";
  readonly path: readonly string[];
  readonly array: boolean;
  readonly keyAt: number;
}

export type Statement = KeyValue | Header;

/** Text that is not TOML, and where. */
export class TomlFault extends Error {
  override readonly name = "TomlFault";
  readonly at: number;
  readonly hint: string;

  constructor(message: string, at: number, hint: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}
