/**
 * What the checks look at: the settings of the services, Postfix's own where they are asked for, the
 * machine.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { FindingList } from "../../config/findings.ts";
import { importSettings } from "../../config/import/import_settings.ts";
import { type MasterEntry, readMasterCf } from "../../config/import/master_cf.ts";
import type { RoleName } from "../../config/parameters.ts";
import { listServices, type ServiceName } from "../../config/services.ts";
import {
  type Finding as SettingsFinding,
  loadSettings,
  type Settings,
} from "../../config/settings.ts";
import { readInputFile } from "../input_file.ts";
import { chooseServices, type ServiceWish } from "../service_choice.ts";
import { findFaults, readSettingsText, type SettingsText } from "../settings_file.ts";
import type { InstalledOpenSsl } from "../version.ts";
import type { Machine } from "./machine.ts";

/** Postfix's own configuration. */
export interface PostfixGround {
  /** Absolute path of main.cf. */
  readonly mainCf: string;
  readonly masterCf: string;
  /** What both roles would have of main.cf; empty when it cannot be used. */
  readonly services: readonly Settings[];
  /** Entries of tlsmgr and tlsproxy in master.cf. */
  readonly entries: readonly MasterEntry[];
  /** Why a file cannot be used. */
  readonly faults: readonly (SettingsFinding | FatalError)[];
}

/** Everything. */
export interface Ground {
  /** The settings file, or why there is none. */
  readonly source: SettingsText | FatalError;
  /** What is wrong with it. */
  readonly faults: readonly SettingsFinding[];
  /** Of the services that are looked at; one whose settings have errors is absent. */
  readonly services: readonly Settings[];
  readonly openSsl: InstalledOpenSsl;
  /** Absent unless it was asked for. */
  readonly postfix: PostfixGround | undefined;
  readonly machine: Machine;
}

/** What the command line says. */
export interface GroundRequest {
  readonly config: string | undefined;
  readonly mainCf: string | undefined;
  /** The services that are looked at. */
  readonly wish: ServiceWish;
  readonly openSsl: InstalledOpenSsl;
  readonly machine: Machine;
}

/** The services of one role. */
export function servicesOf(services: readonly Settings[], role: RoleName): readonly Settings[] {
  return services.filter((settings) => settings.role === role);
}

/**
 * Reads what there is; what cannot be read is part of the answer. Throws {@linkcode FatalError} for an
 * instance that is not there.
 */
export function prepareGround(request: GroundRequest): Ground {
  const { config, mainCf, wish, openSsl, machine } = request;
  const version = "number" in openSsl ? { openSslVersionNumber: openSsl.number } : {};
  const source = orFatal(() => readSettingsText(config));
  const isText = !(source instanceof FatalError);
  const names = isText ? chooseServices(source, wish) : [];
  return {
    source,
    faults: isText ? findFaults(source, { services: names, overrides: [], ...version }) : [],
    services: isText ? loadServices(source, { ...version, names }) : [],
    openSsl,
    postfix: mainCf === undefined ? undefined : readPostfix(mainCf, version),
    machine,
  };
}

/** As OpenSSL_version_num(), where it is known. */
export type Version = { readonly openSslVersionNumber?: number };

/** Settings of all services of a file, or of some; those with errors are left out. */
export function loadServices(
  { text, name: file }: SettingsText,
  { names = listServices(text), ...version }: Version & { names?: readonly ServiceName[] },
): readonly Settings[] {
  return names.flatMap((service) =>
    loadSettings({ text, file, ...service, overrides: [], ...version }).settings ?? []
  );
}

/** Reads main.cf at `path`, and master.cf beside it. */
export function readPostfix(path: string, version: Version): PostfixGround {
  const words = { what: "file", hint: "Name Postfix's main.cf; master.cf stands beside it" };
  const main = orFatal(() => readInputFile(path, words));
  if (main instanceof FatalError) {
    return { mainCf: path, masterCf: "", services: [], entries: [], faults: [main] };
  }
  const folder = main.name.slice(0, main.name.lastIndexOf("/"));
  const masterCf = `${folder}/master.cf`;
  const master = orFatal(() => readInputFile(masterCf, words));
  const { text, findings } = importSettings({
    main,
    configDirectory: folder,
    style: "strings",
    oursOnly: true,
    ...version,
  });
  const list = new FindingList(masterCf);
  const entries = master instanceof FatalError ? [] : readMasterCf(master.bytes, list);
  return {
    mainCf: main.name,
    masterCf,
    services: text === undefined ? [] : loadServices({ text, name: main.name }, version),
    entries,
    faults: [
      ...findings.filter(({ severity }) => severity === "error"),
      ...list.inOrder().filter(({ severity }) => severity === "error"),
      ...(master instanceof FatalError ? [master] : []),
    ],
  };
}

function orFatal<T>(read: () => T): T | FatalError {
  try {
    return read();
  } catch (error) {
    // Anything else is a fault of this program.
    if (error instanceof FatalError && error.exitCode !== EXIT.software) return error;
    throw error;
  }
}
