/**
 * What `postern help TOPIC` knows beside the commands: manual pages, parameters, postern's own keys.
 *
 * @module
 */
import { OWN_TABLES } from "../../config/own_keys.ts";
import { parameterRow, PARAMETERS, ROLE_NAMES } from "../../config/parameters.ts";
import { isForeignName } from "../../config/foreign_names.ts";
import { nearestName } from "../../config/near_miss.ts";
import { type Block, literal, paragraph, plain } from "./markup.ts";
import { type Page, PAGE_NAMES, type PageName, readPage, titleOfPage } from "./page.ts";
import { ownKeyBlocks, ownKeyEntries, ownKeyRow, parameterBlocks } from "./setting_blocks.ts";

/** The blocks about `topic`, or nothing if there is no such topic. */
export function topicBlocks(topic: string): readonly Block[] | undefined {
  const page = pageNamed(topic);
  if (page !== undefined) return pageBlocks(readPage(page));
  const parameter = parameterRow(topic);
  if (parameter !== undefined) return below(topic, parameterBlocks(parameter));
  const key = ownKeyRow(topic);
  if (key !== undefined) return below(keyTitle(topic), ownKeyBlocks(key));
  const table = tableNamed(topic);
  return table === undefined ? undefined : below(`[${table}]`, [ownKeyEntries(table)]);
}

/** Whether there is something to say about `topic`. */
export function isTopic(topic: string): boolean {
  return pageNamed(topic) !== undefined || parameterRow(topic) !== undefined ||
    ownKeyRow(topic) !== undefined || tableNamed(topic) !== undefined;
}

/** All topics, each under one name; for suggestions and completion. */
export function topicNames(): readonly string[] {
  const keys = [...OWN_TABLES].flatMap(([table, rows]) =>
    Object.keys(rows).map((key) => `${table}.${key}`)
  );
  return [...PAGE_NAMES.map(bareName), ...Object.keys(PARAMETERS), ...keys];
}

/** What may have been meant by a topic that does not exist; half a sentence to begin a hint with. */
export function suggestTopic(word: string, commands: readonly string[]): string | undefined {
  if (isForeignName(word)) {
    return `${word} is a parameter of other programs of Postfix; see postconf(5)`;
  }
  const names = [...commands, ...topicNames()];
  const near = nearestName(word, names) ?? names.find((name) => name.endsWith(`.${word}`)) ??
    names.find((name) => name.startsWith(word));
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

/** A page by `postern.toml`, `postern.toml.5` or `postern.toml(5)`; that of a role by its name. */
function pageNamed(topic: string): PageName | undefined {
  const wanted = topic.replace(/\(([1-8])\)$/, ".$1");
  const isRole = ROLE_NAMES.some((role) => role === topic);
  return PAGE_NAMES.find((name) =>
    name === wanted || bareName(name) === wanted ||
    (isRole && bareName(name) === `postern-${topic}`)
  );
}

function bareName(name: PageName): string {
  return name.replace(/\.[1-8]$/, "");
}

function tableNamed(topic: string): string | undefined {
  const name = /^\[(.*)\]$/.exec(topic)?.[1] ?? topic;
  return OWN_TABLES.has(name) ? name : undefined;
}

/** `[cache] max_entries` */
function keyTitle(topic: string): string {
  const dot = topic.lastIndexOf(".");
  return `[${topic.slice(0, dot)}] ${topic.slice(dot + 1)}`;
}

function below(title: string, blocks: readonly Block[]): Block[] {
  return [{ kind: "entries", items: [{ term: [literal(title)], blocks }] }];
}

function pageBlocks(page: Page): Block[] {
  return [
    paragraph(titleOfPage(page)),
    { kind: "section", title: "Name" },
    { kind: "paragraph", spans: [literal(page.name), plain(` - ${page.about}`)] },
    ...page.blocks,
  ];
}
