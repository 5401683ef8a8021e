/**
 * Postfix's own main.cf and master.cf beside our settings.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import type { MasterEntry } from "../../config/import/master_cf.ts";
import type { ParameterName, RoleName } from "../../config/parameters.ts";
import { withoutEndSlashes } from "../../config/paths.ts";
import { type Check, type Finding, ofFatal, ofSettings } from "./finding.ts";
import type { PostfixGround, RoleSettings } from "./ground.ts";

/** What both must have alike, for clients and services to find each other. */
const SHARED = [
  "queue_directory",
  "data_directory",
  "mail_owner",
  "tlsmgr_service_name",
  "tlsproxy_service_name",
] as const satisfies readonly ParameterName[];

export const MAIN_CF: Check = {
  name: "main.cf",
  about: "whether Postfix and postern mean the same folders, user and services",
  applies: ({ postfix }) => postfix !== undefined,
  find({ postfix, roles }) {
    const findings: Finding[] = postfix!.faults.map((fault) =>
      fault instanceof FatalError ? ofFatal(fault) : ofSettings(fault)
    );
    const [ours, theirs] = [roles, postfix!.roles].map((side) =>
      (side.get("tlsmgr") ?? side.get("tlsproxy"))?.parameters
    );
    if (ours === undefined || theirs === undefined) return findings;
    for (const name of SHARED) {
      if (ours[name] === theirs[name]) continue;
      findings.push({
        severity: "error",
        message: `${name} is "${ours[name]}" here and "${theirs[name]}" in ${postfix!.mainCf}`,
        remedy: `Set ${name} to what Postfix has`,
      });
    }
    return findings;
  },
};

/** An entry of master.cf and the socket that both it and a role of ours want. */
export interface RivalEntry {
  readonly role: RoleName;
  readonly entry: MasterEntry;
  readonly socket: string;
}

/** Entries with which master(8) serves what `roles` are to serve. */
export function rivalEntries(postfix: PostfixGround, roles: RoleSettings): RivalEntry[] {
  return [...roles].flatMap(([role, settings]) => {
    // Then the entry is postern's own.
    if (settings.service.mode === "master") return [];
    const { queue_directory } = (postfix.roles.get(role) ?? settings).parameters;
    const queue = withoutEndSlashes(queue_directory);
    return postfix.entries.flatMap((entry) => {
      const socket = `${queue}/${entry.isPrivate ? "private" : "public"}/${entry.name}`;
      const isRival = entry.type === "unix" && socket === settings.service.socket;
      return isRival ? [{ role, entry, socket }] : [];
    });
  });
}

export const MASTER_CF: Check = {
  name: "master.cf",
  about: "whether master(8) serves what postern is to serve",
  applies: ({ postfix, roles }) => postfix !== undefined && roles.size > 0,
  find({ postfix, roles }) {
    return rivalEntries(postfix!, roles).map(({ role, entry: { name, line }, socket }) => ({
      severity: "error",
      message: `${postfix!.masterCf}:${line}: the entry ${name} is enabled, and master(8) takes ` +
        `the socket "${socket}" that [service.${role}] wants`,
      remedy: 'Put a "#" before the entry and run postfix reload; postern install --postfix does ' +
        "the first",
    }));
  },
};
