/**
 * From a cache parameter's value, `type:path`, to an open store.
 *
 * All of Postfix's table types that can be written to, and a name without a type, mean our append file;
 * its name gets a suffix of its own, so that a Berkeley DB or LMDB file of Postfix's is never touched.
 * `memory:` is a type of ours: entries end with the process.
 *
 * A relative path stands below `data_directory`. (Postfix opens it below the queue directory, finds that
 * this does not belong to `mail_owner`, and redirects it to the data directory: global/data_redirect.c.)
 *
 * Throws {@linkcode FatalError} for a database that cannot be used; nothing stays open then.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import type { CacheType } from "../proto/tlsmgr.ts";
import type { KeyValueStore } from "../store/key_value_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { Store, type StoreOptions } from "../store/store.ts";

/** Appended to the path in the parameter. */
export const FILE_SUFFIX = ".postern";

/** Where a cache keeps its entries; `path` is undefined for memory only. */
export interface DatabaseName {
  /** As Postfix shows it: `type:path`. */
  readonly shown: string;
  /** The append file. */
  readonly path: string | undefined;
}

/** Reads the value of `PARAMETER = type:path`, which is not empty. */
export function parseDatabaseName(
  parameter: string,
  value: string,
  folders: { data: string; defaultType: string },
): DatabaseName {
  const colon = value.indexOf(":");
  const type = colon < 0 ? folders.defaultType : value.slice(0, colon);
  const name = value.slice(colon + 1);
  const shown = `${type}:${name}`;
  if (type === "memory") return { shown, path: undefined };
  if (name === "" || name.endsWith("/")) {
    throw new FatalError(`Cannot open the cache of ${parameter} = ${value}: it names no file`, {
      hint: `Give a path after the type, for example ${type}:${folders.data}/smtpd_scache`,
    });
  }
  const path = name.startsWith("/") ? name : `${folders.data}/${name}`;
  return { shown, path: path + FILE_SUFFIX };
}

/** What an open store tells its owner. */
export type DatabaseEvents = Required<Pick<StoreOptions, "report" | "expired">>;

/** Opens the database of the cache `label`; `undefined` when none is configured. */
export function openDatabase(
  label: CacheType,
  settings: Settings,
  { report, expired }: DatabaseEvents,
): { name: DatabaseName; store: KeyValueStore } | undefined {
  const { parameters } = settings;
  const parameter = `${label}_tls_session_cache_database` as const;
  const value = parameters[parameter];
  if (value === "") return undefined;
  const name = parseDatabaseName(parameter, value, {
    data: parameters.data_directory,
    defaultType: parameters.default_database_type,
  });
  const store = name.path === undefined
    ? new MemoryStore({ expired })
    : Store.open(name.path, { report, expired, discard: !settings.cache[label].persist });
  return { name, store };
}
