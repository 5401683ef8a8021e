/**
 * Every Postfix parameter we know, one row each: kind, default, bounds, who reads it, what it is for.
 *
 * The rows of `parameters/` are the only place where a parameter's name and default are written.
 * Loading, checks, the typed settings, what is shown and the manual are derived from them; a parameter
 * more is a row more and nothing else. Defaults are the expressions that postconf -d prints, not their
 * results. Facts come from mail_params.h and the parameter tables of tlsmgr.c, tlsproxy.c and
 * tls_misc.c.
 *
 * @module
 */

import type { LogWord } from "./kinds.ts";
import { CLIENT_PARAMETERS } from "./parameters/client.ts";
import { CLIENT_DEFAULTS } from "./parameters/client_defaults.ts";
import { LIBRARY_PARAMETERS } from "./parameters/library.ts";
import { OBSOLETE_PARAMETERS } from "./parameters/obsolete.ts";
import { PROCESS_PARAMETERS } from "./parameters/process.ts";
import type { Obeyed, Parameter } from "./parameters/row.ts";
import { SERVER_PARAMETERS } from "./parameters/server.ts";
import { SERVER_DEFAULTS } from "./parameters/server_defaults.ts";
import { TLSMGR_PARAMETERS } from "./parameters/tlsmgr.ts";

export { type Obeyed, type Parameter, ROLE_NAMES, type RoleName } from "./parameters/row.ts";

/** All rows, section by section. */
export const PARAMETERS = {
  ...TLSMGR_PARAMETERS,
  ...SERVER_PARAMETERS,
  ...SERVER_DEFAULTS,
  ...CLIENT_PARAMETERS,
  ...CLIENT_DEFAULTS,
  ...LIBRARY_PARAMETERS,
  ...PROCESS_PARAMETERS,
  ...OBSOLETE_PARAMETERS,
} as const satisfies Record<string, Parameter>;

/** Rows that belong together. */
export interface Section {
  readonly title: string;
  readonly rows: Readonly<Record<string, Parameter>>;
}

/** All rows in the order of {@linkcode PARAMETERS}, each in one section. */
export const SECTIONS: readonly Section[] = [
  { title: "tlsmgr", rows: TLSMGR_PARAMETERS },
  { title: "tlsproxy, server role", rows: SERVER_PARAMETERS },
  { title: "Defaults of the server role", rows: SERVER_DEFAULTS },
  { title: "tlsproxy, client role", rows: CLIENT_PARAMETERS },
  { title: "Defaults of the client role", rows: CLIENT_DEFAULTS },
  { title: "TLS library", rows: LIBRARY_PARAMETERS },
  { title: "Process", rows: PROCESS_PARAMETERS },
  { title: "Obsolete names", rows: OBSOLETE_PARAMETERS },
];

export type ParameterName = keyof typeof PARAMETERS;

type ValueOf<P> = P extends { kind: "bool" } ? boolean
  : P extends { kind: "int" | "time" } ? number
  : P extends { kind: "list" | "protocols" | "maps" } ? readonly string[]
  : P extends { kind: "loglevel" } ? readonly LogWord[]
  : P extends { values: readonly (infer V extends string)[] } ? V
  : string;

/** The typed value of every parameter; times in seconds, lists split, words of enums lower case. */
export type Parameters = { readonly [N in ParameterName]: ValueOf<(typeof PARAMETERS)[N]> };

/** The row of `name`, or nothing for a name that is not in the table. */
export function parameterRow(name: string): Parameter | undefined {
  return Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name as ParameterName] : undefined;
}

/** Whether a part of the program acts on the text `value` of a row. */
export function isObeyed(obeyed: Obeyed | undefined, value: string): boolean {
  if (obeyed === undefined || typeof obeyed === "boolean") return obeyed ?? true;
  return "only" in obeyed ? obeyed.only.includes(value) : !obeyed.except.includes(value);
}
