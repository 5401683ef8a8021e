/**
 * TLS clients of many makers as SMTP clients, and what each of them can do.
 *
 * @module
 */

import { CERTIFICATE_NAMES } from "../support/certificates.ts";
import { supportPath } from "../support/paths.ts";
import { runChecked, runCommand, type RunningProcess, startProcess } from "../support/process.ts";
import { POSTSCREEN_DIALOGUE, runSClient } from "../support/s_client.ts";
import { keyLogPath } from "../support/secrets.ts";
import { SmtpClient } from "../support/smtp_client.ts";

/** Protocol versions, as OpenSSL calls them. */
export const VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;
export type Version = (typeof VERSIONS)[number];

/** How a session is brought back. */
export const WAYS = ["id", "ticket"] as const;
export type Way = (typeof WAYS)[number];

/** Kinds of server certificates. */
export const KINDS = ["rsa", "ec"] as const;
export type Kind = (typeof KINDS)[number];

/** What a client is to do: two sessions, of which the second one resumes; or one, without a way. */
export interface Order {
  /** The port of 127.0.0.1. */
  port: number;
  /** The only authority that counts. */
  ca: string;
  /** The only version that is spoken. */
  version: Version;
  way: Way | undefined;
  /** A folder of this order's own. */
  folder: string;
}

/** A session, as the client tells of it; absent: it does not say. */
export interface Visit {
  protocol?: string;
  resumed?: boolean;
  /** The client leaves right after the handshake. */
  mute?: true;
}

/** A client. */
export interface Client {
  /** What has to be installed, beside what every interoperability test needs. */
  readonly programs: readonly string[];
  /** Where its programs are missing, it is not missed. */
  readonly optional?: true;
  /**
   * For each version the ways in which it can resume; or why it cannot, or cannot speak that version
   * at all.
   */
  readonly can: Readonly<Record<Version, string | Readonly<Record<Way, true | string>>>>;
  /** It speaks only TLS; somebody else has to say STARTTLS. */
  readonly onlyTls?: true;
  /** It cannot be told which version to speak; the server has to. */
  readonly anyVersion?: true;
  /** Makes what several orders need, in a folder of its own. */
  prepare?(folder: string, ca: string): Promise<void>;
  /** Carries out an order, with a dialogue in each session; throws when it does not go well. */
  visit(order: Order, prepared: string): Promise<Visit[]>;
}

const NO_ID_13 = "TLS 1.3 has no session ids";
const EVERYTHING: Client["can"] = {
  "TLSv1": { id: true, ticket: true },
  "TLSv1.1": { id: true, ticket: true },
  "TLSv1.2": { id: true, ticket: true },
  "TLSv1.3": { id: NO_ID_13, ticket: true },
};

