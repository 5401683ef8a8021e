/**
 * Where the log lines of a role go, and in which form.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { closeFile, fstat, OPEN, openFile, replaceDescriptor } from "../ffi/libc/file.ts";
import { connect, unixAddress, unixDatagram } from "../ffi/libc/socket.ts";
import type { LogOptions } from "../log/log.ts";
import type { Environment } from "./environment.ts";

/** A descriptor and the form of the lines on it; the process id comes from whoever logs. */
export interface LogTarget extends Omit<LogOptions, "pid" | "thread" | "defer"> {
  /** The file behind the descriptor, where it is one that was opened here. */
  readonly file?: LogFile;
}

/** A log file that can be opened again when it has been moved away. */
interface LogFile {
  readonly path: string;
  /** Mode bits of one that is made. */
  readonly mode: number;
}

const STDOUT = 1;
const STDERR = 2;
/** The socket of syslog(3) (bits/syslog-path.h). */
const SYSLOG = "/dev/log";

/** Numbers of syslog facilities (sys/syslog.h). */
const FACILITIES: readonly (string | undefined)[] = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", undefined, undefined, undefined, undefined, undefined],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

/** Mode bits of a log file that `[log] destination` names. */
const OWN_FILE_MODE = 0o600;

/**
 * Opens what `[log] destination` names, or `maillog_file` where that says nothing. Lines for the journal
 * bear its priorities. Throws {@linkcode FatalError} for a file that cannot be written, and for a syslog
 * that is not there.
 *
 * @param underMaster nobody reads standard error: lines go where Postfix's own go instead
 */
export function openLogTarget(
  settings: Settings,
  environment: Environment,
  ground: { underMaster: boolean },
): LogTarget {
  const { format, verbose } = settings.log;
  return { ...openDestination(settings, environment, ground), format, verbose };
}

function openDestination(
  settings: Settings,
  environment: Environment,
  { underMaster }: { underMaster: boolean },
): LogTarget {
  const { syslog_name, syslog_facility: facility } = settings.parameters;
  const name = `${syslog_name}/${settings.role}`;
  const { destination } = settings.log;
  if (destination.startsWith("/")) {
    const file = { path: destination, mode: OWN_FILE_MODE };
    return openFileTarget(file, { name, parameter: "[log] destination" });
  }
  if (destination !== "syslog" && settings.parameters.maillog_file !== "") {
    return openMailLog(settings.parameters, name, environment);
  }
  if (underMaster) return openDaemonTarget(name, facility, environment);
  if (destination !== "syslog") return openStderr(name, environment);
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

/**
 * Goes on in a fresh file after the old one was moved away, under the same descriptor number, so that all
 * threads do. Answers why that cannot be; lines go to the old file then. Nothing but a file is touched.
 */
export function reopenLogTarget({ fd, file }: LogTarget): string | undefined {
  if (file === undefined) return undefined;
  const fresh = openLogFile(file);
  if (fresh < 0) return `Cannot open log file "${file.path}" again: ${whyNot(fresh)}`;
  const replaced = replaceDescriptor(fd, fresh);
  closeFile(fresh);
  return replaced < 0
    ? `Cannot go on in log file "${file.path}": ${describeErrno(-replaced)}`
    : undefined;
}

function openStderr(name: string, environment: Environment): LogTarget {
  const priorities = isJournal(STDERR, environment.get("JOURNAL_STREAM") ?? "");
  return { fd: STDERR, stamped: false, priorities, name };
}

/** `maillog_file`: through postlogd(8) if it is there, else the file itself (postlogd(8)). */
function openMailLog(
  parameters: Settings["parameters"],
  name: string,
  environment: Environment,
): LogTarget {
  const { queue_directory, postlog_service_name, maillog_file: path } = parameters;
  const service = `${queue_directory}/public/${postlog_service_name}`;
  const postlog = openPostlog(name, environment) ?? openPostlogAt(service, name, environment);
  if (postlog !== undefined) return postlog;
  const { maillog_file_prefixes: prefixes, maillog_file_permissions: digits } = parameters;
  if (!prefixes.some((prefix) => path.startsWith(prefix))) {
    throw new FatalError(`Cannot log to "${path}": maillog_file_prefixes do not allow it`, {
      hint: "Choose a maillog_file that begins with one of them, or add its folder to them",
    });
  }
  if (path === "/dev/stdout") return { fd: STDOUT, stamped: true, name };
  if (!/^[0-7]{1,4}$/.test(digits)) {
    throw new FatalError(`Cannot make log file "${path}": "${digits}" are no file mode bits`, {
      hint: 'Write octal digits in maillog_file_permissions, as "0600"',
    });
  }
  const mode = Number.parseInt(digits, 8);
  return openFileTarget({ path, mode }, { name, parameter: "maillog_file" });
}

function openFileTarget(
  file: LogFile,
  { name, parameter }: { name: string; parameter: string },
): LogTarget {
  const fd = openLogFile(file);
  if (fd >= 0) return { fd, stamped: true, name, file };
  throw new FatalError(`Cannot open log file "${file.path}": ${whyNot(fd)}`, {
    hint: `Choose a file that this user may write in ${parameter}`,
  });
}

/** A descriptor, or `-errno`. */
function openLogFile({ path, mode }: LogFile): number {
  const flags = OPEN.writeOnly | OPEN.create | OPEN.append | OPEN.closeOnExec | OPEN.noFollow;
  return openFile(path, flags, mode);
}

function whyNot(result: number): string {
  return -result === ERRNO.ELOOP ? "it is a symbolic link" : describeErrno(-result);
}

function openPostlog(name: string, environment: Environment): LogTarget | undefined {
  return openPostlogAt(environment.get("POSTLOG_SERVICE") ?? "", name, environment);
}

/** postlogd(8) takes finished lines, one a datagram (util/msg_logger.c). */
function openPostlogAt(
  path: string,
  name: string,
  environment: Environment,
): LogTarget | undefined {
  const host = environment.get("POSTLOG_HOSTNAME")?.split(".")[0];
  const opened = openDatagram(path);
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
