/**
 * A TOML file being written, and the list of what was written where.
 *
 * The list is what the finished text is compared with, and how a place in it is told as a place in the
 * file that it was made from.
 *
 * @module
 */

import { parameterRow } from "../parameters.ts";
import { tomlComment, tomlKey, tomlNative, tomlPath, tomlString } from "./toml_text.ts";

/** A place in a file that was converted. */
export interface Source {
  readonly file: string;
  readonly line: number;
}

/** One key that was written. */
export interface WrittenKey {
  /** From the top of the file. */
  readonly path: readonly string[];
  /** A Postfix-named parameter, or a key of ours. */
  readonly kind: "parameter" | "own";
  /** What the loader must find, as canonical text. */
  readonly text: string;
  /** Line of the TOML text, counted from 1. */
  readonly line: number;
  readonly source: Source | undefined;
}

/** How parameters are written: as strings, or as arrays, integers and booleans where these fit. */
export type ImportStyle = "native" | "strings";

/** Writes line by line. */
export class TomlWriter {
  readonly keys: WrittenKey[] = [];
  readonly #sources = new Map<number, Source>();
  readonly #chunks: string[] = [];
  #table: readonly string[] = [];
  #line = 1;
  #lastIsBlank = true;
  readonly style: ImportStyle;

  constructor(style: ImportStyle) {
    this.style = style;
  }

  /** Everything so far. */
  get text(): string {
    return this.#chunks.join("");
  }

  /** Where line `line` comes from; nothing for a line that was not in a converted file. */
  sourceOf(line: number): Source | undefined {
    return this.#sources.get(line);
  }

  /** One comment line; characters that TOML forbids become visible. */
  comment(text: string): void {
    this.#write(`${tomlComment(text)}\n`);
  }

  /** A blank line, unless there is one already. */
  gap(): void {
    if (!this.#lastIsBlank) this.blank();
  }

  blank(): void {
    this.#write("\n");
    this.#lastIsBlank = true;
  }

  /** Keys that follow belong to the table `path`. */
  table(path: readonly string[], source?: Source): void {
    this.gap();
    this.#table = path;
    this.#note(source);
    this.#write(`[${tomlPath(path)}]\n`);
  }

  /** A parameter whose text in main.cf is `text`. */
  parameter(name: string, text: string, source?: Source): void {
    const value = this.style === "native" ? tomlNative(text, parameterRow(name)) : undefined;
    this.#key({ name, kind: "parameter", text, value: value ?? tomlString(text), source });
  }

  /** A key of ours. */
  ownKey(name: string, value: string | number | true, source?: Source): void {
    const text = value === true ? "yes" : String(value);
    const written = typeof value === "string" ? tomlString(value) : String(value);
    this.#key({ name, kind: "own", text, value: written, source });
  }

  #key(
    { name, value, source, ...key }: Pick<WrittenKey, "kind" | "text" | "source"> & {
      name: string;
      value: string;
    },
  ): void {
    this.#note(source);
    this.keys.push({ ...key, path: [...this.#table, name], line: this.#line, source });
    this.#write(`${tomlKey(name)} = ${value}\n`);
  }

  #note(source: Source | undefined): void {
    if (source !== undefined) this.#sources.set(this.#line, source);
  }

  #write(chunk: string): void {
    this.#chunks.push(chunk);
    this.#line += chunk.split("\n").length - 1;
    this.#lastIsBlank = false;
  }
}
