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
import { type Log, openLog } from "../log/log.ts";
import { takePassedSockets } from "./activation.ts";
import { Crew, type CrewGround, Crews } from "./crew.ts";
import { type Listening, openListening } from "./listening.ts";
import { openLogTarget } from "./log_target.ts";
import { MasterLink } from "./master.ts";
import { Notifier, takePulseInterval } from "./notify.ts";
import { chooseIdentity, giveUpRights, guardMemory, type Identity } from "./privileges.ts";
import { Recycling, recyclingLimits } from "./recycling.ts";
import { Reloader, type Reread } from "./reload.ts";
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
  /** Whether master(8) has started the process. @default {false} */
  readonly underMaster?: boolean;
}

const ROOT = 0;
const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** What a role has before its first thread starts. */
interface Ground {
  readonly settings: Settings;
  readonly log: Log;
  /** Who started the process. */
  readonly uid: number;
  /** Whom it is going to be. */
  readonly identity: Identity | undefined;
  readonly master: MasterLink | undefined;
  readonly listening: Listening;
  readonly notifier: Notifier;
  /** How often systemd wants to hear of the process. */
  readonly pulseMs: number | undefined;
  /** What all threads are given. */
  readonly forCrews: CrewGround;
}

/** Runs a role until it is told to stop or cannot go on; the exit code of the process. */
export async function runRole(options: RunOptions): Promise<ExitCode> {
  const ground = prepare(options);
  const { listening, notifier, settings, log } = ground;
  const crews = new Crews(new Crew(settings, options.threads, ground.forCrews));
  // Whoever stops master(8) wants all of Postfix to end.
  using _ends = listenTo(
    END_SIGNALS,
    () => ground.master === undefined ? crews.drain() : crews.stop(),
  );
  const reloader = new Reloader(crews, { ...ground, reread: options.reread });
  using _reloads = listenTo(["SIGHUP"], () => reloader.reload());
  crews.stopped.then(() => notifier.stopping("Sessions come to their end"));
  try {
    const { control } = crews.current;
    await control.opened;
    if (!control.stopping) control.attempt(() => giveUp(ground));
    control.serve();
    await control.ready;
    if (!control.stopping) {
      announce(ground);
      reloader.begin();
    }
    using _pulse = startPulse(notifier, crews, ground.pulseMs);
    using _recycling = startRecycling(ground, (parameter) => {
      log.info(`making room for a fresh process (${parameter})`);
      crews.drain();
    });
    await crews.closed;
    // Whoever connects must find out at once, and a successor must be able to take the name, while
    // what is open here comes to its end.
    listening.close();
    return await crews.finished;
  } finally {
    listening.close();
    notifier.close();
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

/** Takes over what there is and opens what all threads share. Throws {@linkcode FatalError}. */
function prepare({ settings, worker, underMaster = false }: RunOptions): Ground {
  const pid = processId();
  const passed = takePassedSockets(Deno.env, pid);
  const target = openLogTarget(settings, Deno.env, { underMaster });
  const log = openLog({ ...target, pid });
  const uid = effectiveUserId();
  const identity = chooseIdentity(settings.service, uid);
  const ownerId = identity?.uid ?? uid;
  guardMemory(settings.service, log);
  const master = underMaster ? MasterLink.take(Deno.env, pid) : undefined;
  const listening = openListening(settings, { master, passed, ownerId });
  enterFolder(settings.parameters.queue_directory, log);
  const start = {
    ...{ log: target, ownerId, shared: SharedCounters.allocate() },
    listenFd: listening.fd,
    channelFd: master?.statusFd,
  };
  return {
    ...{ settings, log, uid, identity, master, listening },
    notifier: Notifier.fromEnvironment(Deno.env, (text) => log.warn(text)),
    pulseMs: takePulseInterval(Deno.env, { pid, limitMs: turnLimitMs(settings) }),
    forCrews: { log, worker, start, drainLimitMs: settings.service.drain_timeout * 1000 },
  };
}

/** All there is to open is open: the rights that took are not needed any more. */
function giveUp({ settings, identity, uid, log, listening }: Ground): void {
  const { service, parameters } = settings;
  const jail = service.chroot && uid === ROOT ? parameters.queue_directory : undefined;
  giveUpRights({ identity, jail });
  if (jail !== undefined) listening.enterJail(jail);
  if (identity !== undefined) guardMemory(service, log);
}

function announce({ log, listening, master, notifier }: Ground): void {
  log.info(`ready: serving ${listening.shown}`);
  master?.reportAvailable();
  notifier.ready(`Serving ${listening.shown}`);
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
