/**
 * From a TOML value to the one text that main.cf would hold for it.
 *
 * Everything after this step (layers, expansion, kinds) works on text only, so a quoted string is
 * always a right translation of main.cf, and native TOML types are a convenience.
 *
 * @module
 */

import { quote } from "./findings.ts";
import type { Kind } from "./kinds.ts";
import type { TomlValue } from "./toml_source.ts";

/** The canonical text, or in words why the value has none, and what to write instead. */
export type Canonical = { readonly text: string } | {
  readonly fault: string;
  readonly hint?: string;
};

const WITH_ARRAYS: ReadonlySet<Kind> = new Set(["list", "mask", "loglevel"]);
const WITH_INTEGERS: ReadonlySet<Kind> = new Set(["int", "time", "loglevel", "mask", "version"]);
const LEVELS_AS_NUMBERS = 2;

/**
 * Canonical text of `value` for a parameter of `kind`, whose list separators beside comma and white
 * space are `separators`. Without a kind (a name that is not ours) every plain form is taken.
 */
export function canonicalText(value: TomlValue, kind?: Kind, separators = ""): Canonical {
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
  return text.replace(/\r?\n/g, " ").replace(/^[ \t\r\f\v]+|[ \t\r\f\v]+$/g, "");
}

function integerText(value: { value: number; raw: string }, kind?: Kind): Canonical {
  if (kind === undefined) return { text: String(value.value) };
  if (!WITH_INTEGERS.has(kind)) {
    return { fault: `Cannot take the number ${value.raw} here`, hint: `write "${value.raw}"` };
  }
  if (kind === "mask") {
    if (value.value < 0) return { fault: `Cannot take ${value.raw} as a bit mask: it is negative` };
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
    return { fault: "Cannot take an array here: the parameter is not a list" };
  }
  const elements: string[] = [];
  for (const item of items) {
    if (item.type === "integer" && (kind === "loglevel" || kind === "mask")) {
      const element = integerText(item, kind);
      if ("fault" in element) return element;
      elements.push(element.text);
    } else if (item.type !== "string") {
      return { fault: `Cannot take an array with an element that is not a string: ${item.type}` };
    } else {
      const fault = elementFault(item.text, kind === undefined ? undefined : separators);
      if (fault !== undefined) return { fault };
      elements.push(item.text);
    }
  }
  return { text: elements.join(", ") };
}

/** An element with a separator in it would be two; only an expression may hold some. */
function elementFault(element: string, separators: string | undefined): string | undefined {
  if (element.trim() === "") return "Cannot take an array with a blank element";
  if (separators === undefined || element.includes("$")) return undefined;
  const marks = `, \t\r\n${separators}`;
  const mark = [...element].find((char) => marks.includes(char));
  if (mark === undefined) return undefined;
  return `Cannot take the element ${quote(element)}: ${quote(mark)} separates elements`;
}
