import { assert, assertEquals } from "@std/assert";
import { loadSettings } from "../../../lib/config/settings.ts";
import { settingsLines } from "../../../lib/daemon/settings_lines.ts";

Deno.test("settingsLines() tells each setting in force, given or not", () => {
  const { settings } = loadSettings({
    text: 'smtpd_tls_loglevel = "2"\nsmtpd_tls_mandatory_ciphers = "high"\n[service.tlsmgr]\n' +
      "max_connections = 17\n[cache.smtpd]\nmax_entries = 99\n[log]\nverbose = 1\n",
    file: "/postern.toml",
    role: "tlsmgr",
    overrides: [],
  });
  assert(settings !== undefined);
  const lines = [...settingsLines(settings)];
  for (
    const line of [
      "smtpd_tls_session_cache_timeout = 3600",
      "[service.tlsmgr] max_connections = 17",
      "[cache.smtpd] max_entries = 99",
      "[log] verbose = 1",
      "[tls] enforce_req_ccert = report",
    ]
  ) assert(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
  assertEquals(lines.length, new Set(lines.map((line) => line.split(" = ")[0])).size);
});
