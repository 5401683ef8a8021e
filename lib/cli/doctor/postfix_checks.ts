/**
 * Postfix's own main.cf and master.cf beside our settings.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import type { MasterEntry } from "../../config/import/master_cf.ts";
import type { ParameterName } from "../../config/parameters.ts";
import { withoutEndSlashes } from "../../config/paths.ts";
import type { Settings } from "../../config/settings.ts";
import { type Check, type Finding, ofFatal, ofSettings } from "./finding.ts";
import { type PostfixGround, servicesOf } from "./ground.ts";
import { tableOf } from "./wording.ts";

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
  find({ postfix, services }) {
    const findings: Finding[] = postfix!.faults.map((fault) =>
      fault instanceof FatalError ? ofFatal(fault) : ofSettings(fault)
    );
    const [ours, theirs] = [services, postfix!.services].map(([first]) => first?.parameters);
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

/** An entry of master.cf and the socket that both it and a service of ours want. */
export interface RivalEntry {
  readonly settings: Settings;
  readonly entry: MasterEntry;
  readonly socket: string;
}

/** Entries with which master(8) serves what `services` are to serve. */
export function rivalEntries(
  postfix: PostfixGround,
  services: readonly Settings[],
): RivalEntry[] {
  return services.flatMap((settings) => {
    const { role, service } = settings;
    // Then the entry is postern's own.
    if (service.mode === "master") return [];
    const [theirs = settings] = servicesOf(postfix.services, role);
    const queue = withoutEndSlashes(theirs.parameters.queue_directory);
    return postfix.entries.flatMap((entry) => {
      const socket = `${queue}/${entry.isPrivate ? "private" : "public"}/${entry.name}`;
      const isRival = entry.type === "unix" && socket === service.socket;
      return isRival ? [{ settings, entry, socket }] : [];
    });
  });
}

export const MASTER_CF: Check = {
  name: "master.cf",
  about: "whether master(8) serves what postern is to serve",
  applies: ({ postfix, services }) => postfix !== undefined && services.length > 0,
  find({ postfix, services }) {
    return rivalEntries(postfix!, services).map(({ settings, entry: { name, line }, socket }) => ({
      severity: "error",
      message: `${postfix!.masterCf}:${line}: the entry ${name} is enabled, and master(8) takes ` +
        `the socket "${socket}" that [${tableOf(settings)}] wants`,
      remedy: 'Put a "#" before the entry and run postfix reload; postern install --postfix does ' +
        "the first",
    }));
  },
};
