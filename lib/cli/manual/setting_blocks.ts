/**
 * What a manual says about parameters and postern's own keys, made from their tables.
 *
 * @module
 */
import { ownText } from "../../config/describe.ts";
import { CACHE_NAMES, OWN_TABLES, type OwnKey } from "../../config/own_keys.ts";
import {
  type Obeyed,
  type Parameter,
  parameterRow,
  PARAMETERS,
  ROLE_NAMES,
  type RoleName,
} from "../../config/parameters.ts";
import {
  type Block,
  type Entry,
  literal,
  paragraph,
  plain,
  readMarkup,
  readSpans,
} from "./markup.ts";
import type { Span } from "./markup.ts";

type Fact = readonly [label: string, spans: readonly Span[]];

/** What a value must look like, by kind; bounds and words are added to it. */
const FORMS: Readonly<Record<Parameter["kind"] | OwnKey["kind"], string>> = {
  bool: "*yes* or *no*",
  int: "a whole number",
  time: "a time, with *s*, *m*, *h*, *d* or *w* behind the number",
  str: "a text",
  enum: "one word",
  path: "a path",
  list: "a list",
  protocols: "a list of protocols",
  maps: "a list of lookup tables",
  loglevel: "a list of words and numbers",
  mask: "a list of names, or a hexadecimal number",
  database: "*type:name*",
  version: "a version",
  unread: "anything; it is not looked at",
  seconds: "a number of seconds, or a time in quotes",
  ratio: "a number of at least 1.0",
  text: "a text in quotes",
  octal: "octal digits in quotes",
  socket: "an absolute path, *off*, or empty",
  loopback: "an absolute path, *HOST:PORT* of the loopback, or empty",
};

/** All there is to say about a parameter, without its name. */
export function parameterBlocks(row: Parameter): Block[] {
  return [...startBlocks(row), { kind: "facts", rows: parameterFacts(row) }];
}

/** All there is to say about one of our own keys, without its name. */
export function ownKeyBlocks(row: OwnKey): Block[] {
  return [...startBlocks(row), { kind: "facts", rows: ownKeyFacts(row) }];
}

/** The rows of a section of the table of parameters, as entries. */
export function parameterEntries(rows: Readonly<Record<string, Parameter>>): Block {
  const items = Object.entries(rows).map(([name, row]): Entry => ({
    term: [literal(name)],
    blocks: parameterBlocks(row),
  }));
  return { kind: "entries", items };
}

/** The keys of the table `[name]`, as entries. */
export function ownKeyEntries(name: string): Block {
  const items = Object.entries(OWN_TABLES.get(name) ?? {}).map(([key, row]): Entry => ({
    term: [literal(key)],
    blocks: ownKeyBlocks(row),
  }));
  return { kind: "entries", items };
}

/** Names, defaults and one line each of all parameters that `role` reads and obeys. */
export function roleParameterEntries(role: RoleName): Block {
  const items = Object.entries<Parameter>(PARAMETERS)
    .filter(([, row]) => row.roles.includes(role) && hasEffect(row))
    .map(([name, row]): Entry => ({
      term: [literal(name), plain(" ("), ...valueSpans(row.initial), plain(")")],
      blocks: [{ kind: "paragraph", spans: [plain(row.help)] }],
    }));
  return { kind: "entries", items };
}

/** A setting that nothing obeys, or only with some of its values. */
export interface Unheeded {
  readonly name: string;
  readonly obeyed: Exclude<Obeyed, true>;
}

/** Settings of `role` that have an effect in Postfix, or are ours, and that something is missing for. */
export function unheededSettings(role: RoleName): Unheeded[] {
  const rows = Object.entries<Parameter>(PARAMETERS)
    .filter(([, row]) => row.roles.includes(role))
    .filter(([, row]) => row.ignoredSince === undefined && row.noEffect === undefined);
  const other = ROLE_NAMES.filter((name) => name !== role).map((name) => `service.${name}`);
  const keys = [...OWN_TABLES].filter(([table]) => !other.includes(table) && !isNarrower(table))
    .flatMap(([table, rows]) =>
      Object.entries(rows).map(([key, row]) => [`${table}.${key}`, row] as const)
    );
  return [...rows, ...keys].flatMap(([name, { obeyed = true }]) =>
    obeyed === true ? [] : [{ name, obeyed }]
  );
}

/** The names of {@linkcode unheededSettings}, and the values that make the difference. */
export function unheededBlock(role: RoleName): Block {
  const settings = unheededSettings(role);
  const spans = settings.flatMap(({ name, obeyed }, i): Span[] => [
    ...(i === 0 ? [] : [plain(", ")]),
    literal(name),
    ...(obeyed === false ? [] : [plain(" ("), ...partSpans(obeyed), plain(")")]),
  ]);
  return { kind: "paragraph", spans: [...spans, plain(settings.length === 0 ? "None." : ".")] };
}

