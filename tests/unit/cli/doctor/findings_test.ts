/** What `postern doctor` finds: one healthy installation, and many with one thing broken. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FatalError } from "../../../../lib/base/errors.ts";
import type { ServiceWish } from "../../../../lib/cli/service_choice.ts";
import { prepareGround } from "../../../../lib/cli/doctor/ground.ts";
import { examine, exitCodeOf, reportText } from "../../../../lib/cli/doctor/report.ts";
import { findOpenSsl, type InstalledOpenSsl } from "../../../../lib/cli/version.ts";
import { Store } from "../../../../lib/store/store.ts";
import { latin1 } from "../../../../lib/base/bytes.ts";
// Loaded before the first test, so that its libraries and callbacks are nobody's leak.
import "../../../../lib/tls/context.ts";
import { Patient } from "./_patient.ts";

const DAY_S = 86_400;

interface Case {
  readonly name: string;
  /** Before the settings are written. */
  prepare?(patient: Patient): void | Promise<void>;
  /** Afterwards. */
  harm?(patient: Patient): void | Promise<void>;
  openSsl?: InstalledOpenSsl;
  /** Each is one finding: what stands before its remedy, as a pattern. */
  readonly findings: readonly RegExp[];
}

/** A record whose middle byte is another one than was written. */
async function damageCache({ folder }: Patient): Promise<void> {
  const path = folder.file("data/smtpd_scache.postern");
  const store = Store.open(path, { report: () => {} });
  for (const key of ["a", "b", "c"]) store.put(key, latin1(key.repeat(200)), 2_000_000_000);
  store.close();
  const bytes = await Deno.readFile(path);
  const at = bytes.findIndex((_, i) => bytes[i] === 98 && bytes[i + 50] === 98);
  bytes[at + 25] ^= 0xff;
  await Deno.writeFile(path, bytes);
}

