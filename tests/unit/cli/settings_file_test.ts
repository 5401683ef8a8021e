import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT, FatalError } from "../../../lib/base/errors.ts";
import { findFaults, loadSettingsText, readSettingsText } from "../../../lib/cli/settings_file.ts";
import { formatFinding } from "../../../lib/config/settings.ts";
import { TempFolder } from "../../support/temp_folder.ts";

async function refusal(act: (folder: TempFolder) => string | Promise<string>): Promise<FatalError> {
  await using folder = await TempFolder.make("cli");
  const path = await act(folder);
  return assertThrows(() => readSettingsText(path), FatalError);
}

Deno.test("readSettingsText() makes a path absolute and reads the text", async () => {
  await using folder = await TempFolder.make("cli");
  await folder.write("a.toml", "ü = 1\n");
  const before = Deno.cwd();
  Deno.chdir(folder.path);
  try {
    const { name, text } = readSettingsText("a.toml");
    assertEquals([name, text], [`${Deno.cwd()}/a.toml`, "ü = 1\n"]);
  } finally {
    Deno.chdir(before);
  }
});

Deno.test("readSettingsText() says that a file is missing", async () => {
  const error = await refusal((folder) => folder.file("none.toml"));
  assertEquals(error.exitCode, EXIT.noInput);
  assertStringIncludes(error.message, 'none.toml": no such file');
});

Deno.test("readSettingsText() says that a path is a folder", async () => {
  const error = await refusal((folder) => folder.path);
  assertEquals(error.exitCode, EXIT.noInput);
  assertStringIncludes(error.message, "it is a folder");
});

Deno.test("readSettingsText() refuses an endless file", () => {
  const error = assertThrows(() => readSettingsText("/dev/zero"), FatalError);
  assertEquals(error.exitCode, EXIT.noInput);
  assertStringIncludes(error.message, "larger than");
});

Deno.test("readSettingsText() refuses what is not UTF-8", async () => {
  const error = await refusal((folder) => {
    const path = folder.file("a.toml");
    Deno.writeFileSync(path, new Uint8Array([0x61, 0xff]));
    return path;
  });
  assertEquals(error.exitCode, EXIT.config);
  assertStringIncludes(error.message, "not UTF-8");
});

Deno.test("loadSettingsText() gives settings of the role, with -o applied", () => {
  const source = { name: "/etc/x/a.toml", text: 'queue_directory = "/q"\n' };
  const overrides = ["tlsmgr_service_name=other"];
  const { settings, lines } = loadSettingsText(source, { role: "tlsmgr", overrides });
  assertEquals(lines, []);
  assertEquals(settings?.service.socket, "/q/private/other");
});

Deno.test("findFaults() finds everything for both roles, each fault once, in the file's order", () => {
  const text =
    'smtpd_tls_cert_fiel = "x"\nipc_timeout = "soon"\n[tlsproxy]\nipc_timeout = "later"\n';
  const faults = findFaults({ name: "/etc/a.toml", text }, {
    services: [{ role: "tlsproxy" }, { role: "tlsmgr" }],
    overrides: ["ipc_timeout=never"],
  });
  const expected = [
    /^\/etc\/a\.toml:1:1: warning: smtpd_tls_cert_fiel: /,
    /^\/etc\/a\.toml:2:1: error: ipc_timeout: .*"soon"/,
    /^\/etc\/a\.toml:4:1: error: tlsproxy.ipc_timeout: .*"later"/,
    /^command line: error: ipc_timeout: .*"never"/,
  ];
  const lines = faults.map(formatFinding);
  assertEquals(lines.length, expected.length, lines.join("\n"));
  for (const [i, pattern] of expected.entries()) assertMatch(lines[i], pattern);
});
