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
import { type Instance, type Layers, readOverrides, sortEntries } from "./layers.ts";
import { checkNames, checkRoleTables } from "./name_checks.ts";
import { nearestName } from "./near_miss.ts";
import {
  CACHE_KEYS,
  CACHE_NAMES,
  type CacheName,
  ENTROPY_KEYS,
  LOG_KEYS,
  type OwnValues,
  SERVICE_KEYS,
  SERVICE_ROLE_KEYS,
  SERVICE_TLSPROXY_KEYS,
  TICKET_KEYS,
  TLS_KEYS,
} from "./own_keys.ts";
import { mergeOwnValues, type OwnTableValues, readOwnValues } from "./own_values.ts";
import { type Parameters, ROLE_NAMES, type RoleName } from "./parameters.ts";
import { withoutEndSlashes } from "./paths.ts";
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

  let wanted: Evaluation | undefined;
  for (const service of servicesOf(layers)) {
    const isWanted = service.role === request.role && service.instance?.name === request.instance;
    const evaluation = evaluate({
      layers,
      ...service,
      overrides: isWanted ? overrides : new Map(),
      given: givenValues(givenTo(request, service)),
      ...(request.openSslVersionNumber !== undefined &&
        { openSslVersionNumber: request.openSslVersionNumber }),
      findings,
    });
    crossCheck(evaluation, { recycle, findings });
    if (isWanted) wanted = evaluation;
  }
  if (wanted === undefined) findings.add(noInstance(request, layers), {});
  if (wanted === undefined || findings.hasErrors()) return { findings: findings.inOrder() };
  const settings = combine(request, wanted.parameters as Parameters, own);
  return { settings, findings: findings.inOrder() };
}

interface ServiceName {
  readonly role: RoleName;
  readonly instance?: Instance;
}

/** Every service that a file describes: the two roles, and the instances. */
function servicesOf({ instances }: Layers): readonly ServiceName[] {
  return [
    ...ROLE_NAMES.map((role) => ({ role })),
    ...[...instances.values()].map((instance) => ({ role: instance.role, instance })),
  ];
}

function givenTo({ file, processId }: LoadRequest, { role, instance }: ServiceName): GivenTo {
  return {
    role,
    file,
    ...(instance !== undefined && { instance: instance.name }),
    ...(processId !== undefined && { processId }),
  };
}

function noInstance({ instance = "", role }: LoadRequest, { instances }: Layers) {
  const near = nearestName(instance, instances.keys());
  const message = `Cannot find the instance ${quote(instance)} of ${role}`;
  const hint = near === undefined ? `write [instance.${instance}]` : `did you mean ${near}`;
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
  const name = instance ??
    (role === "tlsmgr" ? parameters.tlsmgr_service_name : parameters.tlsproxy_service_name);
  // Two services cannot listen on one socket.
  const socketOf = instance === undefined ? places : places.slice(1);
  const socket = mergeOwnValues(SERVICE_ROLE_KEYS, own, socketOf).socket;
  const queue = withoutEndSlashes(parameters.queue_directory);
  const limits = (cache: CacheName) => mergeOwnValues(CACHE_KEYS, own, ["cache", `cache.${cache}`]);
  return {
    role,
    parameters,
    service: {
      ...ofService,
      ...ofRole,
      ...ofProxy,
      user: own.get("service")?.has("user") ? ofService.user : parameters.mail_owner,
      socket: socket !== "" ? socket : `${queue}/private/${name}`,
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