const CASES: readonly Case[] = [
  { name: "nothing", findings: [] },
  {
    name: "no settings file",
    harm: ({ config }) => Deno.remove(config),
    findings: [/^settings: error: Cannot read settings file/],
  },
  {
    name: "a setting with a value that cannot be",
    prepare: ({ settings }) => void (settings.tls_random_bytes = "many"),
    findings: [/^settings: error: .*postern\.toml:\d+:1: tls_random_bytes: /],
  },
  {
    name: "a misspelt setting",
    prepare: ({ settings }) => void (settings.smtpd_tls_cert_fiel = "/x"),
    findings: [/^settings: warning: .*smtpd_tls_cert_fiel: /],
  },
  {
    name: "a settings file that others may write",
    harm: ({ config }) => Deno.chmod(config, 0o666),
    findings: [/^settings-file: error: Others than its owner may write/],
  },
  {
    name: "no account for Postfix",
    prepare: ({ settings }) => void (settings.mail_owner = "nobody-here"),
    findings: [
      /^accounts: error: There is no account "nobody-here" \(mail_owner\)/,
      /^main\.cf: error: mail_owner is "nobody-here" here and "postfix" in/,
    ],
  },
  {
    name: "no group for a socket",
    prepare: ({ settings }) => {
      settings.service = { tlsmgr: { socket_group: "missing" } };
    },
    findings: [/^accounts: error: There is no group "missing" \(socket_group\)/],
  },
  {
    name: "no OpenSSL",
    openSsl: {
      fault: new FatalError("Cannot load libssl.so.3: no such file", { hint: "Install" }),
    },
    findings: [/^openssl: error: Cannot load libssl\.so\.3/],
  },
  {
    name: "a key that is not there",
    harm: ({ folder }) => Deno.remove(folder.file("key.pem")),
    findings: [/^keys: error: Cannot read private key file ".*key\.pem": No such file/],
  },
  {
    name: "a key of another certificate",
    prepare: ({ settings, folder }) => {
      settings.smtpd_tls_key_file = folder.file("other.key");
    },
    findings: [/^keys: error: .*other\.key" with certificate.*do not belong together/],
  },
  {
    name: "a certificate file without a certificate",
    harm: async ({ folder }) => void await folder.write("cert.pem", "nothing\n"),
    findings: [/^keys: error: Cannot use certificate file ".*cert\.pem"/],
  },
  {
    name: "two pairs that are both wrong",
    prepare: ({ settings }) => {
      settings.smtpd_tls_cert_file = "/nowhere/rsa.pem";
      settings.smtpd_tls_eccert_file = "/nowhere/ec.pem";
      settings.smtpd_tls_eckey_file = "/nowhere/ec.key";
    },
    findings: [
      /^keys: error: Cannot read certificate file "\/nowhere\/rsa\.pem"/,
      /^keys: error: Cannot read certificate file "\/nowhere\/ec\.pem"/,
    ],
  },
  {
    name: "no certificates",
    prepare: ({ settings }) => {
      delete settings.smtpd_tls_cert_file;
      delete settings.smtpd_tls_key_file;
    },
    findings: [/^keys: warning: No server certs available/],
  },
  {
    name: "DH parameters that are not there",
    prepare: ({ settings }) => void (settings.smtpd_tls_dh1024_param_file = "/nowhere/dh.pem"),
    findings: [
      /^settings: warning: .*smtpd_tls_dh1024_param_file: Deprecated/,
      /^keys: error: Cannot read DH parameter file "\/nowhere\/dh\.pem"/,
    ],
  },
  {
    name: "a table of server names with a chain that is not there",
    prepare: ({ settings }) => {
      settings.tls_server_sni_maps = "inline:{ mx.example=/nowhere/chain.pem }";
    },
    findings: [/^keys: error: Cannot read chain file "\/nowhere\/chain\.pem"/],
  },
  {
    name: "a certificate for a server name that ends in ten days",
    prepare: async ({ settings, folder }) => {
      const text = await Deno.readTextFile(folder.file("key.pem")) +
        await Deno.readTextFile(folder.file("short.pem"));
      const chain = await folder.write("sni.pem", text, 0o600);
      settings.tls_server_sni_maps = `inline:{ mx.example=${chain} }`;
    },
    findings: [/^certificates: warning: The certificate "mx\.example" in ".*sni\.pem" ends on/],
  },
  {
    name: "a key that everybody may read",
    harm: ({ folder }) => Deno.chmod(folder.file("key.pem"), 0o644),
    findings: [/^key-files: error: Everybody may read private key/],
  },
  {
    name: "a key that a group may change",
    harm: ({ folder }) => Deno.chmod(folder.file("key.pem"), 0o660),
    findings: [/^key-files: warning: A group may change private key/],
  },
  {
    name: "certificates in the wrong order",
    prepare: ({ settings, folder }) => {
      settings.smtpd_tls_cert_file = folder.file("disordered.pem");
    },
    harm: ({ clock }) => clock.setUnixSeconds(clock.unixSeconds() - 60 * 60),
    findings: [
      /^certificates: error: The certificates in .* are out of order: "mx\.example" follows "mx/,
      ...["mx.example", "Patient authority"].map((name) =>
        new RegExp(`^certificates: error: The certificate "${name}" .* is not good before`)
      ),
    ],
  },
  {
    name: "a certificate that ends in ten days",
    prepare: ({ settings, folder }) => {
      settings.smtpd_tls_cert_file = folder.file("short.pem");
    },
    findings: [/^certificates: warning: The certificate "mx\.example" .* in (?:9|10) days/],
  },
  {
    name: "certificates that have ended",
    harm: ({ clock }) => clock.advance(101 * DAY_S * 1000),
    findings: [
      /^certificates: error: The certificate "mx\.example" .* has ended on/,
      /^certificates: error: The certificate "Patient authority" .* has ended on/,
    ],
  },
  {
    name: "no data directory",
    harm: ({ folder }) => Deno.remove(folder.file("data")),
    findings: [/^data-directory: error: Cannot use data_directory/],
  },
  {
    name: "a data directory that everybody may write into",
    harm: ({ folder }) => Deno.chmod(folder.file("data"), 0o777),
    findings: [/^data-directory: error: Everybody may write into/],
  },
  {
    name: "a service account that owns nothing",
    prepare: ({ settings, machine }) => {
      settings.service = { user: "stranger" };
      const { account } = machine;
      machine.account = (name) =>
        name === "stranger" ? { uid: 54_321, gids: [54_321] } : account(name);
    },
    findings: [
      /^key-files: note: The account "stranger" may not read private key/,
      /^data-directory: error: data_directory .* belongs to user id \d+, and the service runs as "s/,
    ],
  },
  {
    name: "two caches in one file",
    prepare: ({ settings }) => {
      settings.smtp_tls_session_cache_database = "lmdb:${data_directory}/smtpd_scache";
    },
    findings: [/^settings: error: .*smtp_tls_\w+: Cannot keep two caches in one place/],
  },
  {
    name: "a cache file of somebody else's",
    harm: async ({ folder }) => {
      await folder.write("data/smtpd_scache.postern", "x".repeat(5000), 0o600);
    },
    findings: [/^caches: error: Cannot use cache file .*: it is no cache file of postern/],
  },
  {
    name: "a damaged cache file",
    harm: damageCache,
    findings: [/^caches: warning: Cache file .* is damaged: \d+ bytes in 1 place$/],
  },
  {
    name: "a full disk",
    prepare: ({ machine }) => void (machine.freeBytes = () => Promise.resolve(1 << 20)),
    findings: [/^disk: error: Only 1 MiB are free/],
  },
  {
    name: "a disk with less room than the caches may take",
    prepare: ({ machine }) => void (machine.freeBytes = () => Promise.resolve(40 << 20)),
    findings: [/^disk: warning: 40 MiB are free .* the caches may need 80 MiB/],
  },
  {
    name: "an entropy source that is no device",
    prepare: ({ settings }) => void (settings.tls_random_source = "dev:/etc/passwd"),
    findings: [
      /^entropy: error: Cannot use tls_random_source = dev:\/etc\/passwd: it is no device/,
    ],
  },
  {
    name: "an entropy server that is not there",
    prepare: ({ settings, machine, folder }) => {
      settings.tls_random_source = `egd:${folder.file("queue/private/tlsmgr")}`;
      const { listener } = machine;
      let asked = 0;
      machine.listener = (path) => asked++ === 0 ? Promise.resolve(undefined) : listener(path);
    },
    findings: [/^entropy: error: Cannot use tls_random_source = egd:.*: nobody listens there/],
  },
  {
    name: "an exchange file without a folder",
    prepare: ({ settings }) => void (settings.tls_random_exchange_name = "/nowhere/prng_exch"),
    findings: [/^entropy: error: Cannot write tls_random_exchange_name = \/nowhere\/prng_exch: /],
  },
  {
    name: "services that do not run",
    prepare: ({ machine }) => void (machine.listener = () => Promise.resolve(undefined)),
    findings: [
      /^sockets: warning: Nobody listens on tlsmgr's socket/,
      /^sockets: warning: Nobody listens on tlsproxy's socket/,
    ],
  },
  {
    name: "a socket of master(8)",
    prepare: ({ machine }) => {
      const { listener } = machine;
      const served = { processes: [{ pid: 5, name: "tlsmgr" }, { pid: 3, name: "master" }] };
      machine.listener = (path) =>
        path.endsWith("/tlsmgr") ? Promise.resolve(served) : listener(path);
    },
    findings: [/^sockets: warning: The socket ".*\/tlsmgr" is served by process 3, master/],
  },
  {
    name: "a socket that Postfix may not open",
    harm: (patient) => Deno.chmod(patient.socket("tlsproxy"), 0o400),
    findings: [/^sockets: error: Postfix's account may not connect to ".*tlsproxy": .* 0400/],
  },
  {
    name: "a socket path that is too long",
    prepare: ({ settings }) => {
      settings.service = { tlsmgr: { socket: `/${"x".repeat(107)}` } };
    },
    findings: [/^sockets: error: The path of tlsmgr's socket has 108 bytes/],
  },
  {
    name: "a socket in a folder that is not there",
    prepare: ({ settings }) => {
      settings.service = { tlsmgr: { socket: "/nowhere/tlsmgr" } };
    },
    findings: [/^sockets: error: Cannot look into the folder of tlsmgr's socket, "\/nowhere"/],
  },
  {
    name: "a file in the place of a socket",
    prepare: async ({ settings, folder, machine }) => {
      settings.service = { tlsmgr: { socket: await folder.write("queue/plain", "") } };
      const { listener } = machine;
      machine.listener = (path) =>
        path.endsWith("/plain") ? Promise.resolve(undefined) : listener(path);
    },
    findings: [/^sockets: error: Something that is no socket stands where tlsmgr would listen/],
  },
  {
    name: "a limit of open files that is too low",
    prepare: ({ machine }) => void (machine.openFilesMax = () => 1024),
    findings: [
      /^limits: warning: The running tlsmgr may open 1024 files, .* max_connections needs 1128/,
      /^limits: warning: The running tlsproxy may open 1024 files, .* max_sessions needs 10128/,
    ],
  },
  {
    name: "files from the future",
    harm: ({ config, clock }) => Deno.utime(config, 0, clock.unixSeconds() + 3 * DAY_S),
    findings: [/^clock: warning: The clock says .*, but ".*postern\.toml" was changed on/],
  },
  {
    name: "a clock that begins in 1970",
    prepare: ({ settings, clock }) => {
      settings.smtpd_tls_cert_file = "none";
      delete settings.smtpd_tls_key_file;
      clock.setUnixSeconds(1000);
    },
    findings: [/^clock: error: The clock says 1970-01-01 00:16 UTC/],
  },
  {
    name: "a main.cf with another queue",
    prepare: ({ mainCf }) => void (mainCf.queue_directory = "/var/spool/elsewhere"),
    findings: [
      /^main\.cf: error: queue_directory is ".*queue" here and "\/var\/spool\/elsewhere" /,
    ],
  },
  {
    name: "a main.cf that is not there",
    harm: ({ folder }) => Deno.remove(folder.file("main.cf")),
    findings: [/^main\.cf: error: Cannot read file ".*main\.cf"/],
  },
  {
    name: "a main.cf that Postfix would refuse",
    harm: async ({ folder }) => void await folder.write("main.cf", "this is nothing\n"),
    findings: [/^main\.cf: error: .*main\.cf:1:1: /],
  },
  {
    name: "an entry of master.cf for our socket",
    prepare: (patient) => {
      patient.masterCf = "# head\n" + patient.masterCf.replace("#tlsmgr", "tlsmgr");
    },
    findings: [/^master\.cf: error: .*master\.cf:3: the entry tlsmgr is enabled/],
  },
];

/** The findings as the report shows them, without remedies. */
async function findingsOf(
  patient: Patient,
  openSsl: InstalledOpenSsl,
  wish: Partial<ServiceWish> = {},
) {
  const ground = prepareGround({
    config: patient.config,
    mainCf: patient.folder.file("main.cf"),
    wish: { role: undefined, instance: undefined, ...wish },
    openSsl,
    machine: patient.machine,
  });
  const results = await examine(ground);
  const lines = reportText(results).split("\n");
  const shown = lines.filter((line) => /^\S+: (?:error|warning|note): /.test(line));
  return {
    shown,
    code: exitCodeOf(results),
    remedies: lines.filter((line) => /^ {4}r/.test(line)),
  };
}

Deno.test("doctor lets master(8) have the sockets where it is to start postern", async () => {
  await using patient = await Patient.make();
  patient.settings.service = { mode: "master" };
  patient.masterCf = patient.masterCf.replace("#tlsmgr", "tlsmgr");
  const served = { processes: [{ pid: 3, name: "master" }] };
  patient.machine.listener = () => Promise.resolve(served);
  await patient.write();
  const { shown } = await findingsOf(patient, await findOpenSsl());
  const others = shown.filter((line) => !line.startsWith("settings: warning: "));
  assertEquals(others, []);
});

const CODES = { error: 78, warning: 1, note: 0 } as const;

for (const { name, prepare, harm, openSsl, findings } of CASES) {
  Deno.test(`doctor finds ${name}`, async () => {
    await using patient = await Patient.make();
    await prepare?.(patient);
    await patient.write();
    await harm?.(patient);
    const { shown, code, remedies } = await findingsOf(patient, openSsl ?? await findOpenSsl());
    assertEquals(shown.length, findings.length, shown.join("\n"));
    for (const [i, pattern] of findings.entries()) {
      assert(pattern.test(shown[i]), `${pattern} is not\n${shown[i]}`);
    }
    assertEquals(remedies.length, shown.length);
    const worst = (["error", "warning", "note"] as const).find((severity) =>
      shown.some((line) => line.includes(`: ${severity}: `))
    );
    assertEquals(code, worst === undefined ? 0 : CODES[worst]);
  });
}

Deno.test("doctor with one role leaves the other one alone", async () => {
  await using patient = await Patient.make();
  patient.settings.smtpd_tls_key_file = "/nowhere/key.pem";
  patient.machine.listener = () => Promise.resolve(undefined);
  await patient.write();
  const tlsmgr = await findingsOf(patient, await findOpenSsl(), { role: "tlsmgr" });
  assertEquals(tlsmgr.shown.length, 1, tlsmgr.shown.join("\n"));
  assert(/^sockets: warning: Nobody listens on tlsmgr's/.test(tlsmgr.shown[0]));
  const tlsproxy = await findingsOf(patient, await findOpenSsl(), { role: "tlsproxy" });
  assertEquals(tlsproxy.shown.map((line) => line.split(":")[0]), ["keys", "sockets"]);
});

/** Adds a tlsmgr and a tlsproxy to a healthy installation. */
function addInstances({ settings, folder }: Patient): void {
  settings.instance = {
    edge: {
      role: "tlsproxy",
      parameters: { smtpd_tls_cert_file: folder.file("short.pem") },
    },
    keys: {
      role: "tlsmgr",
      parameters: { smtpd_tls_session_cache_database: "btree:${data_directory}/keys" },
    },
  };
}

Deno.test("doctor looks at each instance, and says what services share once", async () => {
  await using patient = await Patient.make();
  addInstances(patient);
  patient.masterCf += "edge unix - - n - 0 tlsproxy\n";
  patient.machine.listener = (path) =>
    Promise.resolve(
      /(?:edge|keys)$/.test(path) ? undefined : { processes: [{ pid: 7, name: "postern" }] },
    );
  await Deno.chmod(patient.folder.file("key.pem"), 0o604);
  await patient.write();
  const { shown, remedies } = await findingsOf(patient, await findOpenSsl());
  const expected = [
    /^key-files: error: Everybody may read private key ".*key\.pem"$/,
    /^certificates: warning: The certificate "mx\.example" in ".*short\.pem" ends on/,
    /^sockets: warning: Nobody listens on the socket of instance edge ".*private\/edge"$/,
    /^sockets: warning: Nobody listens on the socket of instance keys ".*private\/keys"$/,
    /^master\.cf: error: .*: the entry edge is enabled, .* that \[instance\.edge\] wants$/,
  ];
  assertEquals(shown.length, expected.length, shown.join("\n"));
  for (const [i, pattern] of expected.entries()) assertMatch(shown[i], pattern);
  assertStringIncludes(remedies.join("\n"), "systemctl start postern-tlsproxy@edge, or postern ");
});

Deno.test("doctor looks at one instance alone where it is named", async () => {
  await using patient = await Patient.make();
  addInstances(patient);
  // Nothing of the plain tlsproxy's.
  patient.settings.smtpd_tls_cert_file = "/nowhere";
  patient.machine.listener = () => Promise.resolve(undefined);
  await patient.write();
  const { shown } = await findingsOf(patient, await findOpenSsl(), { instance: "edge" });
  const expected = [
    /^certificates: warning: .*short\.pem" ends on/,
    /^sockets: warning: Nobody listens on the socket of instance edge ".*private\/edge"$/,
  ];
  assertEquals(shown.length, expected.length, shown.join("\n"));
  for (const [i, pattern] of expected.entries()) assertMatch(shown[i], pattern);
});
