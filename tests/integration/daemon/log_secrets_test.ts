/**
 * No log of any level and format holds a secret: none of a session's keys, no ticket key, no cached
 * session, no seed.
 *
 * From `smtpd_tls_loglevel = 3` on the log shows the bytes of a handshake, and at level 4 those of the
 * whole session, as Postfix's does. These are the bytes on the wire, which anybody on the way sees too:
 * what is secret is encrypted in them or has never been sent. They are searched like all the rest.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fromHex } from "../../../lib/base/bytes.ts";
import { serverCacheId } from "../../../lib/tls/sessions.ts";
import { AttrClient } from "../../support/attr_client.ts";
import { certificatePems, writeCertificates } from "../../support/certificates.ts";
import { parseLogLine } from "../../support/log_schema.ts";
import { type Postern, startPostern } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { SecretFinder } from "../../support/secrets.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";
import { FLAGS } from "../tlsproxy/_bed.ts";
import { Peers, requestList } from "../tlsproxy/_peers.ts";

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0x9d ^ (i * 37 + 11));
const HEX = [...SECRET].map((byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("SecretFinder finds a secret however it is written, wherever it stands", () => {
  const finder = new SecretFinder();
  finder.add("planted", SECRET);
  const pairs = HEX.match(/../g)!;
  const dump = (from: number) =>
    ["0b", ...pairs].slice(from).map((pair, i) => pair + (i % 16 === 7 ? "|" : " ")).join("");
  const leaks = [
    `key ${HEX}`,
    `key ${HEX.toUpperCase()}, and more`,
    `0badcafe${HEX}00`,
    `key ${pairs.join(":")}`,
    `key ${pairs.join(" ")}`,
    `0000 ${dump(0)} ................`,
    `0000 0b ${pairs.slice(0, 8).join(" ")} ..\n0009 ${pairs.slice(8, 24).join(" ")} ....`,
    String.fromCharCode(...SECRET),
    new TextDecoder().decode(SECRET),
    ...["", "x", "xy", "xyz"].map((before) => btoa(before + String.fromCharCode(...SECRET) + "z")),
  ];
  for (const leak of leaks) assert(finder.findAnyhow(`a: ${leak} end\n`) !== undefined, leak);
  assertEquals(finder.findAnyhow("0".repeat(5000) + btoa("harmless".repeat(100))), undefined);
});

/** Everything that a session and its cache need, at one level and in one format. */
interface Station extends AsyncDisposable {
  readonly roles: readonly Postern[];
  readonly tlsmgrSocket: string;
  readonly folder: string;
  /** One session of `openssl s_client`, with these arguments more. */
  visit(...args: string[]): Promise<string>;
}

