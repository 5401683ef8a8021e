/**
 * A role from its start to its end, as the control thread sees it, and the exit code it comes to.
 *
 * The order is that of Postfix's daemons: what takes the rights of whoever started the process is opened
 * first, by the service threads; then the rights are given away; only then is a byte of a client's read.
 * The control thread does no work of the role's: everything here may wait for promises, because nothing
 * here is waited for by a peer.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import type { ExitCode } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { effectiveUserId, processId } from "../ffi/libc/process.ts";
import { type Log, type OpenLog, openLog } from "../log/log.ts";
import { splitKept, takePassedSockets } from "./activation.ts";
import { keepTicketKeys } from "./ticket_key_file.ts";
import { Crew, type CrewGround, Crews } from "./crew.ts";
import { Desk, type DeskGround } from "./desk/desk.ts";
import { RunningService, type ServiceFacts } from "./desk/running_service.ts";
import { ForeignSocket, type Listening, openListening } from "./listening.ts";
import type { FileMark } from "./file_marks.ts";
import { FileWatch, startWatching } from "./file_watch.ts";
import { type LogTarget, openLogTarget, reopenLogTarget } from "./log_target.ts";
import { MasterLink } from "./master.ts";
import { Notifier, takePulseInterval } from "./notify.ts";
import { countLog } from "./numbers/log_numbers.ts";
import { NumberBoard } from "./numbers/number_board.ts";
import { openProcessFiles, ProcessNumbers } from "./numbers/process_numbers.ts";
import { chooseIdentity, giveUpRights, guardMemory, type Identity } from "./privileges.ts";
import { dropPages, findProgramPages } from "./program_pages.ts";
import { Recycling, recyclingLimits } from "./recycling.ts";
import { Reloader, type Reread } from "./reload.ts";
import { settingsLines } from "./settings_lines.ts";
import { SharedCounters } from "./shared_counters.ts";
import { turnLimitMs } from "./watchdog.ts";
import { enterFolder } from "./work_folder.ts";

/** What to run. */
export interface RunOptions {
  readonly settings: Settings;
  /** Address of the role's worker module. */
  readonly worker: URL;
  /** How many service threads. */
  readonly threads: number;
  /** Reads the settings again; absent: they cannot be. */
  readonly reread?: Reread;
  /** Name of what they come from, for people; absent: it has none. */
  readonly settingsFile?: string;
  /** Its mark, from before it was read. */
  readonly settingsMark?: FileMark;
  /** Whether master(8) has started the process. @default {false} */
  readonly underMaster?: boolean;
  /**
   * Whether the process ends with the role: then signals that ask for the end change nothing to the last
   * moment, however often they come. @default {false}
   */
  readonly endsProcess?: boolean;
}

const ROOT = 0;
/** What a start sets off in the background, such as compiling and collecting, is over by then. */
const SETTLE_MS = 500;
const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** What a role has before its first thread starts. */
interface Ground {
  readonly settings: Settings;
  readonly log: OpenLog;
  /** Goes on in a fresh log file where the old one was moved away. */
  readonly reopenLog: () => void;
  /** Who started the process. */
  readonly uid: number;
  /** Whom it is going to be. */
  readonly identity: Identity | undefined;
  readonly master: MasterLink | undefined;
  readonly listening: Listening;
  readonly notifier: Notifier;
  readonly watch: FileWatch;
  /** How often systemd wants to hear of the process. */
  readonly pulseMs: number | undefined;
  /** What all threads are given. */
  readonly forCrews: CrewGround;
  readonly processNumbers: ProcessNumbers;
}

