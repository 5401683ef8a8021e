/**
 * Notices that a file which the service was made of has changed (`[service] reload = "watch"`).
 *
 * Files are looked at every two seconds, one after the other, and in none but this thread. That notices
 * what a notice of the kernel's would not: files of a network, links above the file that are turned,
 * folders that take the place of others, rights that are taken or given. A look costs some microseconds a
 * file; with many files there is more time between two.
 *
 * A certificate and its key change one after the other, and a file may be gone while another takes its
 * name. So a change counts when nothing has changed any more for a second, or for ten while a file is
 * gone. What was read is noted by whoever reads, right before: no change falls between reading and
 * watching.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import { type FileMark, findReadFault, lookAtFile, whyUnseen } from "./file_marks.ts";

/** Between two looks at files that are as they were, milliseconds, and for each file at least. */
const LOOK_MS = 2_000;
const LOOK_MS_A_FILE = 20;
/** Between two looks while something changes. */
const BUSY_LOOK_MS = 250;
/** For how long nothing may change before a change counts, milliseconds. */
export const QUIET_MS = 1_000;
/** As {@linkcode QUIET_MS}, while a file that was there cannot be seen. */
export const GONE_QUIET_MS = 10_000;

/** What a watch works with. */
export interface FileWatchOptions {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** The mark of a file. @default {lookAtFile} */
  look?(path: string): Promise<string>;
}

/** A state of affairs that differs from the one that was read. */
interface Change {
  readonly seen: ReadonlyMap<string, string>;
  readonly sinceMs: number;
}

/** The files of one service. */
export class FileWatch {
  readonly #nowMs: () => number;
  readonly #look: (path: string) => Promise<string>;
  /** What is watched, as it was read, or was when a change was told. */
  readonly #known = new Map<string, string>();
  /** What is being read; `undefined`: nothing. */
  #reading: Set<string> | undefined;
  #change: Change | undefined;

  constructor({ nowMs, look = lookAtFile }: FileWatchOptions) {
    this.#nowMs = nowMs;
    this.#look = look;
  }

  /** How long to wait until the next {@linkcode FileWatch.findChange}, milliseconds. */
  get delayMs(): number {
    if (this.#change !== undefined) return BUSY_LOOK_MS;
    return Math.max(LOOK_MS, LOOK_MS_A_FILE * this.#known.size);
  }

  /** What is watched. */
  get paths(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** From here on {@linkcode FileWatch.note} tells what is being read. */
  beginReading(): void {
    this.#reading = new Set();
  }

  /** These files are about to be read. */
  note(marks: Iterable<FileMark>): void {
    for (const [path, mark] of marks) {
      this.#known.set(path, mark);
      this.#reading?.add(path);
    }
    this.#change = undefined;
  }

  /**
   * Reading has ended.
   *
   * @param isInForce what was read is in force, and nothing else is; otherwise a change of either counts
   */
  endReading(isInForce: boolean): void {
    const read = this.#reading;
    this.#reading = undefined;
    if (!isInForce || read === undefined) return;
    for (const path of this.#known.keys()) if (!read.has(path)) this.#known.delete(path);
  }

  /**
   * Looks at all files once. The paths that have changed, when the time for a reload has come; each
   * change is told once.
   */
  async findChange(): Promise<readonly string[] | undefined> {
    const seen = new Map<string, string>();
    for (const path of this.#known.keys()) seen.set(path, await this.#look(path));
    // Somebody has read all of it meanwhile.
    const changed = [...seen].flatMap(([path, mark]) => {
      const known = this.#known.get(path);
      return known === undefined || known === mark ? [] : [path];
    });
    if (changed.length === 0) {
      this.#change = undefined;
      return undefined;
    }
    const nowMs = this.#nowMs();
    if (this.#change === undefined || !areEqual(this.#change.seen, seen)) {
      this.#change = { seen, sinceMs: nowMs };
      return undefined;
    }
    const isGone = changed.some((path) => whyUnseen(seen.get(path)!) !== undefined);
    if (nowMs - this.#change.sinceMs < (isGone ? GONE_QUIET_MS : QUIET_MS)) return undefined;
    this.#change = undefined;
    for (const path of changed) this.#known.set(path, seen.get(path)!);
    return changed;
  }

  /**
   * What cannot be read again since the process has given its rights away, a line each. Those that cannot
   * even be seen are not watched for that.
   */
  async findLost(readFault: typeof findReadFault = findReadFault): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const [path, mark] of [...this.#known]) {
      if (whyUnseen(mark) !== undefined) continue;
      const now = await this.#look(path);
      const why = whyUnseen(now) ?? await readFault(path);
      if (why === undefined) continue;
      if (whyUnseen(now) !== undefined) this.#known.set(path, now);
      const effect = whyUnseen(now) === undefined
        ? "a reload after a change of it will fail"
        : "a change of it will not be noticed";
      lines.push(
        `"${path}" cannot be read any more (${why}): ${effect}; let the account of the service read ` +
          `it, as by the group postern, or start the service as that account`,
      );
    }
    return lines;
  }
}

function areEqual(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([path, mark]) => b.get(path) === mark);
}

/** Watches until disposed of; calls `reload` for each change and waits for it. */
export function startWatching(
  watch: FileWatch,
  { log, reload }: { readonly log: Log; reload(): Promise<unknown> },
): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let open = true;
  const next = () => {
    if (open) timer = setTimeout(look, watch.delayMs);
  };
  const look = async () => {
    const changed = await watch.findChange();
    if (open && changed !== undefined) {
      log.info(`changed: ${changed.map((path) => `"${path}"`).join(", ")}`);
      await reload();
    }
    next();
  };
  watch.findLost().then((lines) => {
    for (const line of lines) log.warn(`watching: ${line}`);
    next();
  });
  return {
    [Symbol.dispose]: () => {
      open = false;
      clearTimeout(timer);
    },
  };
}
