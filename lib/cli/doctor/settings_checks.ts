/**
 * The settings file, the accounts that it names, and the system's OpenSSL.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import { type Check, type Finding, ofFatal, ofSettings } from "./finding.ts";
import type { Ground } from "./ground.ts";

/** Anybody may change it. */
const WRITABLE_BY_OTHERS = 0o022;

export const SETTINGS: Check = {
  name: "settings",
  about: "the settings file, as `postern config check` sees it",
  applies: () => true,
  find({ source, faults }) {
    return source instanceof FatalError ? [ofFatal(source)] : faults.map(ofSettings);
  },
};

export const SETTINGS_FILE: Check = {
  name: "settings-file",
  about: "who may change the settings file",
  applies: ({ source }) => !(source instanceof FatalError) && source.name.startsWith("/"),
  find({ source }) {
    if (source instanceof FatalError) return [];
    const { mode } = Deno.statSync(source.name);
    if (((mode ?? 0) & WRITABLE_BY_OTHERS) === 0) return [];
    return [{
      severity: "error",
      message: `Others than its owner may write the settings file "${source.name}"`,
      remedy: `chmod go-w ${source.name}`,
    }];
  },
};

export const ACCOUNTS: Check = {
  name: "accounts",
  about: "the users and groups that the settings name",
  applies: ({ services }) => services.length > 0,
  find({ services, machine }) {
    const findings = new Map<string, Finding>();
    for (const { parameters, service } of services) {
      const users = { mail_owner: parameters.mail_owner, "[service] user": service.user };
      for (const [setting, user] of Object.entries(users)) {
        if (user === "" || findings.has(user) || machine.account(user) !== undefined) continue;
        findings.set(user, {
          severity: "error",
          message: `There is no account "${user}" (${setting})`,
          remedy: "Install Postfix, which makes its own, or name the account that it runs as",
        });
      }
      const groups = { "socket_group": service.socket_group, "[service] group": service.group };
      for (const [setting, group] of Object.entries(groups)) {
        if (group === "" || machine.hasGroup(group)) continue;
        findings.set(`group ${group}`, {
          severity: "error",
          message: `There is no group "${group}" (${setting})`,
          remedy: `groupadd --system ${group}, or name another one`,
        });
      }
    }
    return [...findings.values()];
  },
};

export const OPENSSL: Check = {
  name: "openssl",
  about: "the system's OpenSSL",
  applies: () => true,
  find: ({ openSsl }: Ground) => "fault" in openSsl ? [ofFatal(openSsl.fault)] : [],
};
