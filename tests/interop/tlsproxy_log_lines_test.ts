/**
 * What Postfix's tlsproxy and ours say of the same clients, at each TLS log level: lines of the same
 * shapes in the same order. Where they differ there is a name for it, and a reason.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CERTIFICATE_NAMES, certificatePems } from "../support/certificates.ts";
import {
  type ClientCertificates,
  type ClientKind,
  writeClientCertificates,
} from "../support/client_certificates.ts";
import { Forwarder } from "../support/forwarder.ts";
import { interopTest, servedBy } from "../support/interop.ts";
import { postfixVersion } from "../support/postconf.ts";
import { startPostern } from "../support/postern.ts";
import { tlsSettings } from "../support/postfix_config.ts";
import { runChecked } from "../support/process.ts";
import { POSTSCREEN_DIALOGUE, runSClient } from "../support/s_client.ts";
import { Stations } from "../support/stations.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { Testbed } from "../support/testbed.ts";
import { waitUntil } from "../support/wait.ts";
import {
  type Difference,
  DIFFERENCES,
  type Guest,
  GUESTS,
  invite,
  shapeOf,
  SNI_NAME,
  visitsOf,
} from "./_log_lines.ts";

/** Values of smtpd_tls_loglevel, by what the stations are called. */
const LEVELS = {
  "0": "0",
  "1": "1",
  "2": "2",
  "3": "3",
  "4": "4",
  "untrusted": "untrusted",
  "peercert": "peercert",
  "cache": "cache",
  "ssl-debug": "ssl-debug",
  "verbose": "verbose",
  "some": "routine, untrusted, ssl-handshake-packet-dump",
} as const;

/** Levels that show each read and write: how many there are is a matter of OpenSSL's buffers. */
const DUMPING: readonly string[] = ["3", "4", "some"];

type Side = Difference["side"];

interopTest("tlsproxy logs of each client what Postfix's tlsproxy logs", async (t) => {
  await using folder = await TempFolder.make("lines");
  const { certificates, settings } = await prepare(folder);
  const services = Object.entries(LEVELS).flatMap(([name, level]) => [
    `tlsproxy-${name} unix - - n - 0 tlsproxy`,
    `  -o syslog_name=lines-${name}`,
    ...Object.entries({ ...settings, smtpd_tls_loglevel: level })
      .map(([key, value]) => `  -o { ${key} = ${value} }`),
  ]);
  await using bed = await Testbed.start({ name: "lines", services });
  const { postfix } = bed;
  const seen = new Set<Difference>();
  let port = 20_000;

  for (const [name, level] of Object.entries(LEVELS)) {
    await t.step(`at level "${level}"`, async () => {
      const theirs = await theirsAt(name);
      const ours = await oursAt(name, level);
      for (const [title, guest] of Object.entries(GUESTS)) {
        for (let visit = 0; visit < visitsOf(guest); visit++) {
          const shapes = ([side, all]: [Side, Logged]) => {
            const { lines, endpoint } = all.get(title)![visit];
            const left = withoutDifferences(lines.map((line) => shapeOf(line, endpoint)), {
              guest,
              visit,
              side,
            });
            if (!DUMPING.includes(name)) return withoutRepeats(left);
            // … and which of them found nothing, a matter of who is faster.
            return [...new Set(left.filter((line) => !line.endsWith(" bytes => -N)")))].sort();
          };
          const where = `${title}, visit ${visit + 1}`;
          assertEquals(shapes([servedBy("ours"), ours]), shapes(["postfix", theirs]), where);
        }
      }
    });
  }

  if (servedBy("ours") === "ours" && /^3\.[0-7]\./.test(await postfixVersion())) {
    const unseen = DIFFERENCES.filter((difference) => !seen.has(difference));
    assertEquals(unseen.map(({ why }) => why), [], "each difference has been seen");
  }

  async function theirsAt(name: string): Promise<Logged> {
    const endpoints = endpointsOfAll();
    for (const [title, guest] of Object.entries(GUESTS)) {
      const own = endpoints.get(title)!;
      invite(guest, {
        socket: postfix.socketPath(`tlsproxy-${name}`),
        endpoints: own,
        certificates,
      });
    }
    const last = `DISCONNECT [192.0.2.1]:${port}`;
    const lines = await waitUntil(last, async () => {
      const lines = await postfix.maillog.lines();
      return lines.some((line) => line.endsWith(last)) && lines;
    });
    const before = ` lines-${name}/tlsproxy[`;
    return linesOfAll(lines.filter((line) => line.includes(before)), endpoints);
  }

  async function oursAt(name: string, level: string): Promise<Logged> {
    if (servedBy("ours") === "postfix") return await theirsAt(name);
    const { folders, layout, options } = postfix;
    const socket = postfix.socketPath(`postern-${name}`);
    await using role = await startPostern({
      role: "tlsproxy",
      socket,
      settingsPath: `${folders.root}/postern-${name}.toml`,
      // The order of lines is the order of events.
      service: { workers: 1 },
      settings: {
        queue_directory: folders.queue,
        data_directory: folders.data,
        ...tlsSettings(layout, options),
        ...settings,
        smtpd_tls_loglevel: level,
      },
    });
    const verbose = level === "verbose" || Number(level) >= 2;
    assertEquals(role.log.includes(": initializing the server-side TLS engine\n"), verbose);
    const endpoints = endpointsOfAll();
    for (const [title, guest] of Object.entries(GUESTS)) {
      const own = endpoints.get(title)!;
      invite(guest, { socket, endpoints: own, certificates });
      // Its log goes into a pipe, which this process has to empty in between.
      await waitUntil(title, () => role.log.includes(`: DISCONNECT ${own.at(-1)}\n`));
    }
    return linesOfAll(role.log.split("\n"), endpoints);
  }

  function endpointsOfAll(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      Object.entries(GUESTS).map(([title, guest]) => [
        title,
        Array.from({ length: visitsOf(guest) }, () => `[192.0.2.1]:${++port}`),
      ]),
    );
  }

  function withoutDifferences(
    lines: readonly string[],
    of: { guest: Guest; visit: number; side: Side },
  ): string[] {
    return lines.flatMap((line) => {
      const difference = DIFFERENCES.find((one) =>
        one.side === of.side && one.line.test(line) && (one.when?.(of.guest, of.visit) ?? true)
      );
      if (difference === undefined) return line;
      seen.add(difference);
      return difference.becomes?.(line) ?? [];
    });
  }
});

