/**
 * The conversion of main.cf and master.cf against what a real postconf(1) reads in the same files.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../lib/base/bytes.ts";
import { describeSettings } from "../../lib/config/describe.ts";
import { FindingList } from "../../lib/config/findings.ts";
import { importSettings } from "../../lib/config/import/import_settings.ts";
import { readMasterCf } from "../../lib/config/import/master_cf.ts";
import { interopTest } from "../support/interop.ts";
import { supportPath } from "../support/paths.ts";
import { postconf, PostconfFolders, postconfValues } from "../support/postconf.ts";
import { posternBinary } from "../support/postern.ts";
import { runCommand } from "../support/process.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { TempFolder } from "../support/temp_folder.ts";

const withoutPostern = { needsPostern: false };

/** postconf prints each run of blanks as one. */
const printed = (text: string) => text.replace(/[ \t\r]+/g, " ").trim();

type Values = Readonly<Record<string, string>>;

/** What postconf prints, by name; `undefined` when it refuses the file. */
async function byPostfix(folder: string, ...args: string[]): Promise<Values | undefined> {
  const { code, stdout } = await postconf(folder, ...args);
  if (code !== 0) return undefined;
  const { config_directory: _, ...values } = Object.fromEntries(postconfValues(stdout));
  return values;
}

/** What the converted file holds for each of `names`; `undefined` when it is refused. */
function byPostern(
  text: string,
  folder: string,
  names: readonly string[],
  which: "canonical" | "expanded",
): Values | undefined {
  const { text: toml } = importSettings({
    main: { name: `${folder}/main.cf`, bytes: utf8(text) },
    configDirectory: folder,
    style: "strings",
    oursOnly: false,
  });
  if (toml === undefined) return undefined;
  const file = "/etc/postern/postern.toml";
  const settings = describeSettings({ text: toml, file, role: "tlsmgr", overrides: [] });
  const found = new Map(settings.map((setting) => [setting.name, printed(setting[which])]));
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? "(absent)"]));
}

/** Both sides on each text. Postfix sleeps before it gives up, so they run side by side. */
async function assertAlike(texts: readonly string[], how: "-n" | "-x"): Promise<void> {
  await using folder = await TempFolder.make("import");
  const folders = new PostconfFolders(folder);
  await Promise.all(texts.map(async (text) => {
    const config = await folders.make(text);
    const args = how === "-n" ? ["-n"] : ["-n", "-x"];
    const theirs = await byPostfix(config, ...args);
    const names = Object.keys(theirs ?? {});
    const ours = byPostern(text, config, names, how === "-n" ? "canonical" : "expanded");
    assertEquals(ours, theirs, JSON.stringify(text));
  }));
}

interopTest("the conversion reads odd lines as postconf does", async () => {
  await assertAlike([
    "biff=no",
    "biff = no\n\n# x\n  more\n\n   # y\n more2\nmyhostname=a\n",
    "relayhost = a # b\nmyorigin = a#b\n",
    "relayhost = a\r\n b\r\nmyorigin = x\r\n\r\n# c\r\nmydomain = y",
    "relayhost == x\nmyorigin\n = x\nmydomain\n  \v=\f x\n",
    "relayhost = \n\n\nmyorigin =\n",
    "relayhost = 1\nrelayhost = 2\nmyorigin = x\nrelayhost = 3\nrelayhost = 3\n",
    "  relayhost = x\n y\nmyorigin = z\n",
    "# c\n  relayhost = x\nmyorigin = z\n",
    "relayhost = a\n\t\n\tb\t\n\t\tc\n#\n",
    "relayhost = \"a\" 'b' \\c \\\\ {d} [e] = $$f\n",
    "\uFEFFrelayhost = a\nmyorigin = b\n",
    "relayhost = a\n \\\n b\\\nmyorigin = c\\\n",
    "cache = a\nservice = b\nsyslog_name = $cache/${service}\n",
    `relayhost = ${"long ".repeat(20_000)}\n`,
  ], "-n");
}, withoutPostern);

interopTest("the conversion refuses the lines that postconf refuses", async () => {
  await assertAlike([
    "= value\n",
    "biff\n",
    "biff no\n",
    "[service]\nx=y\n",
    "\uFEFF# c\n",
    "relayhost = a\nb c\n",
    "relayhost = a\n#\nb\n = c\n = d\n=\n",
    "\\ \n",
  ], "-n");
}, withoutPostern);

interopTest("what was converted expands to what postconf -x prints", async () => {
  const fixtures = [
    "tls_server_and_client",
    "sasl_submission",
    "null_client",
    "mail_hub",
    "instance_out",
  ].map((name) => Deno.readTextFileSync(supportPath(`../fixtures/import/${name}.main.cf`)));
  await assertAlike([
    ...fixtures,
    "relayhost = $$x ${biff?{a b}:{c}} {y}\nbiff = ${mydomain:no}\nmydomain =\n",
    "relayhost = ${mydomain?{\n  a\n# c\n  } : {\n b }}\nmydomain = x\n",
    "relayhost = ${{$compatibility_level} <level {1} ? {old} : {new}}\n",
    "cache = a\nmode = b\nsyslog_name = $cache/${mode}\nsmtpd_banner = $syslog_name\n",
  ], "-x");
}, withoutPostern);

