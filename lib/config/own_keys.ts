/**
 * Our own settings, which Postfix does not have: one row a key, table by table.
 *
 * Values are literal: no `$name` is expanded here. The rows of `own_keys/` are the only place where a
 * name, kind and default is written; the typed settings are derived from them.
 *
 * @module
 */

import { type OwnKey } from "./own_keys/row.ts";
import {
  LISTENER_KEYS,
  SERVICE_KEYS,
  SERVICE_ROLE_KEYS,
  SERVICE_TLSPROXY_KEYS,
} from "./own_keys/service.ts";
import { LOG_KEYS, TLS_KEYS } from "./own_keys/tls_and_log.ts";
import { CACHE_KEYS, CACHE_NAMES, ENTROPY_KEYS, TICKET_KEYS } from "./own_keys/tlsmgr.ts";
import type { RoleName } from "./parameters.ts";

export type { OwnKey, OwnKind, OwnValues } from "./own_keys/row.ts";
export { LISTENER_KEYS, SERVICE_KEYS, SERVICE_ROLE_KEYS, SERVICE_TLSPROXY_KEYS };
export { LOG_KEYS, TLS_KEYS };
export { CACHE_KEYS, CACHE_NAMES, ENTROPY_KEYS, TICKET_KEYS };
export type { CacheName } from "./own_keys/tlsmgr.ts";

/** All tables by the name in their header. */
export const OWN_TABLES: ReadonlyMap<string, Readonly<Record<string, OwnKey>>> = new Map<
  string,
  Readonly<Record<string, OwnKey>>
>([
  ["service", SERVICE_KEYS],
  ["service.tlsmgr", SERVICE_ROLE_KEYS],
  ["service.tlsproxy", { ...SERVICE_ROLE_KEYS, ...SERVICE_TLSPROXY_KEYS }],
  ["cache", CACHE_KEYS],
  ...CACHE_NAMES.map((name) => [`cache.${name}`, CACHE_KEYS] as const),
  ["tls", TLS_KEYS],
  ["tickets", TICKET_KEYS],
  ["entropy", ENTROPY_KEYS],
  ["log", LOG_KEYS],
]);

/** The keys of `[instance.NAME]` beside `role`. */
export function instanceKeys(role: RoleName): Readonly<Record<string, OwnKey>> {
  return OWN_TABLES.get(`service.${role}`) ?? {};
}

/**
 * Keys that an instance does not have of `[service.ROLE]` where it does not set them: two services
 * cannot listen on one address.
 */
export const NOT_INHERITED = [
  "socket",
  "metrics",
  "control",
] as const satisfies readonly (keyof typeof SERVICE_ROLE_KEYS)[];

/** The table that has a key called `key`, for hints. */
export function tableWithKey(key: string): string | undefined {
  for (const [name, rows] of OWN_TABLES) {
    if (Object.hasOwn(rows, key)) return name;
  }
  return undefined;
}
