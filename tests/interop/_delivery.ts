/**
 * Mail through a private Postfix, and what became of the TLS sessions that carried it.
 *
 * @module
 */

import type { Maillog } from "../support/maillog.ts";
import { runChecked } from "../support/process.ts";
import type { Testbed } from "../support/testbed.ts";

/** Settings under which each mail makes a connection of its own, and sessions are kept and logged. */
export function sendingSettings(client: "smtp" | "lmtp"): Record<string, string> {
  return {
    [`${client}_tls_security_level`]: "encrypt",
    [`${client}_tls_loglevel`]: "2",
    [`${client}_tls_session_cache_database`]: `btree:\${data_directory}/${client}_scache`,
    [`${client}_connection_cache_on_demand`]: "no",
  };
}

/** Hands one mail to `sender` and waits until it has been delivered. */
export async function deliver(sender: Testbed): Promise<void> {
  const { stdout } = await runChecked("swaks", [
    "--server",
    `127.0.0.1:${sender.postfix.ports.smtpd}`,
    "--from",
    "sender@example.test",
    "--to",
    "recipient@example.test",
  ]);
  const queueId = /250 2\.0\.0 Ok: queued as (\S+)/.exec(stdout)?.[1];
  if (queueId === undefined) throw new Error(`Cannot hand a mail over: no queue id\n${stdout}`);
  await sentFrom(sender.postfix.maillog, queueId);
}

async function sentFrom(maillog: Maillog, queueId: string): Promise<void> {
  const [line] = await maillog.waitForLine(new RegExp(`${queueId}: to=<.*status=.*`));
  if (!line.includes("status=sent")) throw new Error(`Cannot deliver a mail: ${line}`);
}

/** How the TLS sessions of a delivery client came about, as its log tells. */
export interface SessionCounts {
  /** Asked for in tlsmgr's cache. */
  lookups: number;
  /** Found there. */
  reloaded: number;
  /** Resumed with the other side. */
  reused: number;
  /** Put into the cache. */
  saved: number;
}

/** Counts what `client` has logged so far. */
export async function countSessions(
  maillog: Maillog,
  client: { program: string; cache: string },
): Promise<SessionCounts> {
  const { program, cache } = client;
  const count = async (what: string) =>
    (await maillog.lines(new RegExp(`/${program}\\[\\d+\\]: (?:.*: )?${what}`))).length;
  return {
    lookups: await count(`looking for session .* in ${cache} cache`),
    reloaded: await count(`reloaded session .* from ${cache} cache`),
    reused: await count("Reusing old session"),
    saved: await count(`save session .* to ${cache} cache`),
  };
}
