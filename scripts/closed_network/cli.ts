/**
 * Stand-in for `@std/cli` where JSR cannot be reached: `parseArgs` over `npm:minimist`.
 *
 * Offers the options `string`, `boolean`, `collect`, `negatable`, `alias`, `default`, `stopEarly`,
 * `unknown` (called with the argument only) and `--`. Where minimist and the original part ways, the
 * arguments are reworded before minimist sees them and the result is put right after it.
 *
 * @module
 */

import minimist from "minimist";

type OneOrMore<T extends string> = T | readonly T[];

/** What the arguments are read as; each member means what it means in `@std/cli`. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
> {
  boolean?: OneOrMore<B>;
  string?: OneOrMore<S>;
  collect?: OneOrMore<C>;
  negatable?: OneOrMore<string>;
  alias?: Record<string, OneOrMore<string>>;
  default?: D;
  stopEarly?: boolean;
  unknown?: (arg: string) => unknown;
  "--"?: boolean;
}

/** The options found, with what is no option under `_` (and what follows `--` under `--`). */
export type Args<B extends string, S extends string, C extends string, D> =
  & Record<string, unknown>
  & { [K in B]: boolean }
  & { [K in Extract<S, C>]: string[] }
  & { [K in Extract<Exclude<S, C>, keyof D>]: string }
  & { [K in Exclude<S, C | keyof D>]?: string }
  & { _: Array<string | number>; "--"?: string[] };

/** Names that minimist would read as a negation get this in front while it works. */
const SHIELD = "\u0000";

/** Stands for an equal sign that belongs to a name. */
const LAST_EQUALS = "\u0001";

function list(value: OneOrMore<string> | undefined): string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : [...value];
}

/** The names an option goes by, itself included, for every name of every option. */
function readAliases(alias: Record<string, OneOrMore<string>>): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const [name, others] of Object.entries(alias)) {
    const group = [name, ...list(others)];
    for (const member of group) groups.set(member, group);
  }
  return groups;
}

/** Reads `args` as `options` say. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
>(args: string[], options: ParseOptions<B, S, C, D> = {}): Args<B, S, C, D> {
  const groups = readAliases(options.alias ?? {});
  const spread = (names: OneOrMore<string> | undefined) =>
    new Set(list(names).flatMap((name) => groups.get(name) ?? [name]));
  const booleans = spread(options.boolean);
  const strings = spread(options.string);
  const collected = spread(options.collect);
  const negatable = spread(options.negatable);

  const inner = (name: string) =>
    name.startsWith("no-") && !negatable.has(name.slice(3)) ? SHIELD + name : name;
  const defaults: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options.default ?? {})) {
    for (const member of groups.get(name) ?? [name]) defaults[inner(member)] = value;
  }

  const original = new Map<string, string>();
  const end = args.indexOf("--");
  const reworded = args.map((arg, at) => {
    if (end >= 0 && at >= end) return arg;
    const text = reword(arg, args[at + 1], { inner, strings });
    original.set(text, arg);
    return text;
  });

  const { unknown } = options;
  const found: Record<string, unknown> & { _: Array<string | number> } = minimist(reworded, {
    boolean: [...booleans].map(inner),
    string: [...strings].map(inner),
    alias: Object.fromEntries(
      Object.entries(options.alias ?? {}).map(([name, others]) => [
        inner(name),
        list(others).map(inner),
      ]),
    ),
    default: defaults,
    stopEarly: options.stopEarly,
    "--": options["--"],
    ...(unknown && { unknown: (arg: string) => unknown(original.get(arg) ?? arg) !== false }),
  });

  const result: Record<string, unknown> = {};
  for (const [innerName, value] of Object.entries(found)) {
    const name = innerName.replace(SHIELD, "").replace(LAST_EQUALS, "=");
    const isDefault = Object.hasOwn(defaults, innerName) && defaults[innerName] === value;
    result[name] = isDefault ? value : settle(name, value, collected.has(name));
  }
  result._ = found._.map((arg) => typeof arg === "string" ? original.get(arg) ?? arg : arg);
  for (const name of strings) if (collected.has(name)) result[name] ??= [];
  return result as Args<B, S, C, D>;
}

/** `arg` in the words that make minimist do what the original does. */
function reword(
  arg: string,
  next: string | undefined,
  { inner, strings }: { inner: (name: string) => string; strings: ReadonlySet<string> },
): string {
  // Of a cluster of letters, the first takes what follows the equal sign; the others are lost.
  if (!arg.startsWith("--")) return arg.replace(/^(-[A-Za-z])[^=]+(?==.)/, "$1");
  const equals = arg.indexOf("=", 3);
  if (equals >= 0 && equals < arg.length - 1) return arg.replace(/^--no-(?=[^=])/, "--");
  // An equal sign with nothing after it is part of the name.
  const name = arg.slice(2);
  if (equals >= 0) return `--${inner(name).replace(/=$/, LAST_EQUALS)}`;
  // A lone dash and an empty word are never taken as the value of a long option.
  const alone = strings.has(name) && (next === "" || next === "-" || next?.startsWith("---"));
  return `--${inner(name)}${alone ? "=" : ""}`;
}

/** The last of several values counts, unless all are collected. */
function settle(name: string, value: unknown, collect: boolean): unknown {
  if (name === "_" || name === "--") return value;
  if (collect) return Array.isArray(value) ? value : [value];
  return Array.isArray(value) ? value.at(-1) : value;
}
