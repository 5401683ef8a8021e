/** `postern doctor` with the compiled executable. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CERTIFICATE_NAMES, writeCertificates } from "../../support/certificates.ts";
import { startPostern, toToml } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { postern } from "./_run.ts";

Deno.test("postern doctor names a key that does not fit, and exits with 78", async () => {
  await using folder = await TempFolder.make("cli");
  const { rsaCertificate, ecKey } = await writeCertificates(folder.path);
  const settings = await folder.write(
    "postern.toml",
    toToml({
      queue_directory: folder.path,
      data_directory: folder.path,
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: rsaCertificate,
      smtpd_tls_key_file: ecKey,
    }),
  );
  const { code, stdout, stderr } = await postern(["doctor", "--config", settings]);
  assertEquals([code, stderr], [78, ""]);
  assertMatch(stdout, /^keys: error: Cannot use private key ".*ec\.key" with certificate/m);
  assertMatch(stdout, /^ {4}remedy: Check .*smtpd_tls_key_file/m);
  assertStringIncludes(stdout, `The certificate "${CERTIFICATE_NAMES[0]}"`);
  assertMatch(stdout, /^master\.cf: not looked at$/m);
});

Deno.test("postern doctor sees a running tlsmgr, and prints JSON", async () => {
  await using folder = await TempFolder.make("cli");
  const socket = folder.file("socket");
  await using tlsmgr = await startPostern({
    role: "tlsmgr",
    socket,
    settingsPath: folder.file("postern.toml"),
    settings: { queue_directory: folder.path, data_directory: folder.path },
  });
  assert(tlsmgr.alive);
  const args = ["doctor", "--config", folder.file("postern.toml"), "--json"];
  const { code, stdout, stderr } = await postern(args);
  assertEquals(stderr, "");
  const { worst, counts, checks } = JSON.parse(stdout);
  type Row = { name: string; done: boolean; findings: { message: string; remedy: string }[] };
  const row = (name: string): Row => checks.find((check: Row) => check.name === name);
  assertEquals(code, { error: 78, warning: 1, note: 0, ok: 0 }[worst as "error"], stdout);
  assertEquals(
    counts.error + counts.warning + counts.note,
    checks.flatMap((check: Row) => check.findings).length,
  );
  assertEquals([row("openssl").done, row("master.cf").done], [true, false]);
  const about = (path: string) =>
    row("sockets").findings.filter(({ message }) => message.includes(`"${path}"`));
  // What may be said of this one is about Postfix's account only: somebody listens, and it is ours.
  assert(about(socket).every(({ message }) => message.startsWith("Postfix's account")), stdout);
  const silent = about(`${folder.path}/private/tlsproxy`);
  const folderFault = row("sockets").findings.map(({ message }) => message).join("\n");
  assertEquals(silent.length, 0);
  assertStringIncludes(folderFault, `the folder of tlsproxy's socket, "${folder.path}/private"`);
});

Deno.test("postern doctor without a settings file still looks at the rest", async () => {
  const { code, stdout } = await postern(["doctor", "--config", "/nowhere/postern.toml"]);
  assertEquals(code, 78);
  assertMatch(stdout, /^openssl: ok\nsettings: error: Cannot read settings file "\/nowhere/);
  assertMatch(stdout, /^keys: not looked at$/m);
});
