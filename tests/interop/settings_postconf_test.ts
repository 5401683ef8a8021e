/**
 * What `postern config show -x` shows after `postern config import` against what `postconf -x` shows:
 * every parameter of the table, on whole set-ups, with master.cf, and on settings made at random.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../lib/base/bytes.ts";
import { describeSettings } from "../../lib/config/describe.ts";
import { importSettings } from "../../lib/config/import/import_settings.ts";
import { type Parameter, PARAMETERS } from "../../lib/config/parameters.ts";
import { randomSettings, readSetups } from "../support/config_setups.ts";
import { interopTest } from "../support/interop.ts";
import { nightly } from "../support/nightly.ts";
import { postconf, PostconfFolders, postconfValues } from "../support/postconf.ts";
import { posternBinary } from "../support/postern.ts";
import { type CommandResult, runCommand } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { TempFolder } from "../support/temp_folder.ts";

/** Names of the table that Postfix 3.7 does not know. */
const UNKNOWN_TO_3_7: readonly string[] = [
  // Later than 3.7.
  "maillog_file_permissions",
  "smtpd_tls_enable_rpk",
  "tls_ffdhe_auto_groups",
  "tls_trace_rate_limit",
  "tls_trust_server_ccerts",
  "tlsproxy_tls_enable_rpk",
  // Gone before 3.7.
  "smtp_tls_cipherlist",
  "smtpd_tls_cipherlist",
  "tls_dane_digest_agility",
  "tls_dane_trust_anchor_digest_enable",
  "tlsproxy_tls_session_cache_timeout",
  // Never documented.
  "tlsproxy_tls_received_header",
];

/** What the program itself sets, so that it tells of the program that was asked. */
const READ_ONLY: readonly string[] = ["process_id", "process_name", "service_name"];

/** Defaults that changed between Postfix 3.7 and the release that the table follows. */
const CHANGED_DEFAULTS: Readonly<Record<string, { ours: string; theirs: string }>> = {
  compatibility_level: { ours: "3.11", theirs: "0" },
  smtp_tls_security_level: {
    ours: "${{$compatibility_level} <level {3.11} ? {} : {may}}",
    theirs: "",
  },
  tls_eecdh_auto_curves: {
    ours: "X25519 X448 prime256v1 secp384r1 secp521r1",
    theirs: "X25519 X448 prime256v1 secp521r1 secp384r1",
  },
  tls_high_cipherlist: {
    ours: "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
    theirs: "aNULL:-aNULL:HIGH:@STRENGTH",
  },
  tls_medium_cipherlist: {
    ours: "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:" +
      "+RC4:@STRENGTH",
    theirs: "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
  },
  tls_low_cipherlist: {
    ours: "",
    theirs: "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH",
  },
  tls_export_cipherlist: {
    ours: "",
    theirs: "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH",
  },
  tls_null_cipherlist: {
    ours: "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL",
    theirs: "eNULL:!aNULL",
  },
  // In 3.7 the old name, once set, makes the new one empty: a mistake there, corrected since.
  tlsproxy_client_policy_maps: {
    ours: "${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}",
    theirs: "${tlsproxy_client_policy:$smtp_tls_policy_maps}",
  },
  tlsproxy_client_security_level: {
    ours: "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}",
    theirs: "${tlsproxy_client_level:$smtp_tls_security_level}",
  },
};

const NAMES = Object.keys(PARAMETERS);
const COMPARED = NAMES.filter((name) =>
  !UNKNOWN_TO_3_7.includes(name) && !READ_ONLY.includes(name)
);

type Values = ReadonlyMap<string, string>;

async function postern(...args: string[]): Promise<CommandResult> {
  return await runCommand(posternBinary(), args);
}

/** What `postern config show` prints of parameters, `[role] name` and plain names alike. */
async function shown(...args: string[]): Promise<Values> {
  const { code, stdout, stderr } = await postern("config", "show", ...args);
  assertEquals(code, 0, stderr);
  const values = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const match = /^((?:\[tls(?:mgr|proxy)\] )?[^\s[]+) = ?(.*)$/.exec(line);
    if (match !== null) values.set(match[1], match[2]);
  }
  return values;
}

