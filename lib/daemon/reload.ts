/**
 * Reading the settings again without an end of service, on SIGHUP.
 *
 * tlsproxy: other service threads are made of the new settings. They check everything, load every key and
 * try it before they serve, and those before them let their sessions end under the settings that they
 * began with. tlsmgr: its thread, which owns files and ticket keys that no second one can have, takes the
 * new settings between two turns. When anything is wrong everything stays as it is.
 *
 * What the process itself was made of, its socket, account, log and limits, stays as it is until the next
 * start. What a reload finds changed and cannot change is named.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { sharedMonotonicUs } from "../ffi/libc/process.ts";
import type { Log, LogSubject } from "../log/log.ts";
import { Crew, type CrewGround, type Crews } from "./crew.ts";
import { markFile } from "./file_marks.ts";
import type { FileWatch } from "./file_watch.ts";
import type { Listening } from "./listening.ts";
import type { Notifier } from "./notify.ts";
import { findFixed, keepNamed } from "./settings_changes.ts";

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
  /** Goes on in a fresh log file where the old one was moved away; that is no matter of settings. */
  readonly reopenLog: () => void;
  readonly notifier: Pick<Notifier, "ready" | "reloading">;
  readonly listening: Pick<Listening, "shown">;
  readonly forCrews: CrewGround;
  /** Absent: the settings cannot be read again. */
  readonly reread: Reread | undefined;
  /** Where the settings are; absent: in no file. */
  readonly settingsFile: string | undefined;
  /** Told of what is read. */
  readonly watch: Pick<FileWatch, "beginReading" | "note" | "endReading">;
}

/** Each end of a reload is told, also of several that end alike. */
const EVENT: LogSubject = { isEvent: true, describe: () => {} };
const KEPT = "the settings before it stay in force";

/** What came of one reload. */
export interface ReloadOutcome {
  /** Why the settings stay as they are; `undefined`: the new ones are in force. */
  readonly fault: string | undefined;
  /** What was found: a line for each finding, and what takes a restart. */
  readonly lines: readonly string[];
}

/** The last reload. */
export interface LastReload extends ReloadOutcome {
  /** When it ended, seconds since 1970. */
  readonly endedS: number;
}

/** Makes one reload after the other. */
export class Reloader {
  readonly #crews: Crews;
  readonly #ground: ReloadGround;
  /** A service that has not begun has nothing to change. */
  #hasBegun = false;
  #isBusy = false;
  /** Whoever asked for a reload that has not begun. */
  #next: PromiseWithResolvers<ReloadOutcome> | undefined;
  #last: LastReload | undefined;

  constructor(crews: Crews, ground: ReloadGround) {
    this.#crews = crews;
    this.#ground = ground;
    // Whoever asks before a service begins that never does is told so.
    crews.stopped.then(() => this.begin());
  }

  /** What came of the last reload; `undefined`: there was none. */
  get last(): LastReload | undefined {
    return this.#last;
  }

  /** The service has begun: reloads if that was asked for before. */
  begin(): void {
    this.#hasBegun = true;
    this.#go();
  }

  /**
   * What comes of the first reload that begins after this call: at once, or when the one under way has
   * ended, or when the service begins. All who ask in the meantime share it.
   */
  reload(): Promise<ReloadOutcome> {
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    this.#go();
    return promise;
  }

  async #go(): Promise<void> {
    if (!this.#hasBegun || this.#isBusy) return;
    this.#isBusy = true;
    while (this.#next !== undefined) {
      const { resolve } = this.#next;
      this.#next = undefined;
      resolve(await this.#reloadOnce());
    }
    this.#isBusy = false;
  }

  async #reloadOnce(): Promise<ReloadOutcome> {
    const { log, notifier, listening, watch } = this.#ground;
    this.#ground.reopenLog();
    if (!this.#crews.isStopping) notifier.reloading(sharedMonotonicUs());
    const lines: string[] = [];
    watch.beginReading();
    const fault = await this.#tryOnce((line) => {
      log.warn(`reload: ${line}`, EVENT);
      lines.push(line);
    });
    watch.endReading(fault === undefined);
    if (fault === undefined) log.info("reload: the new settings are in force", EVENT);
    else log.error(`reload: ${fault}; ${KEPT}`, EVENT);
    this.#ground.forCrews.board.control.noteReload(fault === undefined);
    const status = fault === undefined ? "" : `; the last reload failed: ${fault}`;
    if (!this.#crews.isStopping) notifier.ready(`Serving ${listening.shown}${status}`);
    this.#last = { fault, lines, endedS: systemClock.unixSeconds() };
    return this.#last;
  }

  /** Why the settings stay as they are. */
  async #tryOnce(tell: (line: string) => void): Promise<string | undefined> {
    const { reread, settingsFile, watch, forCrews } = this.#ground;
    const crews = this.#crews;
    const before = crews.current.settings;
    if (crews.isStopping) return "the service is ending";
    if (before.service.reload === "off") return "it is switched off ([service] reload)";
    if (reread === undefined) return "they came from master(8) or standard input, and only once";
    if (settingsFile !== undefined) watch.note([markFile(settingsFile)]);
    const found = attempt(reread);
    if (typeof found === "string") return found;
    for (const line of found.lines) tell(line);
    if (found.settings === undefined) return "the settings have errors";
    const fixed = findFixed(before, found.settings);
    const after = keepNamed(before, found.settings, fixed);
    const tellFixed = (names: readonly string[]) => {
      if (names.length > 0) tell(`takes a restart: ${names.join(", ")}`);
    };
    if (before.role === "tlsmgr") {
      // No second thread can have its files and its keys.
      const { fault, fixed: ofThread } = await crews.current.adopt(after);
      if (fault !== undefined) return `the new settings cannot be served: ${fault}`;
      tellFixed([...fixed, ...ofThread]);
      return undefined;
    }
    tellFixed(fixed);
    const next = new Crew(after, found.threads, forCrews);
    const fault = await next.tryToServe();
    if (fault !== undefined) return `the new settings cannot be served: ${fault}`;
    if (crews.isStopping) {
      next.control.stop();
      await next.control.finished;
      return "the service is ending";
    }
    crews.replace(next);
  }
}

function attempt(reread: Reread): Rereading | string {
  try {
    return reread();
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  }
}