function isNarrower(table: string): boolean {
  return CACHE_NAMES.some((name) => table === `cache.${name}`);
}

function hasEffect(row: Parameter): boolean {
  return row.obeyed !== false && row.ignoredSince === undefined && row.noEffect === undefined;
}

function startBlocks({ help, text }: { help: string; text: string }): Block[] {
  return [paragraph(escapeMarks(help)), ...readMarkup(text)];
}

/** One line of help is plain text. */
function escapeMarks(help: string): string {
  return help.replaceAll("`", "'");
}

function parameterFacts(row: Parameter): Fact[] {
  const facts: Fact[] = [["Default", defaultSpans(row)], ["Value", formSpans(row)]];
  facts.push(["Read by", [
    plain(row.readOnly ? "nobody; the program sets it" : row.roles.join(", ")),
  ]]);
  facts.push(["Since", [
    plain(row.since === "2.0" ? "Postfix 2.0 or older" : `Postfix ${row.since}`),
  ]]);
  if (row.deprecated !== undefined) facts.push(["Deprecated", [plain(row.deprecated)]]);
  if (row.noEffect !== undefined) facts.push(["No effect", [plain(row.noEffect)]]);
  if (row.ignoredSince !== undefined) {
    const instead = row.instead === undefined ? "" : `; ${row.instead}`;
    facts.push(["Ignored", [plain(`as by Postfix since ${row.ignoredSince}${instead}`)]]);
  }
  if (hasEffect(row) || row.obeyed === false) facts.push(["Obeyed", obeyedSpans(row.obeyed)]);
  return facts;
}

function ownKeyFacts(row: OwnKey): Fact[] {
  const initial = row.initialFrom === undefined
    ? valueSpans(ownText(row))
    : [plain("the value of "), literal(row.initialFrom)];
  const facts: Fact[] = [["Default", initial], ["Value", formSpans(row)]];
  facts.push(["Obeyed", obeyedSpans(row.obeyed)]);
  return facts;
}

function defaultSpans({ initial, initialFromOpenSsl35: later }: Parameter): Span[] {
  const first = valueSpans(initial);
  if (later === undefined) return first;
  return [...first, plain("; with OpenSSL 3.5 and later "), ...valueSpans(later)];
}

/** A value as it stands in a file, or the word for an empty one. */
function valueSpans(text: string): Span[] {
  return text === "" ? [plain("empty")] : [literal(text)];
}

function formSpans(row: Parameter | OwnKey): Span[] {
  const { kind, values, min, max } = row;
  const isOwn = !("since" in row);
  if (values !== undefined && values.length > 0) {
    const words = values.map((word): Span => word === "" ? plain("empty") : literal(word));
    return words.flatMap((word, i) => [
      ...(i === 0 ? [] : [plain(i === words.length - 1 ? " or " : ", ")]),
      word,
    ]);
  }
  const form = isOwn && kind === "bool" ? "*true* or *false*" : FORMS[kind];
  const unit = kind === "time" || kind === "seconds" ? " s" : "";
  return [...readSpans(form), ...boundsSpans({ min, max, unit })];
}

function boundsSpans(
  { min, max, unit }: { min: number | undefined; max: number | undefined; unit: string },
): Span[] {
  if (min !== undefined && max !== undefined) return [plain(`; ${min} to ${max}${unit}`)];
  if (min !== undefined) return [plain(`; at least ${min}${unit}`)];
  return max === undefined ? [] : [plain(`; at most ${max}${unit}`)];
}

function obeyedSpans(obeyed: Obeyed | undefined): Span[] {
  if (obeyed === undefined || obeyed === true) return [plain("yes")];
  if (obeyed === false) return [plain("no; accepted, with a warning when it is set")];
  return "only" in obeyed ? partSpans(obeyed) : [plain("yes, but "), ...partSpans(obeyed)];
}

/** Which values make the difference: `only false`, `not syslog`. */
function partSpans(obeyed: Exclude<Obeyed, boolean>): Span[] {
  const words = ("only" in obeyed ? obeyed.only : obeyed.except)
    .flatMap((word, i) => [...(i === 0 ? [] : [plain(", ")]), ...valueSpans(word)]);
  return [plain("only" in obeyed ? "only " : "not "), ...words];
}

/** The row of a setting of ours, `cache.max_entries`; absent when there is none. */
export function ownKeyRow(name: string): OwnKey | undefined {
  const dot = name.lastIndexOf(".");
  const rows = OWN_TABLES.get(name.slice(0, Math.max(0, dot)));
  const key = name.slice(dot + 1);
  return rows !== undefined && Object.hasOwn(rows, key) ? rows[key] : undefined;
}

/** Whether `name` is a parameter, one of our own keys, or a table of them in brackets. */
export function isSettingName(name: string): boolean {
  return parameterRow(name) !== undefined || ownKeyRow(name) !== undefined ||
    OWN_TABLES.has(/^\[(.*)\]$/.exec(name)?.[1] ?? "");
}
