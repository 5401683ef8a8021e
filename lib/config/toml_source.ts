/**
 * TOML text as a flat list of keys with their values and places.
 *
 * The structure (statements, tables, repeated keys) is ours, the meaning of each single value is the
 * TOML package's. Refuses what TOML refuses: a key or a table given twice, a table that is also a
 * value, an array of tables that is also a table. A refused statement is left out and noted; the
 * rest of the file is still read.
 *
 * No name of the file ever becomes a property name of an object: `__proto__` is a key like others.
 *
 * @module
 */

import { parse } from "@std/toml";
import { type Place, type Problem, quote } from "./findings.ts";
import { PlaceIndex } from "./toml_places.ts";
import { portableValue } from "./toml_portable.ts";
import { scanStatements } from "./toml_scan.ts";
import { type KeyValue, type Shape, TomlFault } from "./toml_shape.ts";

/** Longest text that is read, in UTF-16 code units. */
export const TEXT_LENGTH_MAX = 1 << 20;

/** A value of the file. What a package could blur (`1` and `1.0`, dates) is told apart here. */
export type TomlValue =
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "integer"; readonly value: number; readonly raw: string }
  | { readonly type: "float" | "date"; readonly raw: string }
  | { readonly type: "array"; readonly items: readonly TomlValue[] }
  | { readonly type: "table" };

/** One key with a value. Inline tables are spread into their members. */
export interface TomlEntry {
  /** Table names and the key; an element of an array of tables has its number as a name. */
  readonly path: readonly string[];
  readonly value: TomlValue;
  readonly place: Place;
}

/** One table header or inline table. */
export interface TomlTable {
  readonly path: readonly string[];
  readonly place: Place;
  /** An element of an array of tables. */
  readonly array: boolean;
}

export interface TomlDocument {
  readonly entries: readonly TomlEntry[];
  readonly tables: readonly TomlTable[];
  readonly faults: readonly (Problem & { readonly place?: Place })[];
}

/** Reads TOML. Never throws because of the text; a text that is no TOML has faults instead. */
export function readToml(text: string): TomlDocument {
  if (text.length > TEXT_LENGTH_MAX) {
    const message =
      `Cannot read the file: ${text.length} characters, more than the limit of ${TEXT_LENGTH_MAX}`;
    const hint = "is this the right file?";
    return { entries: [], tables: [], faults: [{ severity: "error", message, hint }] };
  }
  const reader = new Reader(text.startsWith("\uFEFF") ? ` ${text.slice(1)}` : text);
  return reader.read();
}

const VALUE_HINT = "text stands in quotes; backslashes need none in '...', and two each in \"...\"";

/** What already stands at a name. */
interface Node {
  kind: "implicit" | "header" | "dotted" | "array" | "value";
  readonly at: number;
  children: Map<string, Node>;
  /** Elements so far, of an array of tables. */
  count: number;
}

class Reader {
  readonly #text: string;
  readonly #places: PlaceIndex;
  readonly #root = newNode("header", 0);
  readonly #entries: TomlEntry[] = [];
  readonly #tables: TomlTable[] = [];
  readonly #faults: (Problem & { place: Place })[] = [];

  constructor(text: string) {
    this.#text = text;
    this.#places = new PlaceIndex(text);
  }