async function startStation(format: string, level: number): Promise<Station> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await TempFolder.make("secrets"));
  await Deno.mkdir(folder.file("queue/private"), { recursive: true });
  const certificates = await writeCertificates(folder.path);
  const { "ca.pem": ca } = await certificatePems();
  await Deno.writeTextFile(folder.file("trusted.pem"), ca);
  const settings = {
    queue_directory: folder.file("queue"),
    data_directory: folder.path,
    smtpd_tls_security_level: "may",
    smtpd_tls_loglevel: level,
    smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
    smtpd_tls_cert_file: certificates.rsaCertificate,
    smtpd_tls_key_file: certificates.rsaKey,
    log: { format, verbose: level },
  };
  const tlsmgrSocket = folder.file("queue/private/tlsmgr");
  const socket = folder.file("tlsproxy.sock");
  const start = async (role: "tlsmgr" | "tlsproxy", socket: string) =>
    stack.use(
      await startPostern({ role, socket, settings, settingsPath: folder.file(`${role}.toml`) }),
    );
  const roles = [await start("tlsmgr", tlsmgrSocket), await start("tlsproxy", socket)];
  const peers = stack.use(new Peers());
  const { listener, port } = await peers.listen();
  let visits = 0;
  const owned = stack.move();
  return {
    roles,
    tlsmgrSocket,
    folder: folder.path,
    async visit(...args) {
      // deno-fmt-ignore
      await using client = startProcess("openssl", [
        "s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", folder.file("trusted.pem"),
        "-keylogfile", folder.file("keys"), "-nocommands", ...args,
      ], { env: { OPENSSL_CONF: "/dev/null" } });
      const passed = await listener.accept();
      const local = await peers.connect(socket);
      await local.readList();
      const endpoint = `[192.0.2.1]:${++visits}`;
      const limits = { handshakeLimitS: 300, sessionLimitS: 300, serverId: "smtpd" };
      await local.send(requestList({ endpoint, flags: FLAGS.server, ...limits }));
      assertEquals(await local.readList(), ["status", "1"]);
      await local.pass([passed]);
      await passed.close();
      await local.send("220 mx.example.test ESMTP\r\n");
      await client.waitFor("the greeting", () => client.stdout.includes("220 mx.") || undefined);
      await local.close();
      await client.ended();
      return client.stdout;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The value of one attribute of tlsmgr's answer, decoded. */
async function askTlsmgr(
  socket: string,
  request: readonly (readonly [string, string])[],
  attribute: string,
): Promise<Uint8Array> {
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  const { attributes } = await client.ask(request);
  const value = attributes.find(([name]) => name === attribute)?.[1] ?? "";
  return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
}

/** Sessions of all kinds, and all that is secret about them. */
async function gatherSecrets(station: Station): Promise<SecretFinder> {
  const secrets = new SecretFinder();
  const { visit, tlsmgrSocket, folder } = station;
  const session = `${folder}/session`;
  await visit("-tls1_3", "-sess_out", session);
  assert((await visit("-tls1_3", "-sess_in", session)).includes("Reused, TLSv1.3"));
  await visit("-tls1_2", "-sess_out", session);
  assert((await visit("-tls1_2", "-sess_in", session)).includes("Reused, TLSv1.2"));
  const byId = await visit("-tls1_2", "-no_ticket", "-sess_out", session);
  const [, id] = /Session-ID: ([0-9A-F]+)/.exec(byId)!;
  const lookup = [
    ["request", "lookup"],
    ["cache_type", "smtpd"],
    ["cache_id", serverCacheId(fromHex(id), "smtpd")],
  ] as const;
  const cached = await waitUntil("the session to be cached", async () => {
    const bytes = await askTlsmgr(tlsmgrSocket, lookup, "session");
    return bytes.length > 0 ? bytes : undefined;
  });
  assert((await visit("-tls1_2", "-no_ticket", "-sess_in", session)).includes("Reused, TLSv1.2"));
  secrets.addKeyLog(await Deno.readTextFile(`${folder}/keys`));
  // An OCTET STRING of 48 bytes: what the keys of a TLS 1.2 session are made from.
  const master = cached.findIndex((byte, at) => byte === 4 && cached[at + 1] === 48);
  assert(master > 0, "There is no master key in the cached session");
  secrets.add("master key of a cached session", cached.subarray(master + 2, master + 50));
  const key = await askTlsmgr(tlsmgrSocket, [["request", "tktkey"], ["keyname", ""]], "keybuf");
  // The first 16 bytes are the name; it stands at the beginning of each ticket.
  secrets.add("ticket key, cipher", key.subarray(16, 48));
  secrets.add("ticket key, digest", key.subarray(48, 80));
  const seed = await askTlsmgr(tlsmgrSocket, [["request", "seed"], ["size", "32"]], "seed");
  secrets.add("seed", seed);
  return secrets;
}

for (const format of ["postfix", "json"]) {
  for (const level of [0, 1, 2, 3, 4]) {
    Deno.test(`no secret is in a ${format} log of level ${level}`, async () => {
      await using station = await startStation(format, level);
      const secrets = await gatherSecrets(station);
      // Of TLS 1.3 five each session, of TLS 1.2 one; and what tlsmgr has given away.
      assert(secrets.count >= 2 * 4 + 2 + 3, `${secrets.count} secrets are known`);
      for (const role of station.roles) {
        assertEquals(await role.stop(), 0);
        assertEquals(secrets.findAnyhow(role.log), undefined, `${role.role}:\n${role.log}`);
        // It is the log of what has happened here, and as verbose as it should be.
        if (level > 0) assert(role.log.includes("smtpd_tls_session_cache_database = btree:"));
        if (level > 0 && role.role === "tlsmgr") {
          assert(/\btktkey \(current\): status 0/.test(role.log));
        }
        if (level > 2 && role.role === "tlsproxy") assert(/\b0000 16 03 0[13] /.test(role.log));
        if (format === "json") { for (const line of linesOf(role.log)) parseLogLine(line); }
      }
    });
  }
}

function linesOf(log: string): string[] {
  return log.split("\n").filter((line) => line !== "");
}