/** All clients. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  openssl: { programs: [], can: EVERYTHING, visit: visitWithOpenssl },
  gnutls: { programs: ["gnutls-cli"], can: EVERYTHING, visit: visitWithGnutls },
  nss: {
    programs: ["certutil", "tstclnt"],
    can: EVERYTHING,
    onlyTls: true,
    prepare: prepareNss,
    visit: visitWithNss,
  },
  curl: {
    programs: ["curl"],
    can: {
      ...Object.fromEntries(
        VERSIONS.map((version) => [version, { id: true, ticket: "curl asks for none" }]),
      ) as Client["can"],
      // curl files it under smtps:, to which it has changed by then, and looks under smtp:.
      "TLSv1.3": { id: NO_ID_13, ticket: "curl does not find it again after STARTTLS" },
    },
    visit: visitWithCurl,
  },
  go: {
    programs: ["go"],
    // Half a gigabyte: it takes part where it is installed, and is not installed for this.
    optional: true,
    can: Object.fromEntries(
      VERSIONS.map((version) => [version, { id: "crypto/tls resumes by tickets", ticket: true }]),
    ) as Client["can"],
    prepare: buildGoClient,
    visit: (order, folder) => visitWithScript(order, [`${folder}/smtp_client`]),
  },
  node: {
    programs: ["node"],
    can: EVERYTHING,
    visit: (order) => visitWithScript(order, ["node", script("mjs")]),
  },
  python: {
    programs: [],
    can: EVERYTHING,
    visit: (order) => visitWithScript(order, ["python3", script("py")]),
  },
  swaks: {
    programs: [],
    can: Object.fromEntries(VERSIONS.map((version) => {
      const why = "swaks keeps no session";
      return [version, { id: why, ticket: why }];
    })) as Client["can"],
    visit: visitWithSwaks,
  },
  deno: {
    programs: [],
    can: {
      "TLSv1": "rustls begins with TLS 1.2",
      "TLSv1.1": "rustls begins with TLS 1.2",
      "TLSv1.2": { id: "Deno.startTls() keeps no session", ticket: "it keeps none" },
      "TLSv1.3": { id: NO_ID_13, ticket: "it keeps none" },
    },
    anyVersion: true,
    visit: visitWithDeno,
  },
};

function script(extension: string): string {
  return supportPath(`tls_clients/smtp_client.${extension}`);
}

async function visitWithOpenssl(order: Order): Promise<Visit[]> {
  const { port, ca, version, way, folder } = order;
  const file = `${folder}/session.pem`;
  const session = {
    port,
    ca,
    version,
    tickets: way !== "id",
    dialogue: POSTSCREEN_DIALOGUE,
    extra: ["-cipher", "DEFAULT:@SECLEVEL=0"],
  };
  const visits: Visit[] = [];
  for (const files of [{ sessionOut: file }, { sessionIn: file }]) {
    const { output, resumed } = await runSClient({ ...session, ...files });
    visits.push({ protocol: /^ +Protocol *: (\S+)$/m.exec(output)?.[1], resumed });
    if (way === undefined) break;
  }
  return visits;
}

/** gnutls-cli makes a session, ends it without a word, and talks in the second one. */
async function visitWithGnutls(order: Order): Promise<Visit[]> {
  const { port, ca, version, way } = order;
  const priority = [
    "NORMAL",
    "-VERS-ALL",
    `+VERS-${version === "TLSv1" ? "TLS1.0" : version.replace("v", "")}`,
    // The versions before 1.2 sign with SHA-1.
    "%VERIFY_ALLOW_SIGN_WITH_SHA1",
    ...(way === "id" ? ["%NO_TICKETS"] : []),
  ].join(":");
  await using client = startProcess("gnutls-cli", [
    "--starttls-proto=smtp",
    `--port=${port}`,
    `--x509cafile=${ca}`,
    `--priority=${priority}`,
    ...(way === undefined ? [] : ["--resume", "--waitresumption"]),
    CERTIFICATE_NAMES[0],
  ], { env: keyLogEnvironment() });
  await client.waitFor("the session", () => client.stdout.includes("- Simple Client Mode:"));
  await talk(client);
  const { stdout } = client;
  const visits: Visit[] = [...stdout.matchAll(/^- Description: \((TLS[\d.]+)-/gm)]
    .map(([, name]) => ({
      protocol: name.replace(/^TLS/, "TLSv").replace("1.0", "1"),
      mute: true,
    }));
  delete visits.at(-1)?.mute;
  if (way !== undefined) {
    visits[1].resumed = /^\*\*\* This is a resumed session$/m.test(stdout);
  }
  return visits;
}

/** Their secrets must not be in any log. */
function keyLogEnvironment(): Record<string, string> {
  return { SSLKEYLOGFILE: keyLogPath() };
}

/** Speaks line by line with a client that passes its input on. */
async function talk(client: RunningProcess): Promise<void> {
  for (const [command, wanted] of POSTSCREEN_DIALOGUE) {
    const before = client.stdout.length;
    await client.write(`${command}\r\n`);
    await client.waitFor(
      `"${wanted}" to ${command}`,
      () => client.stdout.slice(before).split("\n").some((line) => line.startsWith(wanted)),
    );
  }
  await client.closeInput();
  await client.ended();
}

async function prepareNss(folder: string, ca: string): Promise<void> {
  await runChecked("certutil", ["-N", "-d", `sql:${folder}`, "--empty-password"]);
  await runChecked("certutil", ["-A", "-d", `sql:${folder}`, "-n", "ca", "-t", "C,,", "-i", ca]);
}

/** tstclnt sends a file as soon as it can, in each session. */
async function visitWithNss(order: Order, database: string): Promise<Visit[]> {
  const { port, version, way, folder } = order;
  const name = version === "TLSv1" ? "tls1.0" : version.toLowerCase().replace("v", "");
  const words = POSTSCREEN_DIALOGUE.map(([command]) => `${command}\r\n`).join("");
  await Deno.writeTextFile(`${folder}/words`, words);
  // deno-fmt-ignore
  const { code, stdout, stderr } = await runCommand("tstclnt", [
    "-4", "-v", "-h", CERTIFICATE_NAMES[0], "-p", String(port), "-d", `sql:${database}`,
    "-V", `${name}:${name}`, "-A", `${folder}/words`,
    ...(way === "ticket" ? ["-u"] : []),
    ...(way === undefined ? [] : ["-L", "2"]),
  ], { env: keyLogEnvironment() });
  const output = stdout + stderr;
  if (code !== 0) throw new Error(`tstclnt ended with code ${code}\n${output}`);
  for (const [command, wanted] of POSTSCREEN_DIALOGUE) {
    if (!output.includes(`\n${wanted}`)) throw new Error(`No "${wanted}" to ${command}\n${output}`);
  }
  // "SSL version 3.4" is TLS 1.3; hits are counted from the first session on.
  const versions = [...output.matchAll(/SSL version 3\.(\d)/g)];
  const hits = [...output.matchAll(/^(\d+) cache hits;/gm)];
  return versions.map(([, minor], i) => ({
    protocol: VERSIONS[Number(minor) - 1],
    resumed: Number(hits[i][1]) > i - 1 && i > 0,
  }));
}

async function visitWithCurl(order: Order): Promise<Visit[]> {
  const { port, ca, version, way, folder } = order;
  const number = version === "TLSv1" ? "1.0" : version.slice("TLSv".length);
  await Deno.writeTextFile(`${folder}/mail`, "Subject: a test\r\n\r\nText\r\n");
  // deno-fmt-ignore
  const transfer = [
    "--silent", "--verbose", "--ssl-reqd", "--cacert", ca, "--capath", folder,
    `--tlsv${number}`, "--tls-max", number, "--ciphers", "DEFAULT@SECLEVEL=0",
    "--mail-from", "sender@example.test", "--mail-rcpt", "recipient@example.test",
    "--upload-file", `${folder}/mail`, `smtp://${CERTIFICATE_NAMES[0]}:${port}/client.example.test`,
  ];
  const { stdout, stderr } = await runCommand(
    "curl",
    way === undefined ? transfer : [...transfer, "--next", ...transfer],
    // The machine's own settings do not decide what is offered.
    { env: { OPENSSL_CONF: "/dev/null", ...keyLogEnvironment() } },
  );
  const output = stdout + stderr;
  const parts = output.split("SSL connection using ").slice(1);
  for (const part of parts) {
    if (!/^< 450 4\.3\.2 [^]*^< 221 /m.test(part)) throw new Error(`No dialogue\n${output}`);
  }
  return parts.map((part) => ({ protocol: part.split(" ")[0] }));
}

async function visitWithSwaks(order: Order): Promise<Visit[]> {
  const { port, ca, version } = order;
  // deno-fmt-ignore
  const { stdout, stderr } = await runCommand("swaks", [
    "--server", `${CERTIFICATE_NAMES[0]}:${port}`, "--tls", "--tls-verify", "--tls-ca-path", ca,
    "--tls-protocol", version.toLowerCase().replace(".", "_"),
    "--tls-cipher", "DEFAULT:@SECLEVEL=0", "--ehlo", "client.example.test",
    "--from", "sender@example.test", "--to", "recipient@example.test", "--quit-after", "RCPT",
  ], { env: { OPENSSL_CONF: "/dev/null" } });
  const protocol = /TLS started with cipher (TLSv[\d.]+):/.exec(stdout)?.[1];
  if (protocol === undefined || !/^<~\* 450 4\.3\.2 [^]*^<~ +221 /m.test(stdout)) {
    throw new Error(`No dialogue\n${stdout}${stderr}`);
  }
  return [{ protocol }];
}

async function buildGoClient(folder: string): Promise<void> {
  await runChecked("go", ["build", "-buildvcs=false", "-o", folder, script("go")], {
    env: { GO111MODULE: "off", GOCACHE: `${folder}/cache`, GOFLAGS: "" },
  });
}

/** A script that takes an order in JSON, and tells of each session in JSON. */
async function visitWithScript(order: Order, command: readonly string[]): Promise<Visit[]> {
  const { port, ca, version, way } = order;
  const visits = way === undefined ? 1 : 2;
  const words = JSON.stringify({ port, ca, version, visits, tickets: way !== "id" });
  const [program, ...args] = command;
  const { stdout } = await runChecked(program, [...args, words], {
    // The machine's own settings do not decide what is offered.
    env: { OPENSSL_CONF: "/dev/null" },
  });
  return stdout.trimEnd().split("\n").map((line) => {
    const { protocol, resumed, replies } = JSON.parse(line);
    const [, refused, bye] = replies.slice(-3);
    if (!refused.startsWith("450 4.3.2 ") || !bye.startsWith("221 ")) {
      throw new Error(`Not the replies that were wanted: ${line}`);
    }
    return { protocol, resumed };
  });
}

async function visitWithDeno(order: Order): Promise<Visit[]> {
  using client = await SmtpClient.connect(order.port);
  await client.startTls(await Deno.readTextFile(order.ca));
  for (const [command, wanted] of POSTSCREEN_DIALOGUE) await client.say(command, wanted);
  await client.readToEnd();
  return [{}];
}
