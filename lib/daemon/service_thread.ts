/**
 * The frame of a service thread: one reactor, one service, until told to stop.
 *
 * A worker module calls {@linkcode serve} with its role's service and nothing else. The thread then
 * waits for its {@linkcode StartMessage}, makes the service, which opens all there is to open, and waits
 * at the gate until the process has given away the rights that took. Only behind it is a byte of a
 * client's read: in the synchronous loop, which the thread leaves only to end.
 * Whatever is thrown inside, by design or by a bug, reaches the control thread as one `failed` report.
 *
 * @module
 */
import { EXIT, FatalError, messageOf } from "../base/errors.ts";
import { fromUtf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { readFile } from "../ffi/libc/file.ts";
import { processId } from "../ffi/libc/process.ts";
import { opensslVersionText } from "../ffi/openssl/openssl.ts";
import { type Log, openLog } from "../log/log.ts";
import { Reactor, READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import { KeptMemory } from "./kept_memory.ts";
import { readParcel } from "./parcel.ts";
import {
  type Adoption,
  type Command,
  decodeCommand,
  type Report,
  type StartMessage,
} from "./seam.ts";
import { markFile } from "./file_marks.ts";
import { waitAtGate } from "./gate.ts";
import { countLog } from "./numbers/log_numbers.ts";
import { countLoop } from "./numbers/loop_numbers.ts";
import { Numbers } from "./numbers/numbers.ts";
import { Progress } from "./progress.ts";
import { SharedCounters } from "./shared_counters.ts";
import { SlowCallClient } from "./slow_calls.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import type { Settings } from "../config/settings.ts";
import manifest from "../../deno.json" with { type: "json" };

/** What a service is given. */
export interface ServiceHall {
  readonly reactor: Reactor;
  readonly settings: Settings;
  readonly log: Log;
  /** Listening descriptor; the service accepts on it and never closes it. */
  readonly listenFd: number;
  /** User id that the process serves with: who owns the files that are made. */
  readonly ownerId: number;
  /** This thread is the first of the process: what concerns all of them is said by this one. */
  readonly isFirst: boolean;
  /** Counters that all threads of the process share. */
  readonly shared: SharedCounters;
  /** Numbers that this thread shows. */
  readonly numbers: Numbers;
  /** Makes calls that may wait for a disk. */
  readonly slowCalls: SlowCalls;
  /**
   * To be called right before files are read that the service is made of, so that a change of one of them
   * can be noticed.
   */
  noteFiles(paths: readonly string[]): void;
  /** What a run before this one has left, and the next one will find; absent: nothing is kept. */
  readonly kept: KeptMemory | undefined;
  /** To be called when everything is closed after {@linkcode Service.drain}. */
  drained(): void;
}

/** One role's work inside one thread. */
export interface Service {
  /** Stop accepting; call `hall.drained()` once the last connection has ended. */
  drain(): void;
  /**
   * Takes other settings of the same role, all of them or none but those that it names. Absent: the
   * service takes settings only when it is made.
   */
  adopt?(settings: Settings): Adoption;
  /** Close everything at once; the loop ends after this turn. */
  close(): void;
}

/** Makes a service; throws {@linkcode FatalError} when it cannot run. */
export type MakeService = (hall: ServiceHall) => Service;

/** The side of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
  postMessage(message: Report): void;
}

/** Turns the worker that calls it into a service thread. */
export function serve(makeService: MakeService): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = (event) => {
    scope.onmessage = null;
    try {
      run(event.data, makeService, (report) => scope.postMessage(report));
      scope.postMessage({ kind: "stopped" });
    } catch (error) {
      scope.postMessage(failureOf(error));
    }
    // Whoever has nothing left to do makes no progress, and others of its crew may go on for long.
    new Progress(event.data.progress).waiting();
  };
}

/** The `failed` report for whatever was thrown. */
export function failureOf(error: unknown): Report {
  if (error instanceof FatalError) {
    const { message, hint, exitCode } = error;
    return { kind: "failed", message, hint, exitCode, stack: undefined };
  }
  return {
    kind: "failed",
    message: messageOf(error),
    hint: undefined,
    exitCode: EXIT.software,
    stack: error instanceof Error ? error.stack : undefined,
  };
}

const CANNOT_ADOPT: Adoption = { fault: "the service takes them only at its start", fixed: [] };

function run(start: StartMessage, makeService: MakeService, report: (r: Report) => void): void {
  const progress = new Progress(start.progress);
  progress.opening();
  const numbers = new Numbers(start.numbers, (series) => report({ kind: "series", series }));
  const reactor = new Reactor(systemClock, countLoop(numbers, progress));
  const { settings, listenFd } = start;
  using log = openLog({
    ...{ ...start.log, pid: processId(), thread: start.index },
    defer: (delayMs, act) => void reactor.after(delayMs, act),
  });
  log.watch(countLog(numbers));
  const slowCalls = new SlowCallClient((request) => report({ kind: "slow", request }));
  const hall: ServiceHall = {
    reactor,
    settings,
    log,
    listenFd,
    ownerId: start.ownerId,
    isFirst: start.index === 0,
    shared: new SharedCounters(start.shared),
    numbers,
    slowCalls,
    noteFiles: (paths) => {
      // What one thread reads all of them do.
      if (start.index > 0 || settings.service.reload !== "watch") return;
      report({ kind: "files", files: paths.map(markFile) });
    },
    drained: () => reactor.stop(),
    kept: start.keptFd === undefined ? undefined : new KeptMemory(start.keptFd),
  };
  countThread(numbers);
  const service = makeService(hall);
  const commands = new CommandReader(start.commandFd, (command) => {
    switch (command.kind) {
      case "slow":
        return slowCalls.finish(command.id, command.result);
      case "settings": {
        const adopted = service.adopt?.(readParcel<Settings>(command));
        return report({ kind: "adopted", adoption: adopted ?? CANNOT_ADOPT });
      }
      case "drain":
        service.drain();
        return report({ kind: "draining" });
      case "stop":
        service.close();
        slowCalls.end();
        return reactor.stop();
    }
  });
  const registration = reactor.watch(start.commandFd, READY.read, commands);
  progress.waiting();
  report({ kind: "opened" });
  if (waitAtGate(start.gate) === "serve") {
    report({ kind: "ready" });
    const channel = watchChannel(reactor, start.channelFd, () => report({ kind: "dismissed" }));
    reactor.run();
    channel?.close();
  }
  service.close();
  registration.close();
  reactor.close();
}

/** What every thread shows of itself. */
function countThread(numbers: Numbers): void {
  const { version } = manifest;
  const labels = { version, deno: Deno.version.deno, openssl: opensslVersionText };
  numbers.gauge("postern_build_info", labels).set(1);
  numbers.gauge("postern_service_threads").set(1);
}

/** Tells once when the channel ends; nothing ever comes through it. */
function watchChannel(
  reactor: Reactor,
  fd: number | undefined,
  ended: () => void,
): Registration | undefined {
  if (fd === undefined) return undefined;
  const registration = reactor.watch(fd, READY.read, {
    ready() {
      registration.close();
      ended();
    },
  });
  return registration;
}

/** Reads lines of JSON from the control thread's pipe. */
class CommandReader implements ReadyHandler {
  readonly #fd: number;
  readonly #obey: (command: Command) => void;
  readonly #chunk = new Uint8Array(4096);
  #text = "";

  constructor(fd: number, obey: (command: Command) => void) {
    this.#fd = fd;
    this.#obey = obey;
  }

  ready(_events: number): void {
    const count = readFile(this.#fd, this.#chunk, this.#chunk.length);
    // The control thread holds the other end for the life of the process; its end is the end of all.
    if (count === 0) return this.#obey({ kind: "stop" });
    if (count < 0) return;
    const lines = (this.#text + fromUtf8(this.#chunk.subarray(0, count))).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const command = decodeCommand(line);
      if (command === undefined) throw new TypeError(`Unknown command: ${line}`);
      this.#obey(command);
    }
  }
}