/** Lines of each visit, by the guest. */
type Logged = ReadonlyMap<string, readonly { endpoint: string; lines: readonly string[] }[]>;

function linesOfAll(
  lines: readonly string[],
  endpoints: ReadonlyMap<string, readonly string[]>,
): Logged {
  return new Map([...endpoints].map(([title, own]) => [
    title,
    own.map((endpoint) => ({ endpoint, lines: linesFrom(lines, endpoint) })),
  ]));
}

/** The lines of the session of `endpoint`, one session after the other. */
function linesFrom(lines: readonly string[], endpoint: string): string[] {
  const texts = lines.map((line) => line.replace(/^.*?\[\d+\]: /, ""));
  const begin = texts.indexOf(`CONNECT from ${endpoint}`);
  const end = texts.indexOf(`DISCONNECT ${endpoint}`);
  assert(begin >= 0 && end > begin, `lines of ${endpoint}`);
  // A process of Postfix's that begins with the session in hand says so before.
  const first = texts[begin - 1]?.startsWith("initializing ") ? begin - 1 : begin;
  return texts.slice(first, end + 1);
}

/** Where a side waits in between, OpenSSL tells of the same state again. */
function withoutRepeats(lines: readonly string[]): string[] {
  return lines.filter((line, i) => line !== lines[i - 1]);
}

/** Files in `folder`, and the settings that name them: clients are asked for certificates. */
async function prepare(
  folder: TempFolder,
): Promise<{ certificates: ClientCertificates; settings: Record<string, string> }> {
  const certificates = await writeClientCertificates(folder.path);
  const pems = await certificatePems();
  // By its name the server has another certificate than without.
  const chain = await folder.write("chain.pem", pems["rsa.key"] + pems["rsa.pem"]);
  return {
    certificates,
    settings: {
      compatibility_level: "3.6",
      smtpd_tls_ask_ccert: "yes",
      smtpd_tls_CAfile: certificates.ca,
      // Defaults that are not the same in all releases.
      tls_medium_cipherlist: "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
      tls_eecdh_auto_curves: "X25519 prime256v1",
      tls_ffdhe_auto_groups: "",
      tls_server_sni_maps: `inline:{${SNI_NAME}=${chain}}`,
    },
  };
}

