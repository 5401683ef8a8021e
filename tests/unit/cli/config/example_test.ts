import { assert, assertEquals } from "@std/assert";
import { exampleText } from "../../../../lib/cli/config/example.ts";
import { OWN_TABLES } from "../../../../lib/config/own_keys.ts";
import { parameterRow, PARAMETERS, ROLE_NAMES } from "../../../../lib/config/parameters.ts";
import { loadSettings, type RoleName } from "../../../../lib/config/settings.ts";
import { readToml } from "../../../../lib/config/toml_source.ts";

const SHIPPED = new URL("../../../../config/postern.toml", import.meta.url);

/** Every setting of `text` made live. */
function uncomment(text: string): string {
  return text.replace(/^#(?=[a-z])/gm, "");
}

function load(text: string, role: RoleName) {
  return loadSettings({ text, role, file: "postern.toml", overrides: [] });
}

Deno.test("config/postern.toml is what exampleText() makes; `deno task docs` writes it anew", () => {
  const shipped = Deno.readTextFileSync(SHIPPED).split("\n");
  const made = exampleText().split("\n");
  // The first other line, not all of them: tables grow.
  const line = made.findIndex((text, i) => text !== shipped[i]);
  assertEquals(shipped[line], made[line]);
  assertEquals(shipped.length, made.length);
});

Deno.test("exampleText() has no findings, and lets Postfix in", () => {
  for (const role of ROLE_NAMES) {
    const { settings, findings } = load(exampleText(), role);
    assertEquals(findings, []);
    assertEquals(settings?.service.socket_mode, 0o666);
  }
});

Deno.test("exampleText() with all its settings live has no errors, and other values nowhere", () => {
  for (const role of ROLE_NAMES) {
    const { settings, findings } = load(uncomment(exampleText()), role);
    assertEquals(findings.filter(({ severity }) => severity === "error"), []);
    const expected = load(`${exampleText()}\n`, role).settings;
    assertEquals(settings?.service, expected?.service);
    assertEquals(settings?.cache, expected?.cache);
    // tlsmgr has a table of its own, which shows a level that is no default.
    const cache = { smtpd_tls_loglevel: ["cache"], tlsproxy_tls_loglevel: ["cache"] };
    assertEquals(
      settings?.parameters,
      {
        ...expected!.parameters,
        ...(role === "tlsmgr" && cache),
      } as NonNullable<typeof settings>["parameters"],
    );
  }
});

Deno.test("exampleText() holds every parameter and every key of ours just once", () => {
  const { entries, faults } = readToml(uncomment(exampleText()));
  assertEquals(faults, []);
  const found = entries.map(({ path }) => path.join("."));
  const expected = [
    ...Object.keys(PARAMETERS).filter((name) => parameterRow(name)?.readOnly !== true),
    ...[...OWN_TABLES].flatMap(([table, rows]) =>
      Object.keys(rows).map((key) => `${table}.${key}`)
    ),
    "tlsmgr.smtpd_tls_loglevel",
    "tlsproxy.smtpd_tls_loglevel",
  ];
  assertEquals(found.toSorted(), expected.toSorted());
});

Deno.test("exampleText() has a remark above each parameter, and short lines but for long values", () => {
  const lines = exampleText().split("\n");
  for (const [i, line] of lines.entries()) {
    if (/^#?tls\w* = /.test(line)) assert(lines[i - 1].startsWith("# "), line);
    if (!/^#?\w+ = /.test(line)) assert(line.length <= 100, line);
  }
});
