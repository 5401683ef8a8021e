/**
 * `openssl s_client` as an SMTP client: one STARTTLS session with a dialogue inside.
 *
 * The dialogue is not decoration. A TLS 1.3 ticket arrives after the handshake, so that a session
 * file is whole only when the client has read on; and a server that resumes but does not relay would
 * otherwise pass.
 *
 * @module
 */

import { CERTIFICATE_NAMES } from "./certificates.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { keyLogPath } from "./secrets.ts";

/** A command of the dialogue and the beginning of the last line of its reply. */
export type SmtpStep = readonly [command: string, reply: string];

/** A whole dialogue with smtpd(8), which takes the recipient. */
export const SMTPD_DIALOGUE: readonly SmtpStep[] = [
  ["EHLO client.example.test", "250 "],
  ["MAIL FROM:<sender@example.test>", "250 2.1.0 Ok"],
  ["RCPT TO:<recipient@example.test>", "250 2.1.5 Ok"],
  ["QUIT", "221 2.0.0 Bye"],
];

/** A whole dialogue with postscreen(8), which is friendly until it puts the recipient off. */
export const POSTSCREEN_DIALOGUE: readonly SmtpStep[] = [
  ["EHLO client.example.test", "250 "],
  ["MAIL FROM:<sender@example.test>", "250 2.1.0 Ok"],
  ["RCPT TO:<recipient@example.test>", "450 4.3.2 Service currently unavailable"],
  ["QUIT", "221 2.0.0 Bye"],
];

/** Options of {@linkcode runSClient}. */
export interface SClientOptions {
  /** The port of 127.0.0.1 to connect to. */
  port: number;
  /** The authority's certificate file; an unverifiable server fails the call. */
  ca: string;
  /** The one protocol version that is offered. */
  version: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /** Whether session tickets are offered; `false` leaves TLS 1.2 the session id. @default {true} */
  tickets?: boolean;
  /** A session file to offer. */
  sessionIn?: string;
  /** Where a session that the server gives out is written. */
  sessionOut?: string;
  /** More arguments, such as `-sigalgs`. */
  extra?: readonly string[];
  /** What is said inside TLS. */
  dialogue: readonly SmtpStep[];
}

/** What `openssl s_client` said about a session. */
export interface SClientReport {
  resumed: boolean;
  /** As the server and client agreed, e.g. `TLSv1.3`. */
  protocol: string;
  cipher: string;
  /** Type of the server's signature, e.g. `ECDSA`, `RSA-PSS`; absent when resumed. */
  signature: string | undefined;
  /** The first session id, upper-case hexadecimal; absent for TLS 1.3 without a ticket. */
  sessionId: string | undefined;
  /** Whether the session has a ticket (TLS 1.2: this one or the one it resumed). */
  hasTicket: boolean;
  /** The last line of the reply to each command. */
  replies: string[];
  /** All that was printed. */
  output: string;
}

/** Runs one session to its end. Throws when the handshake or a reply is not as wanted. */
export async function runSClient(options: SClientOptions): Promise<SClientReport> {
  await using client = startProcess("openssl", argumentsOf(options), {
    // The machine's own configuration must not decide what is offered.
    env: { OPENSSL_CONF: "/dev/null" },
  });
  const summary = await client.waitFor(
    "the end of the TLS handshake",
    () => /^(New|Reused), (TLSv[\d.]+), Cipher is (\S+)$/m.exec(client.stdout) ?? undefined,
  );
  const replies: string[] = [];
  for (const step of options.dialogue) replies.push(await say(client, step));
  await client.closeInput();
  // The exit code tells how the TCP connection ended, which is not what this is about.
  await client.ended();
  const { stdout } = client;
  return {
    resumed: summary[1] === "Reused",
    protocol: summary[2],
    cipher: summary[3],
    signature: /^Peer signature type: (.+)$/m.exec(stdout)?.[1],
    sessionId: /^ +Session-ID: ([0-9A-F]+)$/m.exec(stdout)?.[1],
    hasTicket: /^ +TLS session ticket:$/m.test(stdout),
    replies,
    output: client.output(),
  };
}

/** Sends one command and waits for the last line of its reply. */
async function say(client: RunningProcess, [command, wanted]: SmtpStep): Promise<string> {
  const before = client.stdout.length;
  await client.write(`${command}\n`);
  const reply = await client.waitFor(
    `the reply to ${command}`,
    () => /^\d{3} .*$(?=\r?\n)/m.exec(client.stdout.slice(before))?.[0].trimEnd(),
  );
  if (!reply.startsWith(wanted)) {
    throw new Error(
      `Wanted a reply like "${wanted}" to ${command}: "${reply}"\n${client.output()}`,
    );
  }
  return reply;
}

function argumentsOf(options: SClientOptions): string[] {
  // deno-fmt-ignore
  const args = [
    "s_client", "-connect", `127.0.0.1:${options.port}`, "-starttls", "smtp",
    "-name", "client.example.test", "-servername", CERTIFICATE_NAMES[0],
    "-CAfile", options.ca, "-verify_return_error", "-verify_hostname", CERTIFICATE_NAMES[0],
    // "R" and "Q" at the start of a line are SMTP here, not orders to s_client.
    "-nocommands", "-crlf",
    // Its secrets must not be in any log.
    "-keylogfile", keyLogPath(),
    `-${options.version.toLowerCase().replace("v", "").replace(".", "_")}`,
  ];
  if (options.tickets === false) args.push("-no_ticket");
  if (options.sessionIn !== undefined) args.push("-sess_in", options.sessionIn);
  if (options.sessionOut !== undefined) args.push("-sess_out", options.sessionOut);
  return [...args, ...options.extra ?? []];
}
