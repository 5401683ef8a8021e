/**
 * The control thread's side of the service threads: where each of them stands, what they are told.
 *
 * Owns the threads and their command pipes. Threads go one way: opened, ready, draining, ended; one that
 * fails takes the others with it, because what one cannot do the others cannot do either.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { EXIT, type ExitCode, FatalError, messageOf } from "../base/errors.ts";
import { describeErrno } from "../ffi/errno.ts";
import { closeFile, writeFile } from "../ffi/libc/file.ts";
import { pipe } from "../ffi/libc/socket.ts";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import type { FileMark } from "./file_marks.ts";
import { makeGate, openGate } from "./gate.ts";
import type { NumberBoard, ThreadNumbers } from "./numbers/number_board.ts";
import { Parcel } from "./parcel.ts";
import {
  type Adoption,
  type Command,
  encodeCommand,
  type Report,
  type StartMessage,
} from "./seam.ts";
import { makeSlowCall } from "./slow_calls.ts";
import type { StuckThread } from "./watchdog.ts";

/** What {@linkcode Control.add} is told of a thread. */
export type ThreadStart = Omit<StartMessage, "commandFd" | "gate" | "numbers">;

/** What threads are controlled with. */
export interface ControlOptions {
  readonly drainLimitMs: number;
  /** Where the numbers of all threads come together. */
  readonly board: NumberBoard;
  /** Takes what a thread is about to read. */
  readonly noteFiles: (files: readonly FileMark[]) => void;
}

/** What the handlers of one thread may do. */
interface Thread {
  opened(): void;
  announce: ThreadNumbers["announce"];
  stopAccepting(): void;
  end(): void;
  /** Counts it as ended, which it is not: its descriptors stay open, and should it go on, it ends. */
  abandon(): void;
  send(command: Command): void;
}

/** The threads of a role. */
export class Control {
  readonly #log: Log;
  readonly #drainLimitMs: number;
  readonly #board: NumberBoard;
  readonly #noteFiles: (files: readonly FileMark[]) => void;
  readonly #gate = makeGate();
  readonly #commandFds: number[] = [];
  readonly #threads: Thread[] = [];
  readonly #opened = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopping = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<ExitCode>();
  #running = 0;
  /** Threads that have not opened everything. */
  #opening = 0;
  /** Threads that do not serve yet. */
  #waiting = 0;
  /** Threads that accept connections, or may begin to. */
  #accepting = 0;
  #asked: "nothing" | "drain" | "stop" = "nothing";
  #exitCode: ExitCode = EXIT.ok;
  /** Ends what was to come to its end by itself. */
  #limit: ReturnType<typeof setTimeout> | undefined;
  /** Who waits for the answer to other settings. */
  #adoption: PromiseWithResolvers<Adoption> | undefined;
  /** Failures that have been logged. */
  readonly #told = new Set<string>();

  constructor(log: Log, options: ControlOptions) {
    this.#log = log;
    this.#drainLimitMs = options.drainLimitMs;
    this.#board = options.board;
    this.#noteFiles = options.noteFiles;
  }

  /** All threads have opened what they need, or one of them never will. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** All threads serve, or one of them never will. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The end has begun. */
  get stopped(): Promise<void> {
    return this.#stopping.promise;
  }

  /** No thread accepts connections any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** All threads have ended. */
  get finished(): Promise<ExitCode> {
    return this.#finished.promise;
  }

  /** Whether the end has begun. */
  get stopping(): boolean {
    return this.#asked !== "nothing";
  }