async function shownByPostfix(folder: string, ...args: string[]): Promise<Values> {
  const { code, stdout, stderr } = await postconf(folder, ...args);
  assertEquals(code, 0, stderr);
  return postconfValues(stdout);
}

/** postconf prints each run of blanks as one. */
const printed = (text: string | undefined) => text?.replace(/[ \t]+/g, " ");

/** Names that `theirs` does not leave at a default that has changed, from where nothing else comes. */
function comparable(isSet: (name: string) => boolean): string[] {
  const changed = new Set(Object.keys(CHANGED_DEFAULTS).filter((name) => !isSet(name)));
  return COMPARED.filter((name) => !changed.has(name));
}

/**
 * Meaning of a value. In the native style a time has a unit, and a list other separators, which any
 * value shows that mentions the list.
 */
function meaning(name: string, text: string | undefined): string {
  const { kind, separators = "" } = PARAMETERS[name as keyof typeof PARAMETERS] as Parameter;
  if (text === undefined) return "(absent)";
  if (kind === "time" && /^\d+$/.test(text)) return `${text}s`;
  const marks = `, \t\r\n${separators}`;
  return [...text].map((char) => marks.includes(char) ? " " : char).join("").trim()
    .replace(/ +/g, " ");
}

/** Asserts that both sides have the same text, or in the native style the same meaning. */
function assertAlike(
  names: readonly string[],
  { ours, theirs, style }: { ours: Values; theirs: Values; style: string },
): void {
  const read = style === "native"
    ? meaning
    : (_: string, text: string | undefined) => printed(text) ?? "(absent)";
  assertEquals(
    names.map((name) => `${name} = ${read(name, ours.get(name))}`),
    names.map((name) => `${name} = ${read(name, theirs.get(name))}`),
  );
}

interopTest(
  "the default of every parameter of the table is Postfix's, or listed with both",
  async () => {
    await using temp = await TempFolder.make("conf");
    const folder = await new PostconfFolders(temp).make("");
    const ours = await shown("-d", ...NAMES);
    const theirs = await shownByPostfix(folder, "-d", ...NAMES);
    const differing: [string, unknown][] = [];
    for (const name of NAMES) {
      if (READ_ONLY.includes(name)) continue;
      const pair = { ours: printed(ours.get(name)), theirs: printed(theirs.get(name)) };
      if (pair.ours !== pair.theirs) differing.push([name, pair]);
    }
    const expected = [
      ...UNKNOWN_TO_3_7.map((name) => [name, { ours: printed(ours.get(name)), theirs: undefined }]),
      ...Object.entries(CHANGED_DEFAULTS),
    ];
    const byName = (pairs: readonly unknown[]) => Object.fromEntries(pairs as [string, unknown][]);
    assertEquals(byName(differing), byName(expected));
  },
);

for (const { name, mainCf } of readSetups()) {
  interopTest(`import and show -x give what postconf -x gives: ${name}`, async (t) => {
    await using temp = await TempFolder.make("conf");
    const folder = await new PostconfFolders(temp).make(mainCf);
    const set = await shownByPostfix(folder, "-n");
    const theirs = await shownByPostfix(folder, "-x", ...COMPARED);
    for (const style of ["strings", "native"]) {
      await t.step(style, async () => {
        const toml = `${folder}/postern.toml`;
        const imported = await postern("config", "import", "--style", style, `${folder}/main.cf`);
        assertEquals(imported.code, 0, imported.stderr);
        await Deno.writeTextFile(toml, imported.stdout);
        const checked = await postern("config", "check", "--config", toml);
        assertEquals(checked.code, 0, checked.stderr);
        const ours = await shown("-x", "--config", toml, ...COMPARED);
        const names = comparable((one) => set.has(one));
        assertAlike(names, { ours, theirs, style });
      });
    }
  });
}

