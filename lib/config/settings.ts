/**
 * The settings of one role: text in, plain typed data out.
 *
 * Knows no files, sockets or OpenSSL. All faults of a text are found in one run, for both roles,
 * whichever is being started; there are settings only when none of them is an error. The result is
 * plain data that may be sent to another thread.
 *
 * @module
 */

import { crossCheck } from "./cross_checks.ts";
import { evaluate, type Evaluation, placeOf } from "./evaluation.ts";
import { mentionedNames } from "./expand.ts";
import { type Finding, FindingList } from "./findings.ts";
import { isForeignName } from "./foreign_names.ts";
import {
  type Assignment,
  type Layers,
  nearestParameter,
  readOverrides,
  sortEntries,
} from "./layers.ts";
import {
  CACHE_KEYS,
  CACHE_NAMES,
  type CacheName,
  LOG_KEYS,
  type OwnValues,
  SERVICE_KEYS,
  SERVICE_ROLE_KEYS,
  SERVICE_TLSPROXY_KEYS,
  TLS_KEYS,
} from "./own_keys.ts";
import { mergeOwnValues, type OwnTableValues, readOwnValues } from "./own_values.ts";
import { parameterRow, type Parameters, ROLE_NAMES, type RoleName } from "./parameters.ts";
import { readToml } from "./toml_source.ts";

export { type Finding, formatFinding } from "./findings.ts";
export type { LogWord } from "./kinds.ts";
export type { CacheName } from "./own_keys.ts";
export type { Parameters, RoleName } from "./parameters.ts";

/** What {@linkcode loadSettings} is given. */
export interface LoadRequest {
  /** The TOML text; empty means defaults only. */
  readonly text: string;
  /** Path of the text; findings repeat it, and its directory is the default of config_directory. */
  readonly file: string;
  readonly role: RoleName;
  /** `name=value` of each `-o`, in order. */
  readonly overrides: readonly string[];
  /** As OpenSSL_version_num(). Unknown counts as older than 3.5. */
  readonly openSslVersionNumber?: number;
  /** For `$process_id`. */
  readonly processId?: number;
}

/** Settings, or why there are none. */
export interface Loaded {
  readonly settings?: Settings;
  /** Errors and warnings in the order of the file. */
  readonly findings: readonly Finding[];
}

/**
 * `[service]` and `[service.ROLE]` in one. `socket` is never empty; `workers` is 1 for tlsmgr, and 0
 * stands for one a core; `drain_timeout` counts seconds.
 */
export type ServiceSettings =
  & OwnValues<typeof SERVICE_KEYS>
  & OwnValues<typeof SERVICE_ROLE_KEYS>
  & OwnValues<typeof SERVICE_TLSPROXY_KEYS>;

/** Limits and habits of one session cache; sizes in bytes, 0 is no limit. */
export type CacheLimits = OwnValues<typeof CACHE_KEYS>;

/** Everything a role needs to know, under the names of the file. */
export interface Settings {
  readonly role: RoleName;
  readonly parameters: Parameters;
  readonly service: ServiceSettings;
  readonly cache: Readonly<Record<CacheName, CacheLimits>>;
  readonly tls: OwnValues<typeof TLS_KEYS>;
  readonly log: OwnValues<typeof LOG_KEYS>;
}

/** Loads and checks everything. Never throws because of what the text or an option says. */
export function loadSettings(request: LoadRequest): Loaded {
  const findings = new FindingList(request.file);
  const document = readToml(request.text);
  for (const { place, ...problem } of document.faults) findings.add(problem, { place });
  const layers = sortEntries(document, findings);
  const overrides = readOverrides(request.overrides, findings);
  const own = readOwnValues(layers.own, findings);
  const strict = mergeOwnValues(SERVICE_KEYS, own, ["service"]).strict;
  checkNames({ layers, overrides, strict, findings });

  const evaluations = new Map<RoleName, Evaluation>();
  for (const role of ROLE_NAMES) {
    const evaluation = evaluate({
      layers,
      role,
      overrides: role === request.role ? overrides : new Map(),
      given: givenValues(role, request),
      ...(request.openSslVersionNumber !== undefined &&
        { openSslVersionNumber: request.openSslVersionNumber }),
      findings,
    });
    crossCheck(evaluation, findings);
    evaluations.set(role, evaluation);
  }
  if (findings.hasErrors()) return { findings: findings.inOrder() };
  const parameters = evaluations.get(request.role)?.parameters as Parameters;
  return {
    settings: combine(request.role, parameters, own),
    findings: findings.inOrder(),
  };
}

/** Values that the program gives; those of read-only names beat what a file says. */
function givenValues(role: RoleName, request: LoadRequest): ReadonlyMap<string, string> {
  const given = new Map([["process_name", role as string], ["service_name", role as string]]);
  if (request.processId !== undefined) given.set("process_id", String(request.processId));
  const slash = request.file.lastIndexOf("/");
  if (slash >= 0) given.set("config_directory", request.file.slice(0, Math.max(slash, 1)));
  return given;
}

function combine(role: RoleName, parameters: Parameters, own: OwnTableValues): Settings {
  const place = `service.${role}`;
  const ofRole = mergeOwnValues(SERVICE_ROLE_KEYS, own, [place]);
  const ofProxy = mergeOwnValues(SERVICE_TLSPROXY_KEYS, own, [place]);
  const name = role === "tlsmgr"
    ? parameters.tlsmgr_service_name
    : parameters.tlsproxy_service_name;
  const queue = parameters.queue_directory.replace(/(?<=.)\/+$/, "");
  const limits = (cache: CacheName) => mergeOwnValues(CACHE_KEYS, own, ["cache", `cache.${cache}`]);
  return {
    role,
    parameters,
    service: {
      ...mergeOwnValues(SERVICE_KEYS, own, ["service"]),
      ...ofRole,
      ...ofProxy,
      socket: ofRole.socket !== "" ? ofRole.socket : `${queue}/private/${name}`,
      workers: role === "tlsmgr" ? 1 : ofProxy.workers,
    },
    cache: Object.fromEntries(
      CACHE_NAMES.map((cache) => [cache, limits(cache)]),
    ) as Settings["cache"],
    tls: mergeOwnValues(TLS_KEYS, own, ["tls"]),
    log: mergeOwnValues(LOG_KEYS, own, ["log"]),
  };
}

/** A name that nobody knows and no value mentions is most likely misspelt. */
function checkNames(names: {
  layers: Layers;
  overrides: ReadonlyMap<string, Assignment>;
  strict: boolean;
  findings: FindingList;
}): void {
  const { layers, overrides, strict, findings } = names;
  const assignments = [
    ...layers.global.values(),
    ...ROLE_NAMES.flatMap((role) => [...layers.roles[role].values()]),
    ...layers.instances,
    ...overrides.values(),
  ];
  const mentioned = new Set(assignments.flatMap(({ text }) => mentionedNames(text)));
  for (const assignment of assignments) {
    const { name } = assignment;
    if (parameterRow(name) !== undefined || isForeignName(name) || mentioned.has(name)) continue;
    const near = nearestParameter(name);
    findings.add({
      severity: strict ? "error" : "warning",
      message: "Unused parameter: neither tlsmgr nor tlsproxy reads it",
      ...(near !== undefined && { hint: `did you mean ${near}` }),
    }, placeOf(assignment));
  }
}
