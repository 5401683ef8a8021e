/**
 * The layers of one role merged into one dictionary of texts, and the expander over it.
 *
 * From the lowest to the highest: the built-in default, the top level or `[parameters]`, the role's
 * table, one instance's parameters, `-o` options. What the program itself gives stands below all of
 * them, except for the read-only names, where it stands above. Merging comes before expansion, so
 * `$smtpd_tls_cert_file` in a global value sees what the role's own table says.
 *
 * @module
 */

import { Evaluator, EXPANDED_LENGTH_MAX } from "./expand.ts";
import type { Assignment, Instance, Layers } from "./layers.ts";
import { type Parameter, parameterRow, type RoleName } from "./parameters.ts";

/** What a dictionary is made from. */
export interface DictionaryInput {
  readonly layers: Layers;
  readonly role: RoleName;
  readonly instance?: Instance;
  /** Assignments of `-o`; none when `role` is not the one that is being started. */
  readonly overrides: ReadonlyMap<string, Assignment>;
  /** Values that the program itself gives, by name. */
  readonly given: ReadonlyMap<string, string>;
  /** As OpenSSL_version_num(); two defaults change with 3.5. */
  readonly openSslVersionNumber?: number;
}

/** Texts by name, before and after expansion. */
export interface Dictionary {
  /** The assignment that won, by name, of names that somebody set. */
  readonly assigned: ReadonlyMap<string, Assignment>;
  readonly evaluator: Evaluator;
  /** The text of `name` before expansion; `undefined` when nobody defined it. */
  textOf(name: string): string | undefined;
}

const OPENSSL_3_5 = 0x30500000;

/** Merges the layers. The expander keeps what it has evaluated; a dictionary is never changed. */
export function buildDictionary(input: DictionaryInput): Dictionary {
  const { layers, role, instance, overrides, given } = input;
  const assigned = new Map([
    ...layers.global,
    ...layers.roles[role],
    ...(instance?.parameters ?? []),
    ...overrides,
  ]);
  const textOf = (name: string): string | undefined => {
    const row = parameterRow(name);
    if (row?.readOnly) return literally(given.get(name) ?? "");
    const text = assigned.get(name)?.text;
    if (text !== undefined) return text;
    const own = given.get(name);
    if (own !== undefined) return literally(own);
    return row && initialOf(row, input.openSslVersionNumber ?? 0);
  };
  return { assigned, evaluator: new Evaluator(textOf), textOf };
}

/** For whom the program gives values. */
export interface GivenTo {
  readonly role: RoleName;
  /** Name of the instance, if it is one. */
  readonly instance?: string;
  /** What master(8) calls the service. @default {the instance, or else the role} */
  readonly serviceName?: string;
  /** Path of the settings file. */
  readonly file: string;
  readonly processId?: number;
}

/**
 * Values that the program itself gives: the read-only names, and the folder of the settings file for
 * config_directory, which a file may set as well.
 */
export function givenValues({ role, instance, serviceName, file, processId }: GivenTo) {
  const given = new Map<string, string>([
    ["process_name", role],
    ["service_name", serviceName ?? instance ?? role],
  ]);
  if (processId !== undefined) given.set("process_id", String(processId));
  const slash = file.lastIndexOf("/");
  if (slash >= 0) given.set("config_directory", file.slice(0, Math.max(slash, 1)));
  return given;
}

function initialOf(row: Parameter, openSslVersionNumber: number): string {
  if (openSslVersionNumber < OPENSSL_3_5) return row.initial;
  return row.initialFromOpenSsl35 ?? row.initial;
}

/** Text that expands to itself. */
function literally(text: string): string {
  return text.slice(0, EXPANDED_LENGTH_MAX).replaceAll("$", "$$$$");
}
