/**
 * What `--postfix` does: settings from main.cf, and master.cf without what postern is to serve.
 *
 * @module
 */
import { latin1, toLatin1 } from "../../base/bytes.ts";
import { EXIT, FatalError } from "../../base/errors.ts";
import { formatFinding } from "../../config/findings.ts";
import { importSettings } from "../../config/import/import_settings.ts";
import type { RoleName } from "../../config/parameters.ts";
import type { Settings } from "../../config/settings.ts";
import { type PostfixGround, readPostfix, type Version } from "../doctor/ground.ts";
import { rivalEntries } from "../doctor/postfix_checks.ts";
import { readInputFile } from "../input_file.ts";
import { isThere, readRegular } from "./disk.ts";
import type { EditedMasterCf } from "./manifest.ts";
import { commentIn, commentOut } from "./master_cf.ts";
import type { Step } from "./steps.ts";
import { hasUnit } from "./units.ts";

/** Behind the name of master.cf. */
const BACKUP_SUFFIX = ".before-postern";

/** A settings file made from main.cf and master.cf in `folder`. Throws {@linkcode FatalError}. */
export function importFrom(folder: string, version: Version): string {
  const words = { what: "file", hint: "Name Postfix's folder with --postfix-folder" };
  const { text, findings, differences } = importSettings({
    main: readInputFile(`${folder}/main.cf`, words),
    master: readInputFile(`${folder}/master.cf`, words),
    configDirectory: folder,
    style: "strings",
    oursOnly: true,
    ...version,
  });
  if (text !== undefined) return text;
  const errors = findings.filter(({ severity }) => severity === "error").map(formatFinding);
  const why = [...errors, ...differences].join("; ");
  throw new FatalError(`Cannot convert the settings in "${folder}": ${why}`, {
    hint: `See postern config import --master ${folder}/master.cf ${folder}/main.cf`,
    exitCode: EXIT.config,
  });
}

/** What happens to master.cf. */
export interface MasterCfPlan {
  readonly steps: readonly Step[];
  /** For the manifest; absent when there is nothing to undo. */
  readonly edited: EditedMasterCf | undefined;
}

/**
 * Comments out the entries in whose place units of `roles` serve those of `services`.
 *
 * @param old what an earlier installation did
 */
export function planMasterCf(
  folder: string,
  services: readonly Settings[],
  options: {
    roles: readonly RoleName[];
    version: Version;
    old: EditedMasterCf | undefined;
  },
): MasterCfPlan {
  const { roles, version, old } = options;
  const postfix: PostfixGround = readPostfix(`${folder}/main.cf`, version);
  const path = postfix.masterCf;
  const ours = services.filter((service) => roles.includes(service.role) && hasUnit(service));
  const rivals = rivalEntries(postfix, ours);
  if (rivals.length === 0) {
    const why = "no entry in it serves what postern is to serve";
    return { steps: [{ kind: "keep", path, why }], edited: old };
  }
  const { bytes, rights } = readWithRights(path);
  const lines = rivals.map(({ entry }) => entry.line);
  const text = commentOut(toLatin1(bytes), lines);
  const backup = `${path}${BACKUP_SUFFIX}`;
  const named = rivals.map(({ entry: { name, line } }) => `${name} (line ${line})`).join(" and ");
  const steps: Step[] = [];
  // The first one is from before postern; it stays the one to go back to.
  if (!isThere(backup)) {
    const remark = "master.cf as it is, to go back to";
    steps.push({ kind: "write", path: backup, bytes, rights, replaces: false, remark });
  }
  const remark = `comments out ${named}`;
  steps.push({ kind: "write", path, bytes: latin1(text), rights, replaces: true, remark });
  return { steps, edited: { path, backup } };
}

/** How master.cf becomes what it was. */
export interface MasterCfUndo {
  readonly steps: readonly Step[];
  /** To be removed, when everything is as it was. */
  readonly backup: string | undefined;
}

/** Takes the marks away; the copy goes too if nothing else has changed since. */
export function planUndo({ path, backup }: EditedMasterCf): MasterCfUndo {
  if (!isThere(path)) {
    return { steps: [{ kind: "keep", path: backup, why: `${path} is gone` }], backup: undefined };
  }
  const { bytes, rights } = readWithRights(path);
  const text = commentIn(toLatin1(bytes));
  const before = readRegular(backup);
  const steps: Step[] = [];
  if (text !== toLatin1(bytes)) {
    const remark = "comments its entries in again";
    steps.push({ kind: "write", path, bytes: latin1(text), rights, replaces: true, remark });
  }
  if (before === undefined || toLatin1(before) === text) {
    return { steps, backup: before === undefined ? undefined : backup };
  }
  const why = `${path} was changed by hand since; this is how it was before postern`;
  return { steps: [...steps, { kind: "keep", path: backup, why }], backup: undefined };
}

function readWithRights(path: string) {
  const { name, bytes } = readInputFile(path, { what: "file", hint: "Run the command as root" });
  const { mode, uid, gid } = Deno.statSync(name);
  const owner = uid === null || gid === null ? {} : { uid, gid };
  return {
    bytes: new Uint8Array(bytes),
    rights: { mode: (mode ?? 0o644) & 0o7777, ...owner },
  };
}
