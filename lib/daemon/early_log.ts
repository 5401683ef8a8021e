/**
 * The log of a daemon of master(8)'s before its settings are known.
 *
 * @module
 */
import { processId } from "../ffi/libc/process.ts";
import { type Log, openLog } from "../log/log.ts";
import { openDaemonTarget } from "./log_target.ts";

/** What Postfix logs to before it has read `syslog_facility`. */
const FACILITY = "mail";

/** Opens it; MAIL_LOGTAG, which master(8) sets, begins the identity. */
export function openEarlyLog(role: string): Log {
  const name = `${Deno.env.get("MAIL_LOGTAG") ?? "postfix"}/${role}`;
  return openLog({ ...openDaemonTarget(name, FACILITY, Deno.env), pid: processId() });
}