/** Lines of main.cf in any order, most of them sensible. */
function randomMainCf(random: Random): string {
  const pick = (words: readonly string[]) => words[random(words.length)];
  const word = () => pick(["a", "b,", "c#d", "#e", "=", "{f}", "'", '"', "\\", "$$", "[g]", "é"]);
  const value = () => Array.from({ length: random(4) }, word).join(pick([" ", "\t", "  ", " \r"]));
  const name = () => pick(["relayhost", "myorigin", "mydomain", "syslog_name", "mynetworks"]);
  const line = () => {
    switch (random(12)) {
      case 0:
        return pick(["", " ", "\t", "\r", " \f\v"]);
      case 1:
        return pick(["# c", "  # c", "#", "\t#a = b"]);
      case 2:
      case 3:
      case 4:
        return `${pick([" ", "\t", "\v"])}${value()}`;
      case 5:
        return random(4) === 0 ? `${name()} ${value()}` : `${name()}=${value()}`;
      default:
        return `${name()}${pick(["", " ", "\t"])}=${pick(["", " "])}${value()}${pick(["", " \r"])}`;
    }
  };
  const lines = Array.from({ length: 1 + random(12) }, line);
  return lines.join("\n") + pick(["", "\n"]);
}

interopTest("the conversion reads files made at random as postconf does", async () => {
  for (let round = 0; round < 8; round++) {
    const texts = Array.from({ length: 20 }, (_, i) => randomMainCf(seededRandom(20 * round + i)));
    await assertAlike(texts, "-n");
  }
}, withoutPostern);

interopTest("the conversion reads options in master.cf as postconf -P does", async () => {
  const fixture = Deno.readTextFileSync(supportPath("../fixtures/import/proxies.master.cf"));
  const start = "tlsproxy unix - - n - 0 tlsproxy";
  const texts = [
    fixture,
    `${start} -o relayhost=a -omyorigin=b -o { mydomain = c d }\n`,
    `${start}\n  -o relayhost=a\n# c\n#  -o relayhost=z\n\n\t-o {myorigin=b}\n`,
    `${start} -vo relayhost=a -v {-o} {myorigin=b}\n`,
    `${start} -o relayhost=1 -o relayhost=2\n${start} -o relayhost=3\n`,
    `${start} -o relayhost={a} -o { myorigin = \${x?{y z}} }\n`,
  ];
  await using folder = await TempFolder.make("import");
  const folders = new PostconfFolders(folder);
  for (const text of texts) {
    const theirs = await byPostfix(await folders.make("biff = no\n", text), "-P");
    assert(theirs !== undefined);
    const findings = new FindingList("master.cf");
    const ours = readMasterCf(utf8(text), findings).flatMap(({ name, type, options }) =>
      options.flatMap((option) =>
        option.kind === "parameter" ? [[`${name}/${type}/${option.name}`, option.value]] : []
      )
    );
    assertEquals(findings.hasErrors(), false);
    const expected = Object.entries(theirs).filter(([key]) => /\/(?:relay|my|syslog)/.test(key));
    const mine = new Map(ours.map(([key, value]) => [key, printed(value)]));
    for (const [key, value] of expected) {
      if (!key.startsWith("submission/") && !key.startsWith("smtpd/")) {
        assertEquals(mine.get(key), value, key);
      }
    }
    assert(expected.length > 0);
  }
}, withoutPostern);

interopTest("the system's own main.cf and master.cf convert to a file without errors", async () => {
  const main = "/etc/postfix/main.cf";
  const master = ["--master", "/etc/postfix/master.cf"];
  const { stdout: settings } = await runCommand("/usr/sbin/postconf", ["-n"]);
  const { stdout: defaults } = await runCommand("/usr/sbin/postconf", ["-d"]);
  const runs: [args: string[], input: string | undefined][] = [
    [[main], undefined],
    [[...master, main], undefined],
    [[...master, "--style", "native", "--ours-only", main], undefined],
    [[...master, "-"], settings],
    [["-"], defaults],
    [["--style", "native", "-"], defaults],
  ];
  for (const [args, input] of runs) {
    const command = ["config", "import", ...args];
    const imported = await runCommand(posternBinary(), command, { input: input ?? "" });
    assertEquals(imported.code, 0, imported.stderr);
    const check = await runCommand(posternBinary(), ["config", "check", "--config", "-"], {
      input: imported.stdout,
    });
    assertEquals(check.code, 0, check.stderr);
  }
});
