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
import { type GivenTo, givenValues } from "./dictionary.ts";
import { evaluate, type Evaluation } from "./evaluation.ts";
import { type Finding, FindingList, quote } from "./findings.ts";
import { type Layers, readOverrides, sortEntries } from "./layers.ts";
import { checkNames, checkRoleTables } from "./name_checks.ts";
import { nearestName } from "./near_miss.ts";
import {
  CACHE_KEYS,
  CACHE_NAMES,
  type CacheName,
  ENTROPY_KEYS,
  LOG_KEYS,
  NOT_INHERITED,
  type OwnValues,
  SERVICE_KEYS,
  SERVICE_ROLE_KEYS,
  SERVICE_TLSPROXY_KEYS,
  TICKET_KEYS,
  TLS_KEYS,
} from "./own_keys.ts";
import { mergeOwnValues, type OwnTableValues, readOwnValues } from "./own_values.ts";
import type { Parameters, RoleName } from "./parameters.ts";
import { withoutEndSlashes } from "./paths.ts";
import { checkPlaces } from "./place_checks.ts";
import { RivalChecks } from "./rival_checks.ts";
import { type ServiceName, servicesOf } from "./services.ts";
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
  /** The `[instance.NAME]` to load; its role is `role`. Without it the role's plain service. */
  readonly instance?: string;
  /** For `$service_name`, where master(8) says it; else the name of the instance, or the role. */
  readonly serviceName?: string;
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
  /** Where the service is to be found, as far as the text can be read; absent: there is none. */
  readonly whereabouts?: Whereabouts;
}

/** What of the settings says where a service is to be found. */
export type Whereabouts = Pick<ServiceSettings, "mode" | "socket" | "control">;

/**
 * `[service]` and `[service.ROLE]` in one. For an instance its own keys lie over those.
 * `socket` is never empty; `workers` is 1 for tlsmgr, and 0 stands for one a core; `drain_timeout`
 * counts seconds; `user` is mail_owner where the file does not set it.
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
  /** Whose settings these are; absent for the role's plain service. */
  readonly instance?: string;
  readonly parameters: Parameters;
  readonly service: ServiceSettings;
  readonly cache: Readonly<Record<CacheName, CacheLimits>>;
  readonly tls: OwnValues<typeof TLS_KEYS>;
  readonly tickets: OwnValues<typeof TICKET_KEYS>;
  readonly entropy: OwnValues<typeof ENTROPY_KEYS>;
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
  const { strict, recycle } = mergeOwnValues(SERVICE_KEYS, own, ["service"]);
  checkNames({ layers, overrides, strict, findings });
  checkRoleTables(layers, findings);
  checkPlaces(layers.own, findings);

  let wanted: Evaluation | undefined;
  const rivals = new RivalChecks(layers.own, findings);
  for (const service of servicesOf(layers)) {
    const { role } = service;
    const isWanted = role === request.role && service.instance === request.instance;
    const instance = layers.instances.get(service.instance ?? "");
    const evaluation = evaluate({
      layers,
      role,
      ...(service.instance !== undefined && instance !== undefined && { instance }),
      overrides: isWanted ? overrides : new Map(),
      given: givenValues({
        ...givenTo(request, service),
        ...(isWanted && request.serviceName !== undefined && { serviceName: request.serviceName }),
      }),
      ...(request.openSslVersionNumber !== undefined &&
        { openSslVersionNumber: request.openSslVersionNumber }),
      findings,
    });
    crossCheck(evaluation, { recycle, findings });
    rivals.add(service, evaluation, socketOf(service, evaluation.parameters, own));
    if (isWanted) wanted = evaluation;
  }
  if (wanted === undefined) findings.add(noInstance(request, layers), {});
  if (wanted === undefined) return { findings: findings.inOrder() };
  const whereabouts = whereaboutsOf(request, wanted.parameters, own);
  if (findings.hasErrors()) return { findings: findings.inOrder(), whereabouts };
  const settings = combine(request, wanted.parameters as Parameters, own);
  return { settings, findings: findings.inOrder(), whereabouts };
}

function whereaboutsOf(
  { role, instance }: LoadRequest,
  parameters: Partial<Parameters>,
  own: OwnTableValues,
): Whereabouts {
  const service = { role, ...(instance !== undefined && { instance }) };
  const { control } = mergeOwnValues(SERVICE_ROLE_KEYS, own, [tableOf(service)]);
  const { mode } = mergeOwnValues(SERVICE_KEYS, own, ["service"]);
  return { mode, socket: socketOf(service, parameters, own), control };
}

/** The table with the keys that no other service has. */
function tableOf({ role, instance }: ServiceName): string {
  return instance === undefined ? `service.${role}` : `instance.${instance}`;
}

function givenTo({ file, processId }: LoadRequest, service: ServiceName): GivenTo {
  return { ...service, file, ...(processId !== undefined && { processId }) };
}

/** The path of the socket; where a parameter is faulty, another one. */
function socketOf(
  service: ServiceName,
  parameters: Partial<Parameters>,
  own: OwnTableValues,
): string {
  const { role, instance } = service;
  const { socket } = mergeOwnValues(SERVICE_ROLE_KEYS, own, [tableOf(service)]);
  if (socket !== "") return socket;
  const name = instance ??
    (role === "tlsmgr" ? parameters.tlsmgr_service_name : parameters.tlsproxy_service_name);
  return `${withoutEndSlashes(parameters.queue_directory ?? "")}/private/${name ?? role}`;
}

function noInstance({ instance = "", role }: LoadRequest, { instances }: Layers) {
  const message = `Cannot find the instance ${quote(instance)} of ${role}`;
  const other = instances.get(instance)?.role;
  const near = nearestName(instance, instances.keys());
  const hint = other !== undefined
    ? `it is one of ${other}`
    : near !== undefined
    ? `did you mean ${near}`
    : `write [instance.${instance}]`;
  return { severity: "error", message, hint } as const;
}

function combine(
  { role, instance }: LoadRequest,
  parameters: Parameters,
  own: OwnTableValues,
): Settings {
  const places = [`service.${role}`, ...(instance === undefined ? [] : [`instance.${instance}`])];
  const ofRole = mergeOwnValues(SERVICE_ROLE_KEYS, own, places);
  const ofProxy = mergeOwnValues(SERVICE_TLSPROXY_KEYS, own, places);
  const ofService = mergeOwnValues(SERVICE_KEYS, own, ["service"]);
  const limits = (cache: CacheName) => mergeOwnValues(CACHE_KEYS, own, ["cache", `cache.${cache}`]);
  return {
    role,
    ...(instance !== undefined && { instance }),
    parameters,
    service: {
      ...ofService,
      ...ofRole,
      ...ofProxy,
      user: own.get("service")?.has("user") ? ofService.user : parameters.mail_owner,
      ...pick(mergeOwnValues(SERVICE_ROLE_KEYS, own, places.slice(-1)), NOT_INHERITED),
      socket: socketOf({ role, ...(instance !== undefined && { instance }) }, parameters, own),
      workers: role === "tlsmgr" ? 1 : ofProxy.workers,
    },
    cache: Object.fromEntries(
      CACHE_NAMES.map((cache) => [cache, limits(cache)]),
    ) as Settings["cache"],
    tickets: mergeOwnValues(TICKET_KEYS, own, ["tickets"]),
    entropy: mergeOwnValues(ENTROPY_KEYS, own, ["entropy"]),
    tls: mergeOwnValues(TLS_KEYS, own, ["tls"]),
    log: mergeOwnValues(LOG_KEYS, own, ["log"]),
  };
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}
