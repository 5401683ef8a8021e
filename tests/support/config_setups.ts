/**
 * Whole Postfix set-ups for comparisons: those of `tests/fixtures/postfix`, and one a round at random.
 *
 * @module
 */

import { Evaluator, ExpansionError } from "../../lib/config/expand.ts";
import { type Parameter, PARAMETERS } from "../../lib/config/parameters.ts";
import { randomExpression } from "./config_expressions.ts";
import { CASE_VALUES } from "./config_expansion_cases.ts";
import { supportPath } from "./paths.ts";
import type { Random } from "./random.ts";

/** The files of one instance. */
export interface Setup {
  readonly name: string;
  readonly mainCf: string;
  readonly masterCf: string;
}

// deno-fmt-ignore
const NAMES = [
  "tls_server", "tls_client", "sasl", "standard", "edge",
  "multi/primary", "multi/in", "multi/out", "multi/submission",
];

/** All of them. */
export function readSetups(): Setup[] {
  return NAMES.map((name) => {
    const folder = supportPath(`../fixtures/postfix/${name}`);
    const masterCf = ["tls_server", "multi/in", "multi/out"].includes(name)
      ? Deno.readTextFileSync(`${folder}/master.cf`)
      : "";
    return { name, mainCf: Deno.readTextFileSync(`${folder}/main.cf`), masterCf };
  });
}

/** Set otherwise below, or from where the file is. */
const NOT_SET = ["compatibility_level", "config_directory"];

/**
 * A main.cf that sets about every second of `names`, each to random text that may mention any of the
 * names before it, so that nothing goes in a circle. All of it can be expanded: one value that cannot
 * would end postconf whatever it is asked.
 */
export function randomSettings(random: Random, names: readonly string[]): string {
  const level = ["0", "1", "2", "3.6", "3.10", "3.11"][random(6)];
  const values = new Map(Object.entries({ ...CASE_VALUES, compatibility_level: level }));
  for (const name of names) {
    const row = PARAMETERS[name as keyof typeof PARAMETERS] as Parameter;
    if (row.readOnly || NOT_SET.includes(name) || random(2) === 0) continue;
    const mentionable = [...values.keys()];
    const mention = random(2) === 0 ? ` $${mentionable[random(mentionable.length)]}` : "";
    const text = `|${randomExpression(random, 2)}${mention}|`;
    values.set(name, canExpand(text, values) ? text : `|plain${mention}|`);
  }
  return [...values].map(([name, value]) => `${name} = ${value}\n`).join("");
}

function canExpand(text: string, values: ReadonlyMap<string, string>): boolean {
  const evaluator = new Evaluator((name) => name === SUBJECT ? text : values.get(name));
  try {
    evaluator.value(SUBJECT);
    return true;
  } catch (error) {
    if (error instanceof ExpansionError) return false;
    throw error;
  }
}

const SUBJECT = " subject";
