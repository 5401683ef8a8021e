/**
 * Where the log lines of a role go, and in which form.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { closeFile, fstat, OPEN, openFile } from "../ffi/libc/file.ts";
import { connect, unixAddress, unixDatagram } from "../ffi/libc/socket.ts";
import type { LogOptions } from "../log/log.ts";
import type { Environment } from "./environment.ts";

/** A descriptor and the form of the lines on it; the process id comes from whoever logs. */
export type LogTarget = Omit<LogOptions, "pid">;

const STDERR = 2;
/** The socket of syslog(3) (bits/syslog-path.h). */
const SYSLOG = "/dev/log";

/** Numbers of syslog facilities (sys/syslog.h). */
const FACILITIES: readonly (string | undefined)[] = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", undefined, undefined, undefined, undefined, undefined],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

/**
 * Opens what `[log] destination` names. Lines for the journal bear its priorities. Throws
 * {@linkcode FatalError} for a file that cannot be written, and for a syslog that is not there.
 *
 * @param underMaster nobody reads standard error: lines go where Postfix's own go instead
 */
export function openLogTarget(
  settings: Settings,
  environment: Environment,
  { underMaster }: { underMaster: boolean },
): LogTarget {
  const { syslog_name, syslog_facility: facility } = settings.parameters;
  const name = `${syslog_name}/${settings.role}`;
  const path = settings.log.destination;
  if (path.startsWith("/")) return openFileTarget(path, name);
  if (underMaster) return openDaemonTarget(name, facility, environment);
  if (path !== "syslog") return openStderr(name, environment);
  const syslog = openSyslog(name, facility);
  if (syslog !== undefined) return syslog;
  throw new FatalError(`Cannot log to syslog: nobody listens at ${SYSLOG}`, {
    hint: "Start a syslog daemon, or choose another [log] destination",
  });
}

/**
 * Where a daemon of Postfix's logs: to postlogd(8) if master(8) says so, to syslog otherwise; to standard
 * error where neither can be had.
 */
export function openDaemonTarget(
  name: string,
  facility: string,
  environment: Environment,
): LogTarget {
  return openPostlog(name, environment) ?? openSyslog(name, facility) ??
    openStderr(name, environment);
}

function openStderr(name: string, environment: Environment): LogTarget {
  const priorities = isJournal(STDERR, environment.get("JOURNAL_STREAM") ?? "");
  return { fd: STDERR, stamped: false, priorities, name };
}

function openFileTarget(path: string, name: string): LogTarget {
  const flags = OPEN.writeOnly | OPEN.create | OPEN.append | OPEN.closeOnExec | OPEN.noFollow;
  const fd = openFile(path, flags, 0o600);
  if (fd >= 0) return { fd, stamped: true, name };
  const why = -fd === ERRNO.ELOOP ? "it is a symbolic link" : describeErrno(-fd);
  throw new FatalError(`Cannot open log file "${path}": ${why}`, {
    hint: "Choose a file that this user may write in [log] destination",
  });
}

/** postlogd(8) takes finished lines, one a datagram (util/msg_logger.c). */
function openPostlog(name: string, environment: Environment): LogTarget | undefined {
  const host = environment.get("POSTLOG_HOSTNAME")?.split(".")[0];
  const opened = openDatagram(environment.get("POSTLOG_SERVICE") ?? "");
  if (opened === undefined) return undefined;
  return { ...opened, name, stamped: true, ...(host !== undefined && { host }) };
}

function openSyslog(name: string, facility: string): LogTarget | undefined {
  const opened = openDatagram(SYSLOG);
  if (opened === undefined) return undefined;
  return { ...opened, name, stamped: false, facility: FACILITIES.indexOf(facility) };
}

function openDatagram(path: string): Pick<LogTarget, "fd" | "datagramTo"> | undefined {
  const address = unixAddress(path);
  const fd = address === undefined ? -1 : unixDatagram();
  if (address === undefined || fd < 0) return undefined;
  if (connect(fd, address) >= 0) return { fd, datagramTo: address };
  closeFile(fd);
  return undefined;
}

/**
 * Whether `fd` is the stream that JOURNAL_STREAM (`device:inode`) tells of; standard error may have been
 * sent elsewhere since (systemd.exec(5)).
 */
export function isJournal(fd: number, stream: string): boolean {
  if (stream === "") return false;
  const status = fstat(fd);
  return typeof status !== "number" && stream === `${status.dev}:${status.ino}`;
}
