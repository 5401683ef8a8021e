/**
 * What differs between two sets of settings, and what of that a process cannot take without a restart.
 *
 * Names are those of a settings file; keys of `[service.ROLE]` appear under `service`.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";

/** Keys of `[service]` and `[service.ROLE]` that the process is made of. */
const SERVICE: readonly (keyof Settings["service"])[] = [
  ...[
    "mode",
    "reload",
    "user",
    "group",
    "chroot",
    "recycle",
    "drain_timeout",
    "core_dumps",
  ] as const,
  ...["socket", "socket_mode", "socket_group", "metrics", "control"] as const,
];

/** Parameters that the process is made of. */
const PARAMETERS: readonly (keyof Settings["parameters"])[] = [
  ...["queue_directory", "mail_owner", "syslog_name", "syslog_facility"] as const,
  ...["daemon_timeout", "tlsproxy_watchdog_timeout", "max_use", "max_idle"] as const,
];

/** Names of settings that differ and that a process is made of, whatever its role is. */
export function findFixed(before: Settings, after: Settings): readonly string[] {
  return findDifferences(before, after).filter((name) =>
    name.startsWith("log.") ||
    SERVICE.some((key) => name === `service.${key}`) ||
    PARAMETERS.some((key) => name === key)
  );
}

/** The settings `after`, but for those called `names`, which are as they were `before`. */
export function keepNamed(before: Settings, after: Settings, names: readonly string[]): Settings {
  const kept = structuredClone(after);
  for (const name of names) {
    const path = name.includes(".") ? name.split(".") : ["parameters", name];
    const last = path.pop()!;
    const tableOf = (settings: Settings) =>
      path.reduce<unknown>((table, key) => (table as Table)[key], settings) as Table;
    tableOf(kept)[last] = tableOf(before)[last];
  }
  return kept;
}

type Table = Record<string, unknown>;

/** Names of all settings that differ. */
export function findDifferences(before: Settings, after: Settings): readonly string[] {
  const differences: string[] = [];
  compare(before.parameters, after.parameters, "", differences);
  const { role: _role, parameters: _before, ...tables } = before;
  const { role: _other, parameters: _after, ...others } = after;
  compare(tables, others, "", differences);
  return differences;
}

function compare(before: unknown, after: unknown, name: string, differences: string[]): void {
  if (isTable(before) && isTable(after)) {
    for (const key of Object.keys({ ...before, ...after })) {
      compare(before[key], after[key], name === "" ? key : `${name}.${key}`, differences);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) differences.push(name);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
