/**
 * From a TOML value to the one text that main.cf would hold for it.
 *
 * Everything after this step (layers, expansion, kinds) works on text only, so a quoted string is
 * always a right translation of main.cf, and native TOML types are a convenience.
 *
 * @module
 */

import { trimSpace } from "./blanks.ts";
import { quote } from "./findings.ts";
import { type Kind, LIST_MARKS, splitMaps } from "./kinds.ts";
import type { TomlValue } from "./toml_source.ts";

/** The canonical text, or in words why the value has none, and what to write instead. */
export type Canonical = { readonly text: string } | {
  readonly fault: string;
  readonly hint: string;
};

const WITH_ARRAYS: ReadonlySet<Kind> = new Set(["list", "protocols", "maps", "mask", "loglevel"]);
const WITH_INTEGERS: ReadonlySet<Kind> = new Set(["int", "time", "loglevel", "mask", "version"]);
const LEVELS_AS_NUMBERS = 2;

/**
 * Canonical text of `value` for a parameter of `kind`, whose list separators beside comma and white
 * space are `separators`. Without a kind (a name that is not ours), and for an obsolete name, every
 * plain form is taken.
 */
export function canonicalText(value: TomlValue, kind?: Kind, separators = ""): Canonical {
  return kind === "unread" ? textOf(value) : textOf(value, kind, separators);
}

function textOf(value: TomlValue, kind?: Kind, separators = ""): Canonical {
  switch (value.type) {
    case "string":
      return { text: trimText(value.text) };
    case "boolean":
      if (kind === undefined || kind === "bool") return { text: value.value ? "yes" : "no" };
      return {
        fault: `Cannot take ${value.value} here`,
        hint: "true and false are for yes/no only",
      };
    case "integer":
      return integerText(value, kind);
    case "array":
      return arrayText(value.items, kind, separators);
    case "float":
      return { fault: `Cannot take the number ${value.raw}`, hint: `write "${value.raw}"` };
    case "date":
      return { fault: `Cannot take a date or time: ${value.raw}`, hint: `write "${value.raw}"` };
    case "table":
      return { fault: "Cannot take a table here", hint: "write the value as a string" };
  }
}

/** Outer blanks removed; line breaks count as blanks, as in a continued line of main.cf. */
function trimText(text: string): string {
  return trimSpace(text.replace(/\r?\n/g, " "));
}

function integerText(value: { value: number; raw: string }, kind?: Kind): Canonical {
  if (kind === undefined) return { text: String(value.value) };
  if (!WITH_INTEGERS.has(kind)) {
    return { fault: `Cannot take the number ${value.raw} here`, hint: `write "${value.raw}"` };
  }
  if (kind === "mask") {
    if (value.value < 0) {
      const fault = `Cannot take ${value.raw} as a bit mask: it is negative`;
      return { fault, hint: "write names, or a number such as 0x10" };
    }
    return { text: `0x${value.value.toString(16)}` };
  }
  if (kind === "version" && (value.value < 0 || value.value > LEVELS_AS_NUMBERS)) {
    return {
      fault: `Cannot take the number ${value.raw} as a level`,
      hint: `write "${value.raw}"`,
    };
  }
  return { text: kind === "time" ? `${value.value}s` : String(value.value) };
}

function arrayText(items: readonly TomlValue[], kind?: Kind, separators = ""): Canonical {
  if (kind !== undefined && !WITH_ARRAYS.has(kind)) {
    const fault = "Cannot take an array here: the parameter is not a list";
    return { fault, hint: "write one value, in quotes" };
  }
  const elements: string[] = [];
  for (const item of items) {
    if (item.type === "integer" && (kind === "loglevel" || kind === "mask")) {
      const element = integerText(item, kind);
      if ("fault" in element) return element;
      elements.push(element.text);
    } else if (item.type !== "string") {
      const fault = `Cannot take an array with an element that is not a string: ${item.type}`;
      return { fault, hint: "write each element in quotes" };
    } else {
      const fault = elementFault(item.text, kind === undefined ? undefined : separators, kind);
      if (fault !== undefined) return { fault, hint: "each element is one word of the list" };
      elements.push(item.text);
    }
  }
  return { text: elements.join(", ") };
}

/** An element with a separator in it would be two; only an expression may hold some. */
function elementFault(
  element: string,
  separators: string | undefined,
  kind: Kind | undefined,
): string | undefined {
  if (trimSpace(element) === "") return "Cannot take an array with a blank element";
  if (separators === undefined || element.includes("$")) return undefined;
  // In a list of tables braces hold blanks and commas together.
  if (kind === "maps" && splitMaps(element).length === 1 && trimSpace(element) === element) {
    return undefined;
  }
  const marks = LIST_MARKS + separators;
  const mark = [...element].find((char) => marks.includes(char));
  if (mark === undefined) return undefined;
  return `Cannot take the element ${quote(element)}: ${quote(mark)} separates elements`;
}

/** One key of a table that is the value of a parameter. */
export interface Member {
  readonly name: string;
  readonly value: TomlValue;
}

/**
 * The `inline:` lookup table that a TOML table stands for: each key with its files. Names and files
 * are words without blanks, commas, braces and equals signs, which the text could not hold.
 */
export function inlineTableText(members: readonly Member[]): Canonical {
  const pairs: string[] = [];
  for (const { name, value } of members) {
    const files = value.type === "array" ? value.items : [value];
    if (files.length === 0) return refuseMember(name, "it has no files");
    const words: string[] = [];
    for (const file of files) {
      if (file.type !== "string") return refuseMember(name, "its value is not a string");
      words.push(file.text);
    }
    const bad = [name, ...words].find((word) => word === "" || /[\s,{}=]/.test(word));
    if (bad !== undefined) return refuseMember(name, `${quote(bad)} is not one plain word`);
    pairs.push(`{ ${name} = ${words.join(", ")} }`);
  }
  return { text: pairs.length === 0 ? "" : `inline:{ ${pairs.join(", ")} }` };
}

function refuseMember(name: string, found: string): Canonical {
  const fault = `Cannot take the key ${quote(name)} of a table: ${found}`;
  return { fault, hint: 'write { "name" = ["/path/of/file.pem"] }' };
}
