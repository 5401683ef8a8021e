/**
 * What the checks look at: both roles' settings, Postfix's own where they are asked for, the machine.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { FindingList } from "../../config/findings.ts";
import { importSettings } from "../../config/import/import_settings.ts";
import { type MasterEntry, readMasterCf } from "../../config/import/master_cf.ts";
import { ROLE_NAMES, type RoleName } from "../../config/parameters.ts";
import {
  type Finding as SettingsFinding,
  loadSettings,
  type Settings,
} from "../../config/settings.ts";
import { readInputFile } from "../input_file.ts";
import { findFaults, readSettingsText, type SettingsText } from "../settings_file.ts";
import type { InstalledOpenSsl } from "../version.ts";
import type { Machine } from "./machine.ts";

/** Settings by role; a role whose settings have errors is absent. */
export type RoleSettings = ReadonlyMap<RoleName, Settings>;

/** Postfix's own configuration. */
export interface PostfixGround {
  /** Absolute path of main.cf. */
  readonly mainCf: string;
  readonly masterCf: string;
  /** What the same roles would have of main.cf; empty when it cannot be used. */
  readonly roles: RoleSettings;
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
  readonly roles: RoleSettings;
  readonly openSsl: InstalledOpenSsl;
  /** Absent unless it was asked for. */
  readonly postfix: PostfixGround | undefined;
  readonly machine: Machine;
}

/** What the command line says. */
export interface GroundRequest {
  readonly config: string | undefined;
  readonly mainCf: string | undefined;
  /** The roles that run here. */
  readonly roles: readonly RoleName[];
  readonly openSsl: InstalledOpenSsl;
  readonly machine: Machine;
}

/** Reads what there is; what cannot be read is part of the answer. */
export function prepareGround(request: GroundRequest): Ground {
  const { config, mainCf, roles, openSsl, machine } = request;
  const version = "number" in openSsl ? { openSslVersionNumber: openSsl.number } : {};
  const source = orFatal(() => readSettingsText(config));
  const isText = !(source instanceof FatalError);
  return {
    source,
    faults: isText ? findFaults(source, { roles, overrides: [], ...version }) : [],
    roles: isText ? loadRoles(source, { ...version, roles }) : new Map(),
    openSsl,
    postfix: mainCf === undefined ? undefined : readPostfix(mainCf, version),
    machine,
  };
}

/** As OpenSSL_version_num(), where it is known. */
export type Version = { readonly openSslVersionNumber?: number };

/** Settings of both roles, or of some. */
export function loadRoles(
  { text, name: file }: SettingsText,
  { roles = ROLE_NAMES, ...version }: Version & { readonly roles?: readonly RoleName[] },
): RoleSettings {
  const loaded = new Map<RoleName, Settings>();
  for (const role of roles) {
    const { settings } = loadSettings({ text, file, role, overrides: [], ...version });
    if (settings !== undefined) loaded.set(role, settings);
  }
  return loaded;
}

/** Reads main.cf at `path`, and master.cf beside it. */
export function readPostfix(path: string, version: Version): PostfixGround {
  const words = { what: "file", hint: "Name Postfix's main.cf; master.cf stands beside it" };
  const main = orFatal(() => readInputFile(path, words));
  if (main instanceof FatalError) {
    return { mainCf: path, masterCf: "", roles: new Map(), entries: [], faults: [main] };
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
    roles: text === undefined ? new Map() : loadRoles({ text, name: main.name }, version),
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