  read(): TomlDocument {
    const { statements, faults } = scanStatements(this.#text, unquote);
    for (const fault of faults) this.#note(fault);
    let table: { node: Node; path: readonly string[] } | undefined = { node: this.#root, path: [] };
    for (const statement of statements) {
      if (statement.type === "header") {
        // Keys below a refused header belong to nobody, and are passed over.
        table = this.#tryTo(() => this.#openTable(statement));
      } else if (table !== undefined) {
        const { node, path } = table;
        this.#tryTo(() => this.#assign(node, path, statement));
      }
    }
    return { entries: this.#entries, tables: this.#tables, faults: this.#faults };
  }

  #tryTo<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (thrown) {
      if (!(thrown instanceof TomlFault)) throw thrown;
      this.#note(thrown);
      return undefined;
    }
  }

  #note(fault: TomlFault): void {
    this.#faults.push({
      severity: "error",
      message: fault.message,
      hint: fault.hint,
      place: this.#places.of(fault.at),
    });
  }

  #openTable(header: { path: readonly string[]; array: boolean; keyAt: number }) {
    const { path, array, keyAt } = header;
    let node = this.#root;
    const full: string[] = [];
    for (const [i, name] of path.entries()) {
      full.push(name);
      const last = i === path.length - 1;
      let child = node.children.get(name);
      if (child === undefined) {
        child = newNode(last ? (array ? "array" : "header") : "implicit", keyAt);
        node.children.set(name, child);
      } else if (child.kind === "value") {
        throw this.#twice(`the table [${path.join(".")}]`, `${full.join(".")} is a value`, {
          at: keyAt,
          earlier: child.at,
        });
      } else if (last && (array ? child.kind !== "array" : child.kind !== "implicit")) {
        throw this.#twice(`the table [${path.join(".")}]`, "given twice", {
          at: keyAt,
          earlier: child.at,
        });
      } else if (last && !array) {
        child.kind = "header";
      }
      if (child.kind === "array") {
        if (last) {
          child.count++;
          child.children = new Map();
        }
        full.push(String(child.count - 1));
      }
      node = child;
    }
    this.#tables.push({ path: full, place: this.#places.of(keyAt), array });
    return { node, path: full };
  }

  #assign(table: Node, tablePath: readonly string[], pair: KeyValue): void {
    const node = this.#claim(table, pair);
    const path = [...tablePath, ...pair.path];
    const place = this.#places.of(pair.keyAt);
    if (pair.shape.kind === "table") {
      this.#tables.push({ path, place, array: false });
      for (const member of pair.shape.members) {
        this.#tryTo(() => this.#assign(node, path, member));
      }
      return;
    }
    this.#entries.push({ path, value: this.#valueOf(pair), place });
  }

  /** Takes the name of `pair` below `table`, or finds it taken. */
  #claim(table: Node, pair: KeyValue): Node {
    let node = table;
    for (const [i, name] of pair.path.entries()) {
      const last = i === pair.path.length - 1;
      let child = node.children.get(name);
      if (child === undefined) {
        child = newNode(last ? "value" : "dotted", pair.keyAt);
        node.children.set(name, child);
      } else if (last || child.kind !== "dotted") {
        const found = child.kind === "value" ? "given twice" : "it is also a table";
        throw this.#twice(`the key ${quoteKey(pair.path)}`, found, {
          at: pair.keyAt,
          earlier: child.at,
        });
      }
      node = child;
    }
    return node;
  }

  #twice(what: string, found: string, where: { at: number; earlier: number }): TomlFault {
    const { line } = this.#places.of(where.earlier);
    return new TomlFault(
      `Cannot take ${what}: ${found}, first in line ${line}`,
      where.at,
      "keep one of them",
    );
  }

  #valueOf(pair: KeyValue): TomlValue {
    const text = this.#text.slice(pair.valueAt, pair.valueEnd);
    try {
      return combine(pair.shape, parse(`v = ${portableValue(text)}\n`).v);
    } catch (cause) {
      throw new TomlFault(`Cannot read a value: ${reasonOf(cause)}`, pair.valueAt, VALUE_HINT);
    }
  }
}

function newNode(kind: Node["kind"], at: number): Node {
  return { kind, at, children: new Map(), count: 0 };
}

function quoteKey(path: readonly string[]): string {
  return quote(path.join("."));
}

/** Decodes one quoted key. Throws when it is none. */
function unquote(quoted: string): string {
  return String(parse(`v = ${portableValue(quoted)}\n`).v);
}

/** The first sentence of what the TOML package has to say; the rest is a picture of our excerpt. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split("\n")[0].replace(/^Invalid TOML document: /, "").replace(
    /^Parse error on line \d+, column \d+: /,
    "",
  );
}

/** The package's value, with the kind that the source text shows. */
function combine(shape: Shape, parsed: unknown): TomlValue {
  switch (shape.kind) {
    case "string":
      return { type: "string", text: String(parsed) };
    case "table":
      return { type: "table" };
    case "array": {
      const items = Array.isArray(parsed) ? parsed : [];
      return { type: "array", items: shape.items.map((item, i) => combine(item, items[i])) };
    }
    case "bare":
      if (shape.means === "boolean") return { type: "boolean", value: shape.raw === "true" };
      if (shape.means !== "integer") return { type: shape.means, raw: shape.raw };
      return { type: "integer", value: safeInteger(shape.raw), raw: shape.raw };
  }
}

/** Some versions of the package hand over `0x10` as text, so the number is read from the source. */
function safeInteger(raw: string): number {
  const value = Number(raw.replaceAll("_", ""));
  if (!Number.isSafeInteger(value)) throw new RangeError(`the integer ${raw} is too large`);
  return value;
}