/** Runs a role until it is told to stop or cannot go on; the exit code of the process. */
export async function runRole(options: RunOptions): Promise<ExitCode> {
  const ground = prepare(options);
  const { listening, notifier, settings, log } = ground;
  const crews = new Crews(new Crew(settings, options.threads, ground.forCrews));
  // Whoever stops master(8) wants all of Postfix to end.
  using ends = new DisposableStack();
  ends.use(listenTo(
    END_SIGNALS,
    () => ground.master === undefined ? crews.drain() : crews.stop(),
  ));
  using _numbers = keepNumbers(ground, crews);
  const { reread, settingsFile } = options;
  const reloader = new Reloader(crews, { ...ground, reread, settingsFile });
  const service = new RunningService(factsOf(ground, options), {
    ...{ crews, reloader },
    board: ground.forCrews.board,
  });
  using desk = new Desk(deskGroundOf(ground), service);
  using _reloads = listenTo(["SIGHUP"], () => reloader.reload());
  crews.stopped.then(() => notifier.stopping("Sessions come to their end"));
  try {
    const { control } = crews.current;
    await control.opened;
    const startPages = findProgramPages();
    if (!control.stopping) {
      control.attempt(() => {
        giveUp(ground);
        desk.open();
      });
    }
    control.serve();
    await control.ready;
    if (!control.stopping) {
      announce(ground);
      service.begin();
      reloader.begin();
    }
    using _settling = actOnce(SETTLE_MS, () => dropPages(startPages));
    using _watch = startWatch(ground, reread === undefined ? undefined : reloader);
    using _pulse = startPulse(notifier, crews, ground.pulseMs);
    using _recycling = startRecycling(ground, (parameter) => {
      log.info(`making room for a fresh process (${parameter})`);
      crews.drain();
    });
    await crews.closed;
    // Whoever connects must find out at once, and a successor must be able to take the name, while
    // what is open here comes to its end.
    listening.close();
    desk.giveWay();
    const code = await crews.finished;
    if (options.endsProcess === true) ends.move();
    return code;
  } finally {
    listening.close();
    notifier.close();
    log[Symbol.dispose]();
  }
}

function listenTo(signals: readonly Deno.Signal[], act: () => void): Disposable {
  for (const signal of signals) Deno.addSignalListener(signal, act);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, act);
    },
  };
}

/** Does something later, unless the process has ended by then. */
function deferInBackground(delayMs: number, act: () => void): void {
  Deno.unrefTimer(setTimeout(act, delayMs));
}

