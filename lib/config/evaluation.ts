/**
 * From the layers of one role to the typed value of every parameter.
 *
 * Layers are merged first and expanded afterwards, so `$smtpd_tls_cert_file` in a global value sees
 * what the role's own table says. Every row is evaluated, whichever role reads it: a fault anywhere
 * in the file is found by whoever loads it.
 *
 * @module
 */

import { buildDictionary, type DictionaryInput } from "./dictionary.ts";
import { type Evaluator, ExpansionError, mentionedNames } from "./expand.ts";
import { type FindingList, type Problem, quote } from "./findings.ts";
import { isForeignName } from "./foreign_names.ts";
import { readValue } from "./kinds.ts";
import type { Assignment } from "./layers.ts";
import {
  isObeyed,
  type Parameter,
  parameterRow,
  PARAMETERS,
  type Parameters,
} from "./parameters.ts";

/** What an evaluation starts from. */
export interface EvaluationInput extends DictionaryInput {
  readonly findings: FindingList;
}

/** What came out. Meaningless as settings when the findings hold an error. */
export interface Evaluation {
  readonly parameters: Partial<Parameters>;
  /** The assignment that won, by name. */
  readonly assigned: ReadonlyMap<string, Assignment>;
}

const EXPRESSION_HINT = 'expressions are written as in main.cf; a real dollar sign is "$$"';

/** Evaluates all rows for one role. Never throws because of what a file says. */
export function evaluate(input: EvaluationInput): Evaluation {
  const { findings } = input;
  const { assigned, evaluator } = buildDictionary(input);
  const parameters: Record<string, unknown> = {};
  const faultyDefaults: FaultyDefault[] = [];
  // What a file sets goes first, so that a default which trips over it need not be told as well.
  const names = Object.keys(PARAMETERS);
  const byOrigin = [
    ...names.filter((n) => assigned.has(n)),
    ...names.filter((n) => !assigned.has(n)),
  ];
  for (const name of byOrigin) {
    parameters[name] = readRow(name, { evaluator, assigned, findings, faultyDefaults });
  }
  // Mostly a default is at fault because of a value that has been told for itself.
  if (!findings.hasErrors()) {
    for (const { name, problem } of faultyDefaults) {
      const origin = originOf(parameterRow(name)?.initial ?? "", assigned);
      findings.add(problem, origin === undefined ? { key: name } : placeOf(origin));
    }
  }
  noteUndefined(evaluator, assigned, findings);
  return { parameters: parameters as Partial<Parameters>, assigned };
}

/** A default that cannot be expanded with what the file sets. */
interface FaultyDefault {
  readonly name: string;
  readonly problem: Problem;
}

interface Reach {
  readonly evaluator: Evaluator;
  readonly assigned: ReadonlyMap<string, Assignment>;
  readonly findings: FindingList;
  readonly faultyDefaults: FaultyDefault[];
}

function readRow(name: string, { evaluator, assigned, findings, faultyDefaults }: Reach): unknown {
  const row = PARAMETERS[name as keyof typeof PARAMETERS] as Parameter;
  const assignment = assigned.get(name);
  let text: string;
  try {
    text = evaluator.value(name);
  } catch (thrown) {
    if (!(thrown instanceof ExpansionError)) throw thrown;
    const owner = assigned.get(thrown.owner);
    const problem: Problem = {
      severity: "error",
      message: thrown.message,
      hint: EXPRESSION_HINT,
    };
    if (owner !== undefined) findings.add(problem, placeOf(owner));
    else faultyDefaults.push({ name: thrown.owner, problem });
    return undefined;
  }
  const { value, problems } = readValue(text, row);
  if (assignment !== undefined) {
    for (const problem of problems) findings.add(problem, placeOf(assignment));
    for (const remark of remarks(row, text)) findings.add(remark, placeOf(assignment));
  } else if (!/^\$\w+$/.test(row.initial)) {
    // A default that is another parameter has the faults of that one, which are already told.
    const origin = originOf(row.initial, assigned);
    const where = origin === undefined ? { key: name } : placeOf(origin);
    for (const problem of problems) findings.add(problem, where);
  }
  return value;
}

/** The assignment that `text` gets its value from, directly or through the defaults it mentions. */
function originOf(
  text: string,
  assigned: ReadonlyMap<string, Assignment>,
  passed = new Set<string>(),
): Assignment | undefined {
  for (const name of mentionedNames(text)) {
    if (passed.has(name)) continue;
    passed.add(name);
    const origin = assigned.get(name) ??
      originOf(parameterRow(name)?.initial ?? "", assigned, passed);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** What there is to say about a parameter only because somebody sets it. */
function* remarks(row: Parameter, text: string): Generator<Problem> {
  const { deprecated, ignoredSince, instead, noEffect } = row;
  const warn = (message: string, hint?: string): Problem => ({
    severity: "warning",
    message,
    ...(hint !== undefined && { hint }),
  });
  if (row.readOnly) {
    yield warn("Ignored: the program itself sets this one", "leave it out");
    return;
  }
  if (deprecated !== undefined) yield warn(`Deprecated: ${deprecated}`);
  if (noEffect !== undefined) yield { severity: "note", message: `No effect: ${noEffect}` };
  if (isObeyed(row.obeyed, text)) {
    if (ignoredSince === undefined || row.obeyed !== undefined) return;
  } else if (ignoredSince === undefined) {
    yield warn("Accepted, but nothing obeys it yet");
    return;
  }
  yield warn(`Ignored, as by Postfix since ${ignoredSince}`, instead ?? "leave it out");
}

function noteUndefined(
  evaluator: Evaluator,
  assigned: ReadonlyMap<string, Assignment>,
  findings: FindingList,
): void {
  for (const [name, owners] of evaluator.undefinedNames) {
    for (const owner of owners) {
      const assignment = assigned.get(owner);
      if (assignment === undefined) continue;
      const message = `Undefined parameter: ${quote(`$${name}`)} expands to nothing`;
      const hint = isForeignName(name)
        ? `its default belongs to another program of Postfix's; set ${name} too`
        : `set ${name}, or remove it from the value`;
      findings.add({ severity: "warning", message, hint }, placeOf(assignment));
    }
  }
}

/** Where an assignment stands, as a finding wants it. */
export function placeOf({ key, place, file }: Assignment) {
  return { key, ...(place && { place }), ...(file !== undefined && { file }) };
}
