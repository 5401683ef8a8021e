/**
 * The files for systemd that the executable carries along, with the paths and the user of an
 * installation in them.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import type { RoleName } from "../../config/parameters.ts";
import type { ServiceName } from "../../config/services.ts";

/** Units by role; a template has no instance before the `.`. */
const UNITS: Readonly<Record<RoleName, readonly string[]>> = {
  tlsmgr: ["postern-tlsmgr.service", "postern-tlsmgr.socket"],
  tlsproxy: [
    "postern-tlsproxy.service",
    "postern-tlsproxy.socket",
    "postern-tlsproxy@.service",
    "postern-tlsproxy@.socket",
  ],
};

/** What the texts of config/systemd, sysusers.d and tmpfiles.d stand for. */
export interface UnitFacts {
  readonly executable: string;
  /** Folder of the settings file. */
  readonly settingsFolder: string;
  readonly queueDirectory: string;
  readonly dataDirectory: string;
  /** Postfix's own account. */
  readonly mailOwner: string;
}

/** What the texts say as they are. */
export const SHIPPED_FACTS: UnitFacts = {
  executable: "/usr/local/sbin/postern",
  settingsFolder: "/etc/postern",
  queueDirectory: "/var/spool/postfix",
  dataDirectory: "/var/lib/postfix",
  mailOwner: "postfix",
};

/** No blank, `%`, quote or backslash: these mean something to systemd. */
const PLAIN = /^[\w@:.,+\/-]+$/;

/** Names of the units of `roles`. */
export function unitNames(roles: readonly RoleName[]): readonly string[] {
  return roles.flatMap((role) => UNITS[role]);
}

/** Whether there is a unit that runs the service; there is none for an instance of tlsmgr. */
export function hasUnit({ role, instance }: ServiceName): boolean {
  return instance === undefined || role === "tlsproxy";
}

/** The text of `config/FOLDER/NAME` with `facts` in it. */
export function unitText(file: string, facts: UnitFacts): string {
  for (const value of Object.values(facts)) {
    if (PLAIN.test(value)) continue;
    throw new FatalError(`Cannot write units: "${value}" cannot stand in one`, {
      hint: "Use a path or name of letters, digits and ._-+@:,/ only",
      exitCode: EXIT.usage,
    });
  }
  const text = readEmbedded(file);
  const shipped = SHIPPED_FACTS;
  const pairs: readonly (readonly [string, string])[] = [
    [shipped.executable, facts.executable],
    [`${shipped.settingsFolder}/`, `${facts.settingsFolder}/`],
    [shipped.queueDirectory, facts.queueDirectory],
    [shipped.dataDirectory, facts.dataDirectory],
  ];
  const places = new RegExp(pairs.map(([from]) => from.replaceAll(".", "\\.")).join("|"), "g");
  const values = new Map(pairs);
  // At once: a value must not be taken for another place.
  return text.replace(places, (place) => values.get(place) ?? place)
    .replace(/^((?:Socket)?User=)postfix$/gm, (_, key) => `${key}${facts.mailOwner}`)
    .replace(/^(d .*) postfix postern /gm, (_, start) => `${start} ${facts.mailOwner} postern `);
}

/** A file of config that has been compiled in. */
export function readEmbedded(file: string): string {
  return Deno.readTextFileSync(new URL(`../../../config/${file}`, import.meta.url));
}
