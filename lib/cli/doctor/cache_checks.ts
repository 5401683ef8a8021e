/**
 * The session caches, the folder that they stand in, and the room that is left there.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import type { CacheName, Settings } from "../../config/settings.ts";
import { describeFileFault } from "../file_fault.ts";
import { type Check, type Finding, ofFatal } from "./finding.ts";
import { type Ground, servicesOf } from "./ground.ts";
import type { Machine } from "./machine.ts";
import { faultOf } from "./service_checks.ts";
import { size } from "./wording.ts";

const CACHES: readonly CacheName[] = ["smtpd", "smtp", "lmtp"];
/** Without it nothing can be written soon. */
const FREE_BYTES_MIN = 16 << 20;

/** A cache with a file. */
interface CacheFile {
  readonly path: string;
  readonly maxBytes: number;
}

const tlsmgrsOf = ({ services }: Ground) => servicesOf(services, "tlsmgr");

/** The files of the caches, as tlsmgr would open them; a refusal where it would refuse. */
async function cacheFiles(settings: Settings): Promise<(CacheFile | FatalError)[]> {
  const { parseDatabaseName } = await import("../../tlsmgr/database.ts");
  const { fileGround } = await import("../../tlsmgr/file_ground.ts");
  const { libcFileIo } = await import("../../store/file_io.ts");
  const { parameters } = settings;
  const ground = fileGround(parameters, libcFileIo);
  const defaultType = parameters.default_database_type;
  return CACHES.flatMap((cache): (CacheFile | FatalError)[] => {
    const parameter = `${cache}_tls_session_cache_database` as const;
    const value = parameters[parameter];
    if (value === "" || parameters[`${cache}_tls_session_cache_timeout`] <= 0) return [];
    try {
      const { path } = parseDatabaseName(parameter, value, { ground, defaultType });
      const maxBytes = settings.cache[cache].max_bytes;
      return path === undefined ? [] : [{ path, maxBytes }];
    } catch (error) {
      if (error instanceof FatalError) return [error];
      throw error;
    }
  });
}

export const CACHE_FILES: Check = {
  name: "caches",
  about: "the files of the session caches, record by record",
  applies: (ground) => tlsmgrsOf(ground).length > 0 && !("fault" in ground.openSsl),
  async find(ground) {
    const findings: Finding[] = [];
    for (const settings of tlsmgrsOf(ground)) {
      const account = ground.machine.account(settings.service.user);
      for (const file of await cacheFiles(settings)) {
        if (file instanceof FatalError) findings.push(ofFatal(file));
        else findings.push(...await fileFindings(file.path, account?.uid));
      }
    }
    return findings;
  },
};

async function fileFindings(path: string, uid: number | undefined): Promise<Finding[]> {
  const { Inspection } = await import("../../store/inspect.ts");
  try {
    // What is not there yet is made at the first start.
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    const message = `Cannot look at cache file "${path}": ${describeFileFault(error)}`;
    return [{ severity: "error", message, remedy: "Check the permissions of its folder" }];
  }
  try {
    const inspection = Inspection.open(path);
    try {
      while (inspection.step());
      const { damagedPlaces, damagedBytes, unreadableBytes } = inspection.facts();
      return [
        ...ownerFindings(path, inspection.uid, uid),
        ...damageFindings(path, { damagedPlaces, damagedBytes, unreadableBytes }),
      ];
    } finally {
      inspection.close();
    }
  } catch (error) {
    if (error instanceof FatalError) return [ofFatal(error)];
    throw error;
  }
}

function ownerFindings(path: string, owner: number, wanted: number | undefined): Finding[] {
  if (wanted === undefined || owner === wanted || wanted === 0) return [];
  // Root's service that keeps root's rights owns its files.
  return owner === 0 ? [] : [{
    severity: "error",
    message: `Cache file "${path}" belongs to user id ${owner}, and the service runs as ${wanted}`,
    remedy: `chown ${wanted} ${path}, or remove the file: only sessions are lost`,
  }];
}

function damageFindings(
  path: string,
  facts: { damagedPlaces: number; damagedBytes: number; unreadableBytes: number },
): Finding[] {
  const { damagedPlaces, damagedBytes, unreadableBytes } = facts;
  if (unreadableBytes > 0) {
    return [{
      severity: "error",
      message: `The disk does not give ${unreadableBytes} bytes of cache file "${path}"`,
      remedy: "Look at the disk; then remove the file: only sessions are lost",
    }];
  }
  return damagedPlaces === 0 ? [] : [{
    severity: "warning",
    message: `Cache file "${path}" is damaged: ${damagedBytes} bytes in ${damagedPlaces} ` +
      `${damagedPlaces === 1 ? "place" : "places"}`,
    remedy: `Nothing wrong is ever served of it; \`postern cache compact ${path}\` rewrites it`,
  }];
}

export const DATA_DIRECTORY: Check = {
  name: "data-directory",
  about: "the folder of caches and exchange file",
  applies: (ground) => tlsmgrsOf(ground).length > 0,
  find: (ground) =>
    tlsmgrsOf(ground).flatMap((settings) => dataDirectoryFindings(settings, ground.machine)),
};

function dataDirectoryFindings({ parameters, service }: Settings, machine: Machine): Finding[] {
  const { data_directory: path } = parameters;
  const fault = faultOf(path, ({ isDirectory }) => isDirectory ? "" : "it is no folder");
  const remedy = `Check data_directory; Postfix's own is made by \`postfix check\``;
  if (fault !== "") {
    return [{
      severity: "error",
      message: `Cannot use data_directory "${path}": ${fault}`,
      remedy,
    }];
  }
  const { mode, uid } = Deno.statSync(path);
  if (((mode ?? 0) & 0o002) !== 0) {
    const message = `Everybody may write into data_directory "${path}"`;
    return [{ severity: "error", message, remedy: `chmod o-w ${path}` }];
  }
  const account = machine.account(service.user);
  if (account === undefined || account.uid === uid || account.uid === 0) return [];
  return [{
    severity: "error",
    message: `data_directory "${path}" belongs to user id ${uid}, and the service runs as ` +
      `"${service.user}"`,
    remedy: `chown ${service.user} ${path}`,
  }];
}

export const DISK: Check = {
  name: "disk",
  about: "room for the caches",
  applies: (ground) => tlsmgrsOf(ground).length > 0 && !("fault" in ground.openSsl),
  async find(ground) {
    const findings: Finding[] = [];
    for (const settings of tlsmgrsOf(ground)) {
      findings.push(...await diskFindings(settings, ground.machine));
    }
    return findings;
  },
};

async function diskFindings(settings: Settings, machine: Machine): Promise<Finding[]> {
  const folder = settings.parameters.data_directory;
  const free = await machine.freeBytes(folder);
  if (free === undefined) return [];
  const files = await cacheFiles(settings);
  const wanted = files.reduce(
    (sum, file) => sum + (file instanceof FatalError ? 0 : file.maxBytes),
    FREE_BYTES_MIN,
  );
  const remedy = "Make room; a full disk costs sessions, which then are not resumed, no mail";
  if (free < FREE_BYTES_MIN) {
    const message = `Only ${size(free)} are free where data_directory is, "${folder}"`;
    return [{ severity: "error", message, remedy }];
  }
  return free >= wanted ? [] : [{
    severity: "warning",
    message: `${size(free)} are free where data_directory is, "${folder}", and the caches may ` +
      `need ${size(wanted)}`,
    remedy: `${remedy}; or lower [cache] max_bytes`,
  }];
}