interopTest("import of master.cf and show -x give what postconf -P -x gives", async () => {
  let compared = 0;
  for (const { name, mainCf, masterCf } of readSetups()) {
    if (masterCf === "") continue;
    await using temp = await TempFolder.make("conf");
    const folder = await new PostconfFolders(temp).make(mainCf, masterCf);
    const main = `${folder}/main.cf`;
    const imported = await postern("config", "import", "--master", `${folder}/master.cf`, main);
    assertEquals(imported.code, 0, imported.stderr);
    const toml = `${folder}/postern.toml`;
    await Deno.writeTextFile(toml, imported.stdout);
    const overrides = await shownByPostfix(folder, "-P", "-x");
    for (const role of ["tlsmgr", "tlsproxy"] as const) {
      const ours = await shown("-x", "--role", role, "--config", toml, ...COMPARED);
      for (const [key, value] of overrides) {
        const [service, , parameter] = key.split("/");
        if (service !== role) continue;
        assertEquals([name, key, printed(ours.get(parameter))], [name, key, value]);
        compared++;
      }
    }
  }
  assert(compared >= 3, `${compared} overrides`);
});

interopTest("what postconf itself prints converts to the same values", async () => {
  await using temp = await TempFolder.make("conf");
  const folders = new PostconfFolders(temp);
  const folder = await folders.make(await Deno.readTextFile("/usr/share/postfix/main.cf.debian"));
  const theirs = await shownByPostfix(folder, "-x", ...COMPARED);
  for (const args of [["-n"], []]) {
    const { stdout } = await postconf(folder, ...args);
    const imported = await runCommand(posternBinary(), ["config", "import", "-"], {
      input: stdout,
    });
    assertEquals(imported.code, 0, imported.stderr);
    const toml = `${folder}/postern.toml`;
    await Deno.writeTextFile(toml, imported.stdout);
    assertEquals((await postern("config", "check", "--config", toml)).code, 0);
    const ours = await shown("-x", "--config", toml, ...COMPARED);
    const set = postconfValues(stdout);
    const names = comparable((one) => set.has(one));
    assertAlike(names, { ours, theirs, style: "strings" });
  }
});

interopTest("show -x of three names prints, byte for byte, what postconf -x prints", async () => {
  await using temp = await TempFolder.make("conf");
  const folder = await new PostconfFolders(temp).make("smtpd_tls_cert_file = /c\n");
  const names = ["smtpd_tls_session_cache_timeout", "tlsproxy_tls_key_file", "tls_random_source"];
  const imported = await postern("config", "import", `${folder}/main.cf`);
  await Deno.writeTextFile(`${folder}/postern.toml`, imported.stdout);
  const ours = await postern(
    "config",
    "show",
    "-x",
    "--config",
    `${folder}/postern.toml`,
    ...names,
  );
  const theirs = await postconf(folder, "-x", ...names);
  assertEquals(ours.stdout, theirs.stdout);
  assertEquals(ours.stdout.split("\n").length, names.length + 1);
});

interopTest("settings made at random convert to what postconf -x shows", async () => {
  await using temp = await TempFolder.make("conf");
  const folders = new PostconfFolders(temp);
  const random = seededRandom(37);
  let values = 0;
  for (let round = 0; round < nightly(25, 500); round++) {
    const mainCf = randomSettings(random, COMPARED);
    const folder = await folders.make(mainCf);
    const style = round % 2 === 0 ? "strings" : "native";
    const { text } = importSettings({
      main: { name: "main.cf", bytes: utf8(mainCf) },
      configDirectory: folder,
      style,
      oursOnly: false,
    });
    assert(text !== undefined, mainCf);
    const file = `${folder}/postern.toml`;
    const described = describeSettings({ text, file, role: "tlsmgr", overrides: [] });
    const ours = new Map(described.map(({ name, expanded }) => [name, expanded]));
    const set = postconfValues(mainCf);
    const names = comparable((name) => set.has(name));
    const theirs = await shownByPostfix(folder, "-x", ...names);
    assertAlike(names, { ours, theirs, style });
    values += names.length;
  }
  assert(values > 25 * COMPARED.length / 2, `${values} values`);
}, { needsPostern: false });
