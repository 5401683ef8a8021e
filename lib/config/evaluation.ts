/**
 * From the layers of one role to the typed value of every parameter.
 *
 * Layers are merged first and expanded afterwards, so `$smtpd_tls_cert_file` in a global value sees
 * what the role's own table says. Every row is evaluated, whichever role reads it: a fault anywhere
 * in the file is found by whoever loads it.
 *
 * @module
 */

import { Evaluator, EXPANDED_LENGTH_MAX, ExpansionError } from "./expand.ts";
import { type FindingList, quote } from "./findings.ts";
import { readValue } from "./kinds.ts";
import type { Assignment, Layers } from "./layers.ts";
import {
  isObeyed,
  type Parameter,
  parameterRow,
  PARAMETERS,
  type Parameters,
  type RoleName,
} from "./parameters.ts";

/** What an evaluation starts from. */
export interface EvaluationInput {
  readonly layers: Layers;
  readonly role: RoleName;
  /** Assignments of `-o`; none when `role` is not the one that is being started. */
  readonly overrides: ReadonlyMap<string, Assignment>;
  /** Values that the program itself gives, by name. */
  readonly given: ReadonlyMap<string, string>;
  /** As OpenSSL_version_num(); two defaults change with 3.5. */
  readonly openSslVersionNumber?: number;
  readonly findings: FindingList;
}

/** What came out. Meaningless as settings when the findings hold an error. */
export interface Evaluation {
  readonly parameters: Partial<Parameters>;
  /** The assignment that won, by name. */
  readonly assigned: ReadonlyMap<string, Assignment>;
}

const EXPRESSION_HINT = 'expressions are written as in main.cf; a real dollar sign is "$$"';
const OPENSSL_3_5 = 0x30500000;

/** Evaluates all rows for one role. Never throws because of what a file says. */
export function evaluate(input: EvaluationInput): Evaluation {
  const { layers, role, overrides, given, findings } = input;
  const assigned = new Map([...layers.global, ...layers.roles[role], ...overrides]);
  const evaluator = new Evaluator((name) => {
    const row = parameterRow(name);
    const forced = row?.readOnly ? given.get(name) ?? "" : undefined;
    if (forced !== undefined) return literally(forced);
    const text = assigned.get(name)?.text;
    if (text !== undefined) return text;
    const own = given.get(name);
    if (own !== undefined) return literally(own);
    return row && initialOf(row, input.openSslVersionNumber ?? 0);
  });
  const parameters: Record<string, unknown> = {};
  // What a file sets goes first, so that a default which trips over it need not be told as well.
  const names = Object.keys(PARAMETERS);
  const byOrigin = [
    ...names.filter((n) => assigned.has(n)),
    ...names.filter((n) => !assigned.has(n)),
  ];
  for (const name of byOrigin) {
    parameters[name] = readRow(name, { evaluator, assigned, findings });
  }
  noteUndefined(evaluator, assigned, findings);
  return { parameters: parameters as Partial<Parameters>, assigned };
}

function initialOf(row: Parameter, openSslVersionNumber: number): string {
  if (openSslVersionNumber < OPENSSL_3_5) return row.initial;
  return row.initialFromOpenSsl35 ?? row.initial;
}

/** Text that expands to itself. */
function literally(text: string): string {
  return text.slice(0, EXPANDED_LENGTH_MAX).replaceAll("$", "$$$$");
}

interface Reach {
  readonly evaluator: Evaluator;
  readonly assigned: ReadonlyMap<string, Assignment>;
  readonly findings: FindingList;
}

function readRow(name: string, { evaluator, assigned, findings }: Reach): unknown {
  const row = PARAMETERS[name as keyof typeof PARAMETERS] as Parameter;
  const assignment = assigned.get(name);
  let text: string;
  try {
    text = evaluator.value(name);
  } catch (thrown) {
    if (!(thrown instanceof ExpansionError)) throw thrown;
    const owner = assigned.get(thrown.owner);
    if (owner === undefined && findings.hasErrors()) return undefined;
    findings.add(
      { severity: "error", message: thrown.message, hint: EXPRESSION_HINT },
      owner === undefined ? { key: thrown.owner } : placeOf(owner),
    );
    return undefined;
  }
  const { value, problems } = readValue(text, row);
  if (assignment !== undefined) {
    for (const problem of problems) findings.add(problem, placeOf(assignment));
    for (const message of remarks(row, text)) {
      findings.add({ severity: "warning", message }, placeOf(assignment));
    }
  } else if (!/^\$\w+$/.test(row.initial)) {
    // A default that is another parameter has the faults of that one, which are already told.
    for (const problem of problems) findings.add(problem, { key: name });
  }
  return value;
}

/** What there is to say about a parameter only because somebody sets it. */
function remarks(row: Parameter, text: string): string[] {
  if (row.readOnly) return ["Ignored: the program itself sets this one"];
  const said: string[] = [];
  if (row.deprecated !== undefined) said.push(`Deprecated: write ${row.deprecated}`);
  if (row.ignoredSince !== undefined) said.push(`Ignored, as by Postfix since ${row.ignoredSince}`);
  if (!isObeyed(row.obeyed, text)) said.push("Accepted, but nothing obeys it yet");
  return said;
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
      findings.add({ severity: "warning", message }, placeOf(assignment));
    }
  }
}

/** Where an assignment stands, as a finding wants it. */
export function placeOf({ key, place, file }: Assignment) {
  return { key, ...(place && { place }), ...(file !== undefined && { file }) };
}
