/**
 * Keys of `[tls]` and `[log]`.
 *
 * @module
 */

import type { OwnKey } from "./row.ts";

/** `[tls]` */
export const TLS_KEYS = {
  enforce_req_ccert: {
    kind: "enum",
    initial: "report",
    values: ["report", "reject"],
    help: "Whether a missing client certificate is reported only.",
    text: `\
*report* tells the program that handed over a connection whether the client has a trusted certificate, and
leaves it to act. *reject* ends the session where *tlsproxy_tls_req_ccert* asks for one.`,
  },
  detect_truncation: {
    kind: "bool",
    initial: false,
    help: "An end without close_notify is a fault, for protocols without an end marker.",
    text: `\
With *true* a peer that ends the connection without ending TLS first has failed. SMTP needs no such
care, since it says goodbye itself.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[log]` */
export const LOG_KEYS = {
  destination: {
    kind: "text",
    initial: "stderr",
    help: 'Where log lines go: "stderr", "syslog" or the path of a file.',
    text: `\
*stderr*, *syslog*, or the path of a file.`,
  },
  format: {
    kind: "enum",
    initial: "postfix",
    values: ["postfix", "json"],
    help: "How a log line is written.",
    text: `\
*postfix* writes lines as Postfix's daemons do, which log watchers understand; *json* writes one object a
line, as postern(8) describes it.`,
  },
  verbose: {
    kind: "int",
    initial: 0,
    min: 0,
    max: 9,
    help: "As -v, that often.",
    text: `\
How often *-v* would be given. *1* logs the settings in force at the start, each request to tlsmgr with its
answer, each hand-off to tlsproxy, and each change of a session's state. Session data, ticket keys and
seeds never are in the log.`,
  },
} as const satisfies Record<string, OwnKey>;