interopTest("postscreen with our tlsproxy: client certificates and server names", async (t) => {
  await using folder = await TempFolder.make("names");
  const { certificates, settings } = await prepare(folder);
  const withoutRsa = { ...settings, smtpd_tls_cert_file: "", smtpd_tls_key_file: "" };
  const levels = { "1": "1, peercert, untrusted", "2": "2" };
  const at = (level: keyof typeof levels) => ({ ...withoutRsa, smtpd_tls_loglevel: levels[level] });
  await using stations = await Stations.start({
    "ours-1": { side: "ours", settings: at("1") },
    "theirs-1": { side: "postfix", settings: at("1") },
    "ours-2": { side: "ours", settings: at("2") },
    "theirs-2": { side: "postfix", settings: at("2") },
  }, { name: "names" });
  const { ca } = stations.bed.postfix.certificates;
  const pems = await certificatePems();

  for (const level of ["1", "2"] as const) {
    const meet = async (extra: readonly string[]) => {
      const [ours, theirs] = await Promise.all(
        [`ours-${level}`, `theirs-${level}`].map((name) => visit(name as StationName, extra)),
      );
      assertEquals(ours.lines, theirs.lines);
      assertEquals(ours.certificate, theirs.certificate);
      return ours;
    };
    for (const [kind, words] of TRUST) {
      await t.step(`a client whose certificate is ${kind}, at level ${level}`, async () => {
        const { chain, key } = certificates.clients[kind];
        const { lines } = await meet(["-cert", chain, "-key", key]);
        const fingerprint = await fingerprintOf(chain);
        assert(lines.some((line) => line.startsWith(`${words} TLS connection established`)));
        assert(lines.some((line) => line.includes(`, fingerprint=${fingerprint}, `)), kind);
      });
    }
    await t.step(`a name with a certificate of its own, at level ${level}`, async () => {
      const named = await meet(["-servername", SNI_NAME]);
      assertEquals(named.certificate, pems["rsa.pem"].trim());
      assert(named.lines.some((line) => line.includes(` from PEER to ${SNI_NAME}: TLS`)));
      const other = await meet(["-servername", CERTIFICATE_NAMES[0]]);
      assertEquals(other.certificate, pems["ec.pem"].trim());
      assertNotEquals(other.certificate, named.certificate);
      assert(other.lines.includes(
        `TLS SNI ${CERTIFICATE_NAMES[0]} from PEER not matched, using default chain`,
      ));
    });
  }

  type StationName = "ours-1" | "theirs-1" | "ours-2" | "theirs-2";

  /** A session with a dialogue: the server's certificate, and what its tlsproxy has logged. */
  async function visit(name: StationName, extra: readonly string[]) {
    const station = stations.at(name);
    await using forwarder = Forwarder.listen(station.port);
    const { output } = await runSClient({
      port: forwarder.port,
      ca,
      version: "TLSv1.3",
      dialogue: POSTSCREEN_DIALOGUE,
      extra,
    });
    const [endpoint] = forwarder.endpoints;
    const lines = await waitUntil(`the end of ${endpoint}`, async () => {
      const lines = await station.lines();
      return lines.includes(`DISCONNECT ${endpoint}`) && linesFrom(lines, endpoint);
    });
    const certificate = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(output);
    return {
      certificate: certificate?.[0],
      lines: withoutRepeats(
        lines.map((line) => shapeOf(line, endpoint)).filter((line) =>
          !DIFFERENCES.some((one) => one.becomes === undefined && one.line.test(line))
        ),
      ),
    };
  }
});

/** What a client is called, by its certificate. */
const TRUST: readonly (readonly [ClientKind, string])[] = [
  ["good", "Trusted"],
  ["expired", "Untrusted"],
  ["self", "Untrusted"],
];

/** The digest of the first certificate of a file, as Postfix writes it. */
async function fingerprintOf(chain: string): Promise<string> {
  const args = ["x509", "-in", chain, "-noout", "-fingerprint", "-sha256"];
  const { stdout } = await runChecked("openssl", args);
  return stdout.trim().replace(/^.*=/, "");
}
