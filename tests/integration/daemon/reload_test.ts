/**
 * SIGHUP: settings and keys are read again, and nobody's session ends for it.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { assertTalks, Bed } from "../tlsproxy/_bed.ts";
import { writeCertificates } from "../../support/certificates.ts";
import { spoilKey } from "../../support/spoiled_key.ts";
import { waitUntil } from "../../support/wait.ts";

const IN_FORCE = "reload: the new settings are in force";
const SESSIONS = 10;

/** Changes the settings file of the role. */
async function edit(bed: Bed, from: string | RegExp, to: string): Promise<void> {
  const path = bed.folder.file("tlsproxy.toml");
  const text = await Deno.readTextFile(path);
  const changed = text.replace(from, to);
  assert(changed !== text, `${from} is in the settings`);
  await Deno.writeTextFile(path, changed);
}

/** Sends SIGHUP and waits for the `count`th line about its end. */
async function reload(bed: Bed, wanted: string, count = 1): Promise<void> {
  bed.tlsproxy.signal("SIGHUP");
  await waitUntil(
    `${count} lines with ${wanted}`,
    () => bed.tlsproxy.log.split(wanted).length > count,
    { explain: () => bed.tlsproxy.log },
  );
}

function establishedLines(bed: Bed): number {
  return bed.tlsproxy.log.split("TLS connection established").length - 1;
}

Deno.test("tlsproxy: five reloads end no session, and count for those that follow", async () => {
  await using bed = await Bed.start({ role: { workers: 2 }, service: { drain_timeout: 300 } });
  const open = [];
  for (let i = 0; i < SESSIONS; i++) open.push(await bed.established());
  for (let n = 1; n <= 5; n++) {
    const isShown = n % 2 === 0;
    await edit(bed, /smtpd_tls_loglevel = \d/, `smtpd_tls_loglevel = ${isShown ? 1 : 0}`);
    await reload(bed, IN_FORCE, n);
    for (const session of open) await assertTalks(session);
    open.push(await bed.established());
    await assertTalks(open.at(-1)!);
  }
  for (const { local } of open) await local.close();
  bed.tlsproxy.signal("SIGTERM");
  assertEquals(await bed.ended(), 0, bed.tlsproxy.log);
  // The one that warms up, those before the first reload, and those after the second and the fourth.
  assertEquals(establishedLines(bed), 1 + SESSIONS + 2, bed.tlsproxy.log);
  assertEquals(bed.tlsproxy.problems(), []);
});

Deno.test("tlsproxy: after a reload new sessions see the new certificate", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 300 } });
  const before = await Deno.readTextFile(bed.folder.file("tlsproxy.toml"));
  assertStringIncludes(before, "smtpd_tls_eccert_file");
  // With an RSA certificate alone, a client that wants ECDSA finds none.
  const offer = { version: "TLSv1_2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" } as const;
  const first = await bed.established({}, offer);
  assertStringIncludes(first.handshake.cipher, "ECDSA");
  await edit(bed, /smtpd_tls_eccert_file = .*\nsmtpd_tls_eckey_file = .*\n/, "");
  await reload(bed, IN_FORCE);
  const second = await bed.passed();
  await assertRejects(() => second.remote.tls({ ca: bed.ca, ...offer }));
  await assertTalks(first);
  for (const { local } of [first, second]) await local.close();
});

Deno.test("tlsproxy: whatever is wrong with the new settings, the old ones stay in force", async () => {
  await using bed = await Bed.start({ role: { workers: 2 }, service: { drain_timeout: 300 } });
  const open = await bed.established();
  const path = bed.folder.file("tlsproxy.toml");
  const good = await Deno.readTextFile(path);
  await Deno.mkdir(bed.folder.file("other"));
  const other = await writeCertificates(bed.folder.file("other"));
  await Deno.writeTextFile(other.rsaKey, "no key");
  const kept = "; the settings before it stay in force";
  const cases: [string, string, string][] = [
    ["smtpd_tls_loglevel = 1", 'smtpd_tls_loglevel = 1\nipc_timeout = "never"', "ipc_timeout"],
    ["smtpd_tls_loglevel = 1", "not TOML", "the settings have errors"],
    [good, "", ""],
    [
      /smtpd_tls_key_file = .*/.exec(good)![0],
      `smtpd_tls_key_file = "${other.rsaKey}"`,
      other.rsaKey,
    ],
    [/smtpd_tls_cert_file = .*/.exec(good)![0], 'smtpd_tls_cert_file = "/no/such"', "/no/such"],
  ];
  // It belongs to the certificate, and does not sign.
  const spoiled = await spoilKey(bed.folder.file("rsa.key"));
  cases.push([
    /smtpd_tls_key_file = .*/.exec(good)![0],
    `smtpd_tls_key_file = "${spoiled}"`,
    `with private key "${spoiled}": a trial handshake failed`,
  ]);
  let count = 0;
  for (const [from, to, told] of cases) {
    if (from === good) await Deno.remove(path);
    else await Deno.writeTextFile(path, good.replace(from, to));
    await reload(bed, kept, ++count);
    assertStringIncludes(bed.tlsproxy.log, told);
    await assertTalks(open);
    await bed.honestSession();
  }
  assert(!bed.tlsproxy.log.includes("fatal: "), bed.tlsproxy.log);
  await Deno.writeTextFile(path, good);
  await reload(bed, IN_FORCE);
  await bed.honestSession();
  await open.local.close();
});

Deno.test("tlsproxy: what takes a restart is named, and the rest comes into force", async () => {
  await using bed = await Bed.start();
  await edit(bed, "smtpd_tls_loglevel = 1", 'smtpd_tls_loglevel = 0\nsyslog_name = "other"');
  await edit(bed, /socket_mode = "0666"/, 'socket_mode = "0600"');
  await reload(bed, IN_FORCE);
  assertStringIncludes(
    bed.tlsproxy.log,
    "warning: reload: takes a restart: syslog_name, service.socket_mode\n",
  );
  await bed.honestSession();
  bed.tlsproxy.signal("SIGTERM");
  assertEquals(await bed.ended(), 0);
  assertEquals(establishedLines(bed), 1, "the one that warms up");
});

Deno.test("tlsproxy: reload = off leaves everything as it is, and SIGHUP is no end", async () => {
  await using bed = await Bed.start({ service: { reload: "off" } });
  await reload(bed, "reload: it is switched off");
  await bed.honestSession();
});

Deno.test("tlsproxy: sessions of before a reload end at drain_timeout", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 1 } });
  const open = await bed.established();
  await reload(bed, IN_FORCE);
  assertEquals((await open.local.readEnd()).data, "");
  await bed.honestSession();
});
