/**
 * What a store and those who work for it share: its parts, and what the operator has been told.
 *
 * @module
 */
import type { Durability } from "./durability.ts";
import { EntryIndex } from "./entry_index.ts";
import type { Loading } from "./loading.ts";
import type { LogFile } from "./log_file.ts";
import type { PrivatePlace } from "./private_file.ts";
import type { StoreSettings } from "./store_options.ts";

/** The parts of one store. */
export class StoreCore {
  readonly settings: StoreSettings;
  readonly place: PrivatePlace;
  readonly durability: Durability;
  readonly index = new EntryIndex();
  /** The file; a compaction puts another one here. */
  log: LogFile;
  /** Reads what an earlier process left; absent when all of it is read. */
  loading: Loading | undefined;
  /** Set at the end: timers that come later have nothing to do. */
  isClosed = false;
  /** Entries given up because their record could not be read back intact. */
  lostEntries = 0;
  readonly #reported = new Set<string>();

  constructor(parts: {
    settings: StoreSettings;
    place: PrivatePlace;
    log: LogFile;
    makeDurability: (core: StoreCore) => Durability;
  }) {
    this.settings = parts.settings;
    this.place = parts.place;
    this.log = parts.log;
    this.durability = parts.makeDurability(this);
  }

  /** The file as messages name it. */
  get file(): string {
    return `cache file "${this.place.path}"`;
  }

  /** Tells the operator, unless `subject` has come up already and was not {@linkcode settle}d since. */
  reportOnce(subject: string, message: string): void {
    if (this.#reported.has(subject)) return;
    this.#reported.add(subject);
    this.settings.report("warning", message);
  }

  /** Reports `message` if `subject` has come up, which is over now. */
  settle(subject: string, message: string): void {
    if (this.#reported.delete(subject)) this.settings.report("info", message);
  }

  /** An entry was given up. */
  noteLost(): void {
    this.lostEntries++;
    this.reportOnce("lost", `Cache file "${this.place.path}": damaged entries are dropped`);
  }
}
