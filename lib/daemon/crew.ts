/**
 * The service threads that were made of one set of settings, and how one such crew takes the place of
 * another.
 *
 * All crews of a process accept on the same descriptor and count in the same memory. The one in charge
 * serves; those before it accept no more and let their sessions end under the settings that they began
 * with. The process lasts as long as the crew in charge.
 *
 * @module
 */
import { EXIT, type ExitCode } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import { Control, type ControlOptions, type ThreadStart } from "./control.ts";
import { Progress } from "./progress.ts";
import type { Adoption } from "./seam.ts";
import { keepNamed } from "./settings_changes.ts";
import { lookIntervalMs, turnLimitMs, Watchdog } from "./watchdog.ts";

/** What all crews of a process have in common. */
export interface CrewGround extends ControlOptions {
  readonly log: Log;
  /** Address of the role's worker module. */
  readonly worker: URL;
  /** What each thread is told, apart from what belongs to its crew. */
  readonly start: Omit<ThreadStart, "settings" | "index" | "progress">;
}

/** One crew. */
export class Crew {
  #settings: Settings;
  readonly control: Control;
  /** Finds out whether its threads are well; not the one that ends them. */
  readonly health: Watchdog;
  readonly #guard: Watchdog;
  readonly #memories: readonly SharedArrayBuffer[];
  readonly #log: Log;
  readonly #faults: string[] = [];
  #onTrial = false;

  /** Starts `threads` threads, which open what they need. */
  constructor(settings: Settings, threads: number, ground: CrewGround) {
    this.#settings = settings;
    this.#log = ground.log;
    this.control = new Control(this.#threadLog(), ground);
    this.#memories = Array.from({ length: threads }, () => Progress.allocate());
    this.health = this.watch();
    this.#guard = this.watch();
    this.#keepGuard();
    for (const [index, progress] of this.#memories.entries()) {
      const channelFd = index === 0 ? ground.start.channelFd : undefined;
      this.control.add(ground.worker, { ...ground.start, channelFd, settings, index, progress });
    }
  }

  /** How many threads it began with. */
  get threads(): number {
    return this.#memories.length;
  }

  /** A pair of eyes on all threads that has not looked yet. */
  watch(): Watchdog {
    return new Watchdog(this.#memories.map((memory) => new Progress(memory)));
  }

  /**
   * Lets the threads serve, once they have opened everything. Why they do not; then they have ended, and
   * nothing was logged of it. `undefined`: they do.
   */
  async tryToServe(): Promise<string | undefined> {
    this.#onTrial = true;
    await this.control.opened;
    this.control.serve();
    await this.control.ready;
    this.#onTrial = false;
    if (!this.control.stopping) return undefined;
    await this.control.finished;
    return this.#faults.join("; ");
  }

  /** The settings that are in force. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Has the thread of a role that has but one take other settings. */
  async adopt(settings: Settings): Promise<Adoption> {
    const adoption = await this.control.adopt(settings);
    if (adoption.fault === undefined) {
      this.#settings = keepNamed(this.#settings, settings, adoption.fixed);
    }
    return adoption;
  }

  /** What would end a process is, in a crew that may fail, for whoever tries it to tell. */
  #threadLog(): Log {
    const log = this.#log;
    return {
      ...log,
      fatal: (text) => {
        if (this.#onTrial) this.#faults.push(text);
        else log.fatal(text);
      },
    };
  }

  /** What the thread that has least has left before the process is ended, milliseconds. */
  get marginMs(): number {
    return this.#guard.marginMs(turnLimitMs(this.settings));
  }

  #keepGuard(): void {
    const limitMs = turnLimitMs(this.settings);
    const timer = setInterval(() => {
      const stuck = this.#guard.look();
      if (stuck !== undefined) this.control.giveUp(stuck, limitMs);
    }, lookIntervalMs(limitMs));
    this.control.finished.then(() => clearInterval(timer));
  }
}

/** The crew in charge, and those that leave. */
export class Crews {
  readonly #leaving = new Set<Crew>();
  readonly #finished = Promise.withResolvers<ExitCode>();
  readonly #stopping = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #current: Crew;
  #isStopping = false;

  constructor(first: Crew) {
    this.#current = first;
    this.#follow(first);
  }

  get current(): Crew {
    return this.#current;
  }

  /** The crew in charge first, then those that leave. */
  get all(): readonly Crew[] {
    return [this.#current, ...this.#leaving];
  }

  /** The end has begun. */
  get stopped(): Promise<void> {
    return this.#stopping.promise;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** No thread accepts connections any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** All threads have ended. */
  get finished(): Promise<ExitCode> {
    return this.#finished.promise;
  }

  /** Whether every thread makes progress. To be asked often. */
  get isWell(): boolean {
    let isWell = true;
    for (const { health } of this.all) {
      health.look();
      if (!health.isWell) isWell = false;
    }
    return isWell;
  }

  /** What the thread that has least has left before the process is ended, milliseconds. */
  get marginMs(): number {
    return Math.min(this.#current.marginMs, ...[...this.#leaving].map((crew) => crew.marginMs));
  }

  /** Puts a crew that serves in charge; the one before it lets its sessions end. */
  replace(next: Crew): void {
    const before = this.#current;
    this.#leaving.add(before);
    this.#current = next;
    this.#follow(next);
    before.control.drain();
    before.control.finished.then(() => this.#leaving.delete(before));
  }

  /** Lets all sessions end, up to the limit; said again, ends them. */
  drain(): void {
    if (this.#isStopping) return this.stop();
    // Those that leave do so already.
    this.#current.control.drain();
  }

  /** Ends all sessions. */
  stop(): void {
    for (const { control } of this.all) control.stop();
  }

  #follow(crew: Crew): void {
    crew.control.stopped.then(() => {
      if (crew !== this.#current) return;
      this.#isStopping = true;
      this.#stopping.resolve();
    });
    // Whoever leaves has stopped to accept before.
    crew.control.closed.then(() => crew === this.#current && this.#closed.resolve());
    crew.control.finished.then(async (code) => {
      if (crew !== this.#current) return code === EXIT.ok ? undefined : this.#fail(code);
      await Promise.all([...this.#leaving].map(({ control }) => control.finished));
      this.#finished.resolve(code);
    });
  }

  /** A fault in a thread that was leaving ends the process, as one in any other does. */
  #fail(code: ExitCode): void {
    this.stop();
    this.#current.control.finished.then(() => this.#finished.resolve(code));
  }
}
