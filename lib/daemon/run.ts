/**
 * The control thread of a role: starts it, tells it to stop, and turns how it ended into an exit code.
 *
 * Owns the listening socket, the service threads and their command pipes. It does no work of the
 * role's: everything here may wait for promises, because nothing here is waited for by a peer.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { closeFile, OPEN, openFile, writeFile } from "../ffi/libc/file.ts";
import { describeErrno } from "../ffi/errno.ts";
import { processId } from "../ffi/libc/process.ts";
import { pipe } from "../ffi/libc/socket.ts";
import { type Log, openLog } from "../log/log.ts";
import { UnixListener } from "../net/unix_listener.ts";
import type { Settings } from "../config/settings.ts";
import { type Command, encodeCommand, type Report, type StartMessage } from "./seam.ts";
import { SharedCounters } from "./shared_counters.ts";

/** What to run. */
export interface RunOptions {
  readonly settings: Settings;
  /** Address of the role's worker module. */
  readonly worker: URL;
  /** How many service threads. */
  readonly threads: number;
}

const BACKLOG = 1024;
const STDERR = 2;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Runs a role until it is told to stop or cannot go on; the exit code of the process. */
export async function runRole(options: RunOptions): Promise<ExitCode> {
  const { settings } = options;
  const logTo = openLogTarget(settings);
  const log = openLog({ ...logTo, pid: processId() });
  const { socket, socket_mode: mode } = settings.service;
  const listener = UnixListener.open(socket, {
    mode,
    groupId: groupIdOf(settings.service.socket_group),
    backlog: BACKLOG,
  });
  const control = new Control(log, settings.service.drain_timeout * 1000);
  const shared = SharedCounters.allocate();
  const forward = () => control.signalled();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, forward);
  try {
    for (let index = 0; index < options.threads; index++) {
      control.add(options.worker, {
        settings,
        listenFd: listener.fd,
        logFd: logTo.fd,
        logStamped: logTo.stamped,
        logName: logTo.name,
        index,
        shared,
      });
    }
    await control.ready;
    if (!control.stopping) log.info(`ready: serving ${socket}`);
    await control.closed;
    // Whoever connects must find out at once, and a successor must be able to take the name, while
    // what is open here comes to its end.
    listener.close();
    return await control.finished;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, forward);
    listener.close();
  }
}

/** The threads of a role, and where each of them stands. */
class Control {
  readonly #log: Log;
  readonly #drainLimitMs: number;
  readonly #commandFds: number[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<ExitCode>();
  #running = 0;
  /** Threads that do not serve yet. */
  #waiting = 0;
  /** Threads that accept connections, or may begin to. */
  #accepting = 0;
  #asked: "nothing" | "drain" | "stop" = "nothing";
  #exitCode: ExitCode = EXIT.ok;
  /** Failures that have been logged. */
  readonly #told = new Set<string>();

  constructor(log: Log, drainLimitMs: number) {
    this.#log = log;
    this.#drainLimitMs = drainLimitMs;
  }

  /** All threads serve, or one of them never will. */
  get ready(): Promise<void> {
    return this.#ready.promise;
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

  /** Starts a service thread. */
  add(module: URL, start: Omit<StartMessage, "commandFd">): void {
    const ends = pipe();
    if (typeof ends === "number") {
      throw new FatalError(`Cannot make a pipe to a service thread: ${describeErrno(-ends)}`);
    }
    this.#commandFds.push(ends[1]);
    this.#running++;
    this.#waiting++;
    this.#accepting++;
    const worker = new Worker(module, { type: "module", name: `service-${start.index}` });
    let accepting = true;
    const stopAccepting = () => {
      if (accepting) this.#accepting--;
      accepting = false;
      if (this.#accepting === 0) this.#closed.resolve();
    };
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      stopAccepting();
      // The thread has left its loop, or never reached it.
      worker.terminate();
      closeFile(ends[0]);
      this.#threadEnded();
    };
    worker.onmessage = (event: MessageEvent<Report>) => {
      this.#take(event.data, { stopAccepting, end });
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message, undefined, EXIT.software);
      end();
    };
    worker.postMessage({ ...start, commandFd: ends[0] } satisfies StartMessage);
  }

  /** SIGTERM or SIGINT: the first drains, the second stops. */
  signalled(): void {
    if (this.#asked === "nothing") this.#ask("drain");
    else this.#ask("stop");
  }

  #take(report: Report, thread: { stopAccepting(): void; end(): void }): void {
    switch (report.kind) {
      case "ready":
        this.#waiting--;
        if (this.#waiting === 0) this.#ready.resolve();
        return;
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
    // What one thread cannot do the others cannot do either.
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
    const line = utf8(encodeCommand({ kind: what } satisfies Command));
    for (const fd of this.#commandFds) writeFile(fd, line, line.length);
    if (what === "drain") {
      // Unreferenced: it must not keep a process alive whose threads have all ended.
      Deno.unrefTimer(setTimeout(() => this.#ask("stop"), this.#drainLimitMs));
    }
  }

  #threadEnded(): void {
    this.#running--;
    this.#ready.resolve();
    if (this.#running > 0) return;
    for (const fd of this.#commandFds) closeFile(fd);
    this.#commandFds.length = 0;
    this.#finished.resolve(this.#exitCode);
  }
}

/** Opens what `[log] destination` names. */
function openLogTarget(settings: Settings): { fd: number; stamped: boolean; name: string } {
  const name = `${settings.parameters.syslog_name}/${settings.role}`;
  const path = settings.log.destination;
  if (!path.startsWith("/")) return { fd: STDERR, stamped: false, name };
  const flags = OPEN.writeOnly | OPEN.create | OPEN.append | OPEN.closeOnExec | OPEN.noFollow;
  const fd = openFile(path, flags, 0o600);
  if (fd >= 0) return { fd, stamped: true, name };
  const why = -fd === ERRNO.ELOOP ? "it is a symbolic link" : describeErrno(-fd);
  throw new FatalError(`Cannot open log file "${path}": ${why}`, {
    hint: "Choose a file that this user may write in [log] destination",
  });
}

/** The number of a group in /etc/group. */
function groupIdOf(group: string): number | undefined {
  if (group === "") return undefined;
  if (/^[0-9]+$/.test(group)) return Number(group);
  for (const line of Deno.readTextFileSync("/etc/group").split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group) return Number(id);
  }
  throw new FatalError(`Cannot find the group "${group}" of the socket: it is not in /etc/group`, {
    hint: "Create the group, or change [service.ROLE] socket_group",
  });
}
