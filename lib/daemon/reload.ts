/**
 * Reading the settings again without an end of service, on SIGHUP.
 *
 * Other service threads are made of the new settings: they check everything and load every key before
 * they serve, and those before them let their sessions end under the settings that they began with. When
 * anything is wrong the old threads stay as they are.
 *
 * What the process itself was made of, its socket, account, log and limits, stays as it is until the next
 * start. So does all of tlsmgr, whose thread owns files and ticket keys that no second one can have. What
 * a reload finds changed and cannot change is named.
 *
 * @module
 */
import { FatalError, messageOf } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { sharedMonotonicUs } from "../ffi/libc/process.ts";
import type { Log } from "../log/log.ts";
import { Crew, type CrewGround, type Crews } from "./crew.ts";
import type { Listening } from "./listening.ts";
import type { Notifier } from "./notify.ts";

/** What reading the settings again has found. */
export interface Rereading {
  /** Absent: the lines say why. */
  readonly settings: Settings | undefined;
  /** How many service threads. */
  readonly threads: number;
  /** A line for each finding. */
  readonly lines: readonly string[];
}

/** Reads the settings again. Throws {@linkcode FatalError} when they cannot be read. */
export type Reread = () => Rereading;

/** What a reload works with. */
export interface ReloadGround {
  readonly log: Log;
  readonly notifier: Pick<Notifier, "ready" | "reloading">;
  readonly listening: Pick<Listening, "shown">;
  readonly forCrews: CrewGround;
  /** Absent: the settings cannot be read again. */
  readonly reread: Reread | undefined;
}

const KEPT = "the settings before it stay in force";

/** Makes one reload after the other. */
export class Reloader {
  readonly #crews: Crews;
  readonly #ground: ReloadGround;
  /** A service that has not begun has nothing to change. */
  #isBusy = true;
  #again = false;

  constructor(crews: Crews, ground: ReloadGround) {
    this.#crews = crews;
    this.#ground = ground;
  }

  /** The service has begun: reloads what was asked for before, if anything was. */
  async begin(): Promise<void> {
    this.#isBusy = false;
    if (this.#again) await this.reload();
  }

  /** Reloads; while a reload is under way, or the service has not begun, later. */
  async reload(): Promise<void> {
    const { log, notifier, listening } = this.#ground;
    this.#again = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#again) {
      this.#again = false;
      notifier.reloading(sharedMonotonicUs());
      const fault = await this.#tryOnce();
      if (fault !== undefined) log.error(`reload: ${fault}; ${KEPT}`);
      const status = fault === undefined ? "" : `; the last reload failed: ${fault}`;
      if (!this.#crews.isStopping) notifier.ready(`Serving ${listening.shown}${status}`);
    }
    this.#isBusy = false;
  }

  /** Why the settings stay as they are. */
  async #tryOnce(): Promise<string | undefined> {
    const { log, reread, forCrews } = this.#ground;
    const crews = this.#crews;
    const before = crews.current.settings;
    if (crews.isStopping) return "the service is ending";
    if (before.service.reload === "off") return "it is switched off ([service] reload)";
    if (reread === undefined) return "they came from master(8) or standard input, and only once";
    const found = attempt(reread);
    if (typeof found === "string") return found;
    for (const line of found.lines) log.warn(`reload: ${line}`);
    if (found.settings === undefined) return "the settings have errors";
    const after = keepFixed(before, found.settings);
    const fixed = findFixed(before, found.settings);
    if (fixed.length > 0) log.warn(`reload: takes a restart: ${fixed.join(", ")}`);
    if (before.role === "tlsmgr") {
      log.info("reload: the settings are right; tlsmgr takes them when it starts");
      return undefined;
    }
    const next = new Crew(after, found.threads, forCrews);
    if (!await next.tryToServe()) {
      await next.control.finished;
      return "the new settings cannot be served";
    }
    if (crews.isStopping) {
      next.control.stop();
      await next.control.finished;
      return "the service is ending";
    }
    crews.replace(next);
    log.info("reload: the new settings are in force");
  }
}

function attempt(reread: Reread): Rereading | string {
  try {
    return reread();
  } catch (error) {
    if (error instanceof FatalError) return messageOf(error);
    throw error;
  }
}

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
  ...["socket", "socket_mode", "socket_group"] as const,
];

/** Parameters that the process is made of. */
const PARAMETERS: readonly (keyof Settings["parameters"])[] = [
  ...["queue_directory", "mail_owner", "syslog_name", "syslog_facility"] as const,
  ...["daemon_timeout", "tlsproxy_watchdog_timeout", "max_use", "max_idle"] as const,
];

/** The new settings, with what the process was made of as it is. */
export function keepFixed(before: Settings, after: Settings): Settings {
  const pick = <T extends object>(from: T, keys: readonly (keyof T)[]) =>
    Object.fromEntries(keys.map((key) => [key, from[key]]));
  return {
    ...after,
    log: before.log,
    service: { ...after.service, ...pick(before.service, SERVICE) },
    parameters: { ...after.parameters, ...pick(before.parameters, PARAMETERS) },
  };
}

/** Names of settings that differ and take a restart, as a settings file has them. */
export function findFixed(before: Settings, after: Settings): readonly string[] {
  // tlsmgr's threads own files and keys that no second one can have at the same time.
  if (before.role === "tlsmgr") return findDifferences(before, after);
  return findDifferences(before, after).filter((name) =>
    name.startsWith("log.") ||
    SERVICE.some((key) => name === `service.${key}`) ||
    PARAMETERS.some((key) => name === key)
  );
}

/** Names of all settings that differ; keys of `[service.ROLE]` appear under `service`. */
function findDifferences(before: Settings, after: Settings): readonly string[] {
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
