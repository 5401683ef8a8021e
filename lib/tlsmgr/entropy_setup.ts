/**
 * From the settings to a keeper of the pool: which source, which exchange file, how often.
 *
 * @module
 */
import { redirectIntoDataDirectory, resolvePath } from "../config/paths.ts";
import type { ServiceHall } from "../daemon/service_thread.ts";
import { libcFileIo } from "../store/file_io.ts";
import { EgdSource } from "./egd.ts";
import { EntropyKeeper, type EntropyKeeperOptions } from "./entropy.ts";
import { type EntropySource, parseSourceName } from "./entropy_source.ts";
import { ExchangeFile } from "./exchange_file.ts";
import { fileGround } from "./file_ground.ts";
import { FileSource } from "./file_source.ts";
import type { RandomPool } from "./random_pool.ts";

/** What of the hall is needed. */
export type EntropyHall = Pick<
  ServiceHall,
  "reactor" | "settings" | "log" | "slowCalls" | "ownerId"
>;

/** Makes the keeper that the settings ask for. Nothing is opened yet. */
export function makeEntropyKeeper(
  hall: EntropyHall,
  pool: RandomPool,
  ends: Pick<EntropyKeeperOptions, "leave" | "fail" | "numbers">,
): EntropyKeeper {
  const { reactor, settings, log, slowCalls, ownerId } = hall;
  const { parameters } = settings;
  const path = exchangePath(hall);
  return new EntropyKeeper({
    reactor,
    log,
    pool,
    source: makeSource(hall),
    sourceBytes: parameters.tls_random_bytes,
    reseedPeriodS: parameters.tls_random_reseed_period,
    exchange: path === ""
      ? undefined
      : new ExchangeFile(path, { io: libcFileIo, ownerId, slowCalls, reactor, pool }),
    updatePeriodS: parameters.tls_random_prng_update_period,
    onFailure: settings.entropy.on_failure,
    ...ends,
  });
}

function makeSource({ settings, reactor, slowCalls }: EntropyHall): EntropySource | undefined {
  const { tls_random_source: name, queue_directory } = settings.parameters;
  if (name === "") return undefined;
  const { kind, path: given } = parseSourceName(name);
  const path = resolvePath(given, queue_directory);
  return kind === "egd"
    ? new EgdSource(path, { name, reactor })
    : new FileSource({ kind, path }, { name, reactor, slowCalls });
}

function exchangePath({ settings, log, ownerId }: EntropyHall): string {
  const { parameters } = settings;
  const name = parameters.tls_random_exchange_name;
  if (name === "") return "";
  const ground = fileGround(parameters, { effectiveUserId: () => ownerId });
  const { path, warnings } = redirectIntoDataDirectory(
    name,
    { kind: "file", shown: name },
    ground,
  );
  for (const warning of warnings) log.warn(warning);
  return path;
}
