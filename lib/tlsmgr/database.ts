/**
 * From a cache parameter's value, `type:path`, to an open store.
 *
 * All of Postfix's table types that can be written to, and a name without a type, mean our append file;
 * its name gets a suffix of its own, so that a Berkeley DB or LMDB file of Postfix's is never touched.
 * `memory:` is a type of ours: entries end with the process.
 *
 * A path is taken from the queue directory, and a file that would stand in a folder of somebody else's goes
 * to the data directory instead, with two warnings (config/paths.ts).
 *
 * Throws {@linkcode FatalError} for a database that cannot be used; nothing stays open then.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { type FileGround, redirectIntoDataDirectory } from "../config/paths.ts";
import type { CacheLimits, Settings } from "../config/settings.ts";
import type { CacheType } from "../proto/tlsmgr.ts";
import { libcFileIo } from "../store/file_io.ts";
import type { KeyValueStore, StoreAdjustment } from "../store/key_value_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { Store, type StoreOptions } from "../store/store.ts";
import { opensslVersionNumber } from "../tls/version.ts";
import { fileGround } from "./file_ground.ts";

/** Appended to the path in the parameter. */
export const FILE_SUFFIX = ".postern";

/** Where a cache keeps its entries; `path` is undefined for memory only. */
export interface DatabaseName {
  /** As Postfix shows it: `type:path`. */
  readonly shown: string;
  /** The append file. */
  readonly path: string | undefined;
  /** What to log about its place. */
  readonly warnings: readonly string[];
}

/** Reads the value of `PARAMETER = type:path`, which is not empty. */
export function parseDatabaseName(
  parameter: string,
  value: string,
  { ground, defaultType }: { ground: FileGround; defaultType: string },
): DatabaseName {
  const colon = value.indexOf(":");
  const type = colon < 0 ? defaultType : value.slice(0, colon);
  const name = value.slice(colon + 1);
  const shown = `${type}:${name}`;
  if (type === "memory") return { shown, path: undefined, warnings: [] };
  if (name === "" || name.endsWith("/")) {
    throw new FatalError(`Cannot open the cache of ${parameter} = ${value}: it names no file`, {
      hint: `Give a path after the type, for example ${type}:${ground.dataDirectory}/smtpd_scache`,
    });
  }
  const { path, warnings } = redirectIntoDataDirectory(name, { kind: "table", shown }, ground);
  return { shown: `${type}:${path}`, path: path + FILE_SUFFIX, warnings };
}

/** What an open store is given: whom it tells, and what it works with. */
export type DatabaseHall =
  & Required<Pick<StoreOptions, "report">>
  & Pick<StoreOptions, "expired" | "slowCalls" | "after" | "ownerId">;

/** Where the cache `label` is to keep its entries; `undefined` when none is configured. */
export function nameDatabase(
  label: CacheType,
  { parameters }: Settings,
  ownerId: number = libcFileIo.effectiveUserId(),
): DatabaseName | undefined {
  const parameter = `${label}_tls_session_cache_database` as const;
  const value = parameters[parameter];
  if (value === "") return undefined;
  return parseDatabaseName(parameter, value, {
    ground: fileGround(parameters, { effectiveUserId: () => ownerId }),
    defaultType: parameters.default_database_type,
  });
}

/** Opens a database, whose limits are those of the settings. */
export function openDatabase(
  { path, warnings }: DatabaseName,
  limits: CacheLimits,
  hall: DatabaseHall,
): KeyValueStore {
  for (const warning of warnings) hall.report("warning", warning);
  const { expired, ...adjustable } = adjustmentOf(limits, hall.expired);
  if (path === undefined) return new MemoryStore({ ...adjustable, ...(expired && { expired }) });
  return Store.open(path, {
    ...adjustable,
    ...hall,
    sync: limits.sync,
    discard: !limits.persist,
    load: "slices",
    keep: isOfThisOpenSsl,
  });
}

/** What of a cache's limits an open store can take. */
export function adjustmentOf(
  limits: CacheLimits,
  expired: StoreAdjustment["expired"],
): StoreAdjustment {
  return {
    expired,
    maxEntries: limits.max_entries,
    maxBytes: limits.max_bytes,
    eviction: limits.eviction,
    compactRatio: limits.compact_ratio,
    compactBytesMin: limits.compact_min_bytes,
  };
}

/**
 * Whether a session with this id can be asked for: ids of server sessions end in `&l=` and the number of
 * the OpenSSL that made them (tls_server.c: GEN_CACHE_ID), and a program with another one never asks for
 * them. Ids without that ending say nothing.
 */
export function isOfThisOpenSsl(id: Uint8Array): boolean {
  let number = 0;
  let unit = 1;
  for (let at = id.length - 1; at >= 2; at--) {
    const digit = id[at] - DIGIT_0;
    if (digit < 0 || digit > 9) {
      const isVersion = unit > 1 && id[at] === EQUALS && id[at - 1] === LETTER_L &&
        id[at - 2] === AMPERSAND;
      return !isVersion || number === opensslVersionNumber;
    }
    number += digit * unit;
    unit *= 10;
  }
  return true;
}

const AMPERSAND = 0x26;
const DIGIT_0 = 0x30;
const EQUALS = 0x3d;
const LETTER_L = 0x6c;