  /** Starts a service thread, which opens what it needs. */
  add(module: URL, start: ThreadStart): void {
    const ends = pipe();
    if (typeof ends === "number") {
      throw new FatalError(`Cannot make a pipe to a service thread: ${describeErrno(-ends)}`);
    }
    this.#commandFds.push(ends[1]);
    this.#running++;
    this.#opening++;
    this.#waiting++;
    this.#accepting++;
    const worker = new Worker(module, { type: "module", name: `service-${start.index}` });
    const numbers = this.#board.attach();
    const thread = this.#follow(worker, ends, numbers);
    this.#threads.push(thread);
    worker.onmessage = (event: MessageEvent<Report>) => this.#take(event.data, thread);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message, undefined, EXIT.software);
      thread.end();
    };
    worker.postMessage(
      {
        ...start,
        commandFd: ends[0],
        gate: this.#gate,
        numbers: numbers.memory,
      } satisfies StartMessage,
    );
  }

  /** Lets the threads serve. */
  serve(): void {
    openGate(this.#gate, "serve");
  }

  /** Lets the sessions end, up to the limit; said again, ends them. */
  drain(): void {
    this.#ask(this.#asked === "nothing" ? "drain" : "stop");
  }

  /** Ends the sessions. */
  stop(): void {
    this.#ask("stop");
  }

  /** Has the thread take other settings; only for a role of one thread. */
  async adopt(settings: Settings): Promise<Adoption> {
    const parcel = new Parcel(settings);
    const answer = Promise.withResolvers<Adoption>();
    this.#adoption = answer;
    this.#threads[0].send({ kind: "settings", ...parcel.place });
    // A thread that is stuck may still read it, so that it is not given back then.
    const ended = this.finished.then(() => ({ fault: "the service is ending", fixed: [] }));
    const adoption = await Promise.race([answer.promise, ended]);
    if (this.#adoption !== answer) parcel[Symbol.dispose]();
    this.#adoption = undefined;
    return adoption;
  }

  /** Does `step`; ends everything when it throws, which is logged. */
  attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof FatalError) this.#fail(error.message, error.hint, error.exitCode);
      else this.#fail(messageOf(error), undefined, EXIT.software);
    }
  }

  /** Ends everything because a thread hears no command any more, and does not wait for that one. */
  giveUp({ index, work }: StuckThread, limitMs: number): void {
    const what = `service thread ${index} is ${work}, and has been for ${limitMs / 1000} seconds`;
    this.#fail(`Watchdog timeout: ${what}`, undefined, EXIT.software);
    this.#threads[index].abandon();
  }

  #follow(worker: Worker, ends: readonly [number, number], numbers: ThreadNumbers): Thread {
    let opening = true;
    let accepting = true;
    let ended = false;
    const opened = () => {
      if (opening) this.#opening--;
      opening = false;
      if (this.#opening === 0) this.#opened.resolve();
    };
    const stopAccepting = () => {
      if (accepting) this.#accepting--;
      accepting = false;
      if (this.#accepting === 0) this.#closed.resolve();
    };
    const leave = () => {
      ended = true;
      opened();
      stopAccepting();
      // The thread has left its loop, or never reached it, or is stuck.
      worker.terminate();
      numbers.end();
    };
    return {
      opened,
      announce: numbers.announce,
      stopAccepting,
      abandon: () => {
        if (ended) return;
        leave();
        this.#threadEnded();
      },
      send: (command) => {
        // Its end of the pipe has gone with the thread.
        if (!ended) writeCommand(ends[1], command);
      },
      end: () => {
        if (ended) return;
        leave();
        closeFile(ends[0]);
        this.#threadEnded();
      },
    };
  }

  #take(report: Report, thread: Thread): void {
    switch (report.kind) {
      case "opened":
        return thread.opened();
      case "ready":
        this.#waiting--;
        if (this.#waiting === 0) this.#ready.resolve();
        return;
      case "slow": {
        const { request } = report;
        makeSlowCall(request).then((result) => {
          thread.send({ kind: "slow", id: request.id, result });
        });
        return;
      }
      case "series":
        return thread.announce(report.series);
      case "adopted":
        this.#adoption?.resolve(report.adoption);
        this.#adoption = undefined;
        return;
      case "files":
        return this.#noteFiles(report.files);
      case "dismissed":
        return this.#ask("drain");
      case "draining":
        return thread.stopAccepting();
      case "stopped":
        return thread.end();
      case "failed":
        if (report.stack !== undefined) {
          for (const line of report.stack.split("\n")) this.#log.error(line);
        }
        this.#fail(report.message, report.hint, report.exitCode);
        return thread.end();
    }
  }

  #fail(message: string, hint: string | undefined, exitCode: ExitCode): void {
    if (!this.#told.has(message)) {
      this.#log.fatal(hint === undefined ? message : `${message}; ${hint}`);
    }
    this.#told.add(message);
    this.#exitCode = exitCode;
    this.#ask("stop");
  }

  #ask(what: "drain" | "stop"): void {
    if (this.#asked === what || this.#asked === "stop") return;
    this.#asked = what;
    this.#stopping.resolve();
    for (const fd of this.#commandFds) writeCommand(fd, { kind: what });
    // Who still waits there has nothing to finish.
    openGate(this.#gate, "leave");
    if (what === "drain") {
      // Unreferenced: it must not keep a process alive whose threads have all ended.
      this.#limit = setTimeout(() => this.#ask("stop"), this.#drainLimitMs);
      Deno.unrefTimer(this.#limit);
    }
  }

  #threadEnded(): void {
    this.#running--;
    this.#ready.resolve();
    if (this.#running > 0) return;
    for (const fd of this.#commandFds) closeFile(fd);
    this.#commandFds.length = 0;
    clearTimeout(this.#limit);
    this.#finished.resolve(this.#exitCode);
  }
}

function writeCommand(fd: number, command: Command): void {
  const line = utf8(encodeCommand(command));
  writeFile(fd, line, line.length);
}
