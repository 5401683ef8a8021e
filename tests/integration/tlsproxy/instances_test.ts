/**
 * Two instances of one settings file side by side: each has its own certificate, name in the log and
 * socket, and a reload of one is nothing to the other.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { certificatePems, writeCertificates } from "../../support/certificates.ts";
import { FakeTlsmgr } from "../../support/fake_tlsmgr.ts";
import { posternBinary, toToml } from "../../support/postern.ts";
import { type RunningProcess, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FLAGS } from "./_bed.ts";
import { Peers, requestList } from "./_peers.ts";

/** Settings of two instances, `edge` with an RSA certificate and `relay` with an ECDSA one. */
async function writeSettings(folder: TempFolder): Promise<string> {
  await Deno.mkdir(folder.file("queue/private"), { recursive: true });
  const { rsaCertificate, rsaKey, ecCertificate, ecKey } = await writeCertificates(folder.path);
  const identity = (name: string) => ({ syslog_name: `postfix/${name}` });
  const text = toToml({
    queue_directory: folder.file("queue"),
    smtpd_tls_security_level: "may",
    smtpd_tls_loglevel: 1,
    service: { user: "", tlsproxy: { workers: 1, socket: "/nowhere/of/instances" } },
    instance: {
      edge: {
        role: "tlsproxy",
        parameters: {
          ...identity("edge"),
          smtpd_tls_cert_file: rsaCertificate,
          smtpd_tls_key_file: rsaKey,
        },
      },
      relay: {
        role: "tlsproxy",
        parameters: {
          ...identity("relay"),
          smtpd_tls_eccert_file: ecCertificate,
          smtpd_tls_eckey_file: ecKey,
        },
      },
    },
  });
  return await folder.write("postern.toml", text);
}

async function startInstance(name: string, config: string): Promise<RunningProcess> {
  const instance = startProcess(posternBinary(), ["--instance", name, "--config", config]);
  try {
    await instance.waitFor("readiness", () => /: ready: .*\n/.test(instance.stderr));
    return instance;
  } catch (error) {
    await instance[Symbol.asyncDispose]();
    throw error;
  }
}

/** The cipher that a client of TLS 1.2 gets on `socket`, which tells the kind of the certificate. */
async function cipherOn(socket: string, peers: Peers): Promise<string> {
  const local = await peers.connect(socket);
  await local.readList();
  await local.send(requestList({
    endpoint: "[192.0.2.1]:25",
    flags: FLAGS.server,
    handshakeLimitS: 300,
    sessionLimitS: 300,
    serverId: "smtpd",
  }));
  assertEquals(await local.readList(), ["status", "1"]);
  const { passed, remote } = await peers.pair();
  await local.pass([passed]);
  await passed.close();
  const { "ca.pem": ca } = await certificatePems();
  const { cipher } = await remote.tls({ ca, version: "TLSv1_2" });
  await local.close();
  assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
  await remote.close();
  return cipher;
}

/** Sends SIGHUP to an instance, and waits for what it says in the end. */
async function reload(instance: RunningProcess, end: string): Promise<void> {
  const count = instance.stderr.split(end).length;
  instance.signal("SIGHUP");
  await instance.waitFor(end, () => instance.stderr.split(end).length > count);
}

Deno.test("tlsproxy: instances of one file have their own certificate, socket, log and reload", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await writeSettings(folder);
  const tlsmgr = FakeTlsmgr.start(folder.file("queue/private/tlsmgr"));
  try {
    await using peers = new Peers();
    await using edge = await startInstance("edge", config);
    await using relay = await startInstance("relay", config);
    const cipherOf = (name: string) => cipherOn(folder.file(`queue/private/${name}`), peers);
    assertMatch(await cipherOf("edge"), /-RSA-/);
    assertMatch(await cipherOf("relay"), /-ECDSA-/);

    const good = await Deno.readTextFile(config);
    const ecdsa = /^smtpd_tls_ec.*\n/gm;
    const [certificate, key] = [...good.matchAll(ecdsa)].map(([line]) => line);
    await Deno.writeTextFile(
      config,
      good.replace(/^smtpd_tls_(?:cert|key)_.*\n/gm, (line) => {
        return line.includes("_cert_") ? certificate : key;
      }),
    );
    await reload(edge, "reload: the new settings are in force\n");
    assertMatch(await cipherOf("edge"), /-ECDSA-/);

    // What it was is not there any more, or is something else.
    for (
      const [from, to, told] of [
        ["[instance.edge", "[instance.other", 'Cannot find the instance "edge" of tlsproxy'],
        ['role = "tlsproxy"', 'role = "tlsmgr"', "it is one of tlsmgr"],
      ]
    ) {
      await Deno.writeTextFile(config, good.replaceAll(from, to));
      await reload(edge, "; the settings before it stay in force\n");
      assertStringIncludes(edge.stderr, told);
    }
    assertMatch(await cipherOf("edge"), /-ECDSA-/);
    await Deno.writeTextFile(config, good);
    await reload(edge, "reload: the new settings are in force\n");
    assertMatch(await cipherOf("edge"), /-RSA-/);

    assert(!relay.stderr.includes("reload"), relay.stderr);
    assertMatch(await cipherOf("relay"), /-ECDSA-/);
    for (const [name, instance] of Object.entries({ edge, relay })) {
      instance.signal("SIGTERM");
      assertEquals(await instance.ended(), 0, instance.stderr);
      for (const line of instance.stderr.trimEnd().split("\n")) {
        assert(line.startsWith(`postfix/${name}/tlsproxy[`), line);
      }
    }
  } finally {
    await tlsmgr.stop();
  }
});