/** Does something later, unless it is disposed of by then. */
function actOnce(delayMs: number, act: () => void): Disposable {
  const timer = setTimeout(act, delayMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function reopenLog(target: LogTarget, log: OpenLog): void {
  const fault = reopenLogTarget(target);
  if (fault !== undefined) log.warn(`${fault}; lines go to the old one`);
}

/** Takes over what there is and opens what all threads share. Throws {@linkcode FatalError}. */
function prepare(
  { settings, settingsMark, worker, underMaster = false }: RunOptions,
): Ground {
  const pid = processId();
  const { sockets: passed, kept } = splitKept(takePassedSockets(Deno.env, pid));
  const target = openLogTarget(settings, Deno.env, { underMaster });
  const log = openLog({ ...target, pid, defer: deferInBackground });
  const uid = effectiveUserId();
  const identity = chooseIdentity(settings.service, uid);
  const ownerId = identity?.uid ?? uid;
  tellSettings(settings, log);
  guardMemory(settings.service, log);
  const master = underMaster ? MasterLink.take(Deno.env, pid) : undefined;
  const listening = openListening(settings, { master, passed, ownerId });
  enterFolder(settings.parameters.queue_directory, log);
  const notifier = Notifier.fromEnvironment(Deno.env, (text) => log.warn(text));
  const start = {
    keptFd: keepTicketKeys(kept, { role: settings.role, notifier, log, userIds: [uid, ownerId] }),
    ...{ log: target, ownerId, shared: SharedCounters.allocate() },
    listenFd: listening.fd,
    channelFd: master?.statusFd,
  };
  const board = new NumberBoard();
  log.watch(countLog(board.own));
  const watch = new FileWatch({ nowMs: () => systemClock.monotonicMs() });
  watch.beginReading();
  if (settingsMark !== undefined) watch.note([settingsMark]);
  return {
    reopenLog: () => reopenLog(target, log),
    ...{ settings, log, uid, identity, master, listening, notifier, watch },
    processNumbers: new ProcessNumbers(board.own, openProcessFiles()),
    pulseMs: takePulseInterval(Deno.env, { pid, limitMs: turnLimitMs(settings) }),
    forCrews: {
      ...{ log, worker, start, board },
      noteFiles: (files) => watch.note(files),
      drainLimitMs: settings.service.drain_timeout * 1000,
    },
  };
}

/** All there is to open is open: the rights that took are not needed any more. */
function giveUp({ settings, identity, uid, log, listening }: Ground): void {
  const { service } = settings;
  const jail = jailOf(settings, uid);
  giveUpRights({ identity, jail });
  if (jail !== undefined) listening.enterJail(jail);
  if (identity !== undefined) guardMemory(service, log);
}

/** The folder that the process is going to be shut into. */
function jailOf({ service, parameters }: Settings, uid: number): string | undefined {
  return service.chroot && uid === ROOT ? parameters.queue_directory : undefined;
}

function deskGroundOf({ settings, uid, master, listening, log }: Ground): DeskGround {
  const { service } = settings;
  const opener = master !== undefined
    ? "master"
    : listening instanceof ForeignSocket
    ? "systemd"
    : "self";
  return { service, opener, jail: jailOf(settings, uid), log };
}

function factsOf({ settings, listening }: Ground, { settingsFile }: RunOptions): ServiceFacts {
  const startedS = systemClock.unixSeconds();
  return { settings, pid: processId(), startedS, socket: listening.shown, settingsFile };
}

/** What the control thread shows is brought up to date when somebody asks. */
function keepNumbers({ settings, forCrews, processNumbers }: Ground, crews: Crews): Disposable {
  const { board } = forCrews;
  const step = board.beforeCollect(() => {
    board.control.showWatchdog(turnLimitMs(settings), crews.marginMs);
    processNumbers.read();
  });
  return {
    [Symbol.dispose]: () => {
      step[Symbol.dispose]();
      processNumbers[Symbol.dispose]();
    },
  };
}

/** What the process goes by, for those who want to know all. */
function tellSettings(settings: Settings, log: Log): void {
  if (log.verbose === 0) return;
  for (const line of settingsLines(settings)) log.debug(line);
}

function announce({ log, listening, master, notifier }: Ground): void {
  log.info(`ready: serving ${listening.shown}`);
  master?.reportAvailable();
  notifier.ready(`Serving ${listening.shown}`);
}

/** Reloads when what the service was made of has changed, if that is wanted. */
function startWatch(
  { settings, log, watch }: Ground,
  reloader: Reloader | undefined,
): Disposable {
  watch.endReading(true);
  if (settings.service.reload !== "watch" || reloader === undefined) {
    if (settings.service.reload === "watch") {
      log.warn(
        "nothing is watched: settings of master(8)'s or of standard input are read only once",
      );
    }
    return { [Symbol.dispose]: () => {} };
  }
  return startWatching(watch, { log, reload: () => reloader.reload() });
}

/** Says that the threads are well, as long as they are. */
function startPulse(notifier: Notifier, crews: Crews, intervalMs: number | undefined): Disposable {
  if (intervalMs === undefined) return { [Symbol.dispose]: () => {} };
  notifier.pulse();
  const timer = setInterval(() => {
    if (crews.isWell) notifier.pulse();
  }, intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Calls `due` once, when the process has done its share; looks once a second. */
function startRecycling(
  { settings, forCrews }: Ground,
  due: (parameter: string) => void,
): Disposable {
  const limits = recyclingLimits(settings);
  if (limits === undefined) return { [Symbol.dispose]: () => {} };
  const counters = new SharedCounters(forCrews.start.shared);
  const recycling = new Recycling(limits, counters, systemClock.monotonicMs());
  const timer = setInterval(() => {
    const parameter = recycling.isDue(systemClock.monotonicMs());
    if (parameter === undefined) return;
    clearInterval(timer);
    due(parameter);
  }, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
