/**
 * What is decided before the first line of a conversion is written: which assignment of a name counts,
 * which names are kept, and what master.cf's entries need to know of main.cf.
 *
 * @module
 */

import { parseLevel } from "../comparison.ts";
import { Evaluator, ExpansionError, mentionedNames } from "../expand.ts";
import { isForeignName } from "../foreign_names.ts";
import { parameterRow, PARAMETERS, type RoleName } from "../parameters.ts";
import type { MainCfItem, MainCfParameter } from "./main_cf.ts";
import type { MasterEntry } from "./master_cf.ts";

/** The decisions. */
export interface Plan {
  /** The assignments that count, by name. */
  readonly last: ReadonlyMap<string, MainCfParameter>;
  /** Those before them, by name. */
  readonly earlier: ReadonlyMap<string, readonly MainCfParameter[]>;
  /** Names that a kept value or a default mentions, however indirectly. */
  readonly mentioned: ReadonlySet<string>;
  /** What `$config_directory` means unless main.cf sets it. */
  readonly configDirectory: string;
  /** Names of main.cf that are not kept, in its order. */
  readonly leftOut: readonly string[];
  /**
   * Names that a parameter of ours needs and main.cf leaves to Postfix's default, which nobody here
   * knows; each with the first assignment that mentions it.
   */
  readonly lacking: ReadonlyMap<string, MainCfParameter | undefined>;
  /** Whether an assignment of `name` is converted. */
  keeps(name: string): boolean;
}

/** What master.cf's entries take from main.cf. */
export interface MainFacts {
  /** Expanded; `undefined` when it cannot be. */
  readonly queueDirectory: string | undefined;
  /** The name under which clients look for each role. */
  readonly serviceNames: Readonly<Record<RoleName, string>>;
  /** What a dash in the column chroot means: yes below level 1 (master_ent.c). */
  readonly chrootByDefault: boolean;
}

/** Looks at all assignments. With `oursOnly`, names that no row or kept value asks for are left out. */
export function makePlan(
  items: readonly MainCfItem[],
  entries: readonly MasterEntry[],
  options: { readonly oursOnly: boolean; readonly configDirectory: string },
): Plan {
  const last = new Map<string, MainCfParameter>();
  const earlier = new Map<string, MainCfParameter[]>();
  for (const item of items) {
    if (item.kind !== "parameter") continue;
    const before = last.get(item.name);
    const list = earlier.get(item.name);
    if (list !== undefined && before !== undefined) list.push(before);
    else if (before !== undefined) earlier.set(item.name, [before]);
    last.set(item.name, item);
  }
  const texts = new Map<string, string[]>();
  const overrides = entries.flatMap(({ options }) =>
    options.filter((option) => option.kind === "parameter")
  );
  for (const { name, value } of [...last.values(), ...overrides]) {
    const list = texts.get(name);
    if (list === undefined) texts.set(name, [value]);
    else list.push(value);
  }
  const isOurs = (name: string) => parameterRow(name) !== undefined;
  const textsOf = (filter: (name: string) => boolean) =>
    [...texts.keys()].filter(filter).flatMap((name) => texts.get(name) ?? []);
  const initials = Object.values(PARAMETERS).map(({ initial }) => initial);
  const needed = mentionedBy([...textsOf(isOurs), ...initials], texts);
  const mentioned = options.oursOnly
    ? needed
    : mentionedBy([...textsOf(() => true), ...initials], texts);
  const keeps = (name: string) => !options.oursOnly || isOurs(name) || needed.has(name);
  const lacking = new Map<string, MainCfParameter | undefined>();
  for (const name of needed) {
    if (isForeignName(name) && !texts.has(name)) lacking.set(name, undefined);
  }
  for (const parameter of last.values()) {
    for (const name of mentionedNames(parameter.value)) {
      if (lacking.has(name) && lacking.get(name) === undefined) lacking.set(name, parameter);
    }
  }
  return {
    last,
    earlier,
    mentioned,
    configDirectory: options.configDirectory,
    leftOut: [...last.keys()].filter((name) => !keeps(name)),
    lacking,
    keeps,
  };
}

/** All names that `start` mentions, and those that their `texts` mention, and so on. */
function mentionedBy(
  start: readonly string[],
  texts: ReadonlyMap<string, readonly string[]>,
): Set<string> {
  const names = new Set<string>();
  const waiting = [...start];
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    for (const name of mentionedNames(text)) {
      if (names.has(name)) continue;
      names.add(name);
      for (const more of texts.get(name) ?? []) waiting.push(more);
    }
  }
  return names;
}

/** Evaluates the few parameters that decide where services are. */
export function readMainFacts({ last, configDirectory }: Plan): MainFacts {
  const evaluator = new Evaluator((name) => {
    const value = last.get(name)?.value;
    if (value !== undefined) return value;
    if (name === "config_directory") return literalText(configDirectory);
    return name === "compatibility_level" ? "0" : parameterRow(name)?.initial;
  });
  const valueOf = (name: string): string | undefined => {
    try {
      return evaluator.value(name);
    } catch (thrown) {
      if (thrown instanceof ExpansionError) return undefined;
      throw thrown;
    }
  };
  const level = parseLevel(valueOf("compatibility_level") ?? "");
  return {
    queueDirectory: valueOf("queue_directory"),
    serviceNames: {
      tlsmgr: valueOf("tlsmgr_service_name") || "tlsmgr",
      tlsproxy: valueOf("tlsproxy_service_name") || "tlsproxy",
    },
    chrootByDefault: level !== undefined && level[0] < 1,
  };
}

/** Text that expands to `text`. */
export function literalText(text: string): string {
  return text.replaceAll("$", "$$$$");
}
