/**
 * Spoilt settings files: whatever comes, there are settings, or errors that each name a place.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../../lib/base/bytes.ts";
import { describeOwnKeys, describeSettings } from "../../../lib/config/describe.ts";
import { COMMAND_LINE, type Finding, formatFinding } from "../../../lib/config/findings.ts";
import { importSettings } from "../../../lib/config/import/import_settings.ts";
import { loadSettings } from "../../../lib/config/settings.ts";
import { readSetups } from "../../support/config_setups.ts";
import { mutateText, pick, type Stock } from "../../support/mutate_text.ts";
import { nightly } from "../../support/nightly.ts";
import { seededRandom } from "../../support/random.ts";
import { Watchdog } from "../../support/watchdog.ts";

const INPUTS = nightly(1_200, 150_000);

const OWN = `
smtpd_tls_chain_files = ["/etc/a.pem", "/etc/b.pem"]   # two
tls_random_bytes = 64
smtpd_tls_session_cache_timeout = "1h"
tlsproxy_tls_protocols = [">=TLSv1.2"]
tls_ssl_options = 0x40000000
"odd name" = '$smtpd_tls_cert_file'
tls_server_sni_maps = { "example.com" = ["/k.pem"] }
[parameters]
cache = "x $cache_of_mine"
[tlsmgr]
smtpd_tls_loglevel = "2,cache"
[tlsproxy]
syslog_name = """\${multi_instance_name?{\\
   $multi_instance_name}:{postfix}}/edge"""
[instance.tlsproxy-relay]
role = "tlsproxy"
socket = "/run/relay"
[instance.tlsproxy-relay.parameters]
tlsproxy_client_chain_files = "/etc/relay.pem"
[service]
drain_timeout = 30
[service.tlsmgr]
socket = "/run/postern/tlsmgr"
socket_mode = "0660"
[[listener]]
name = "in"
[cache]
max_entries = 20_000
compact_ratio = 2.0
[cache.smtpd]
persist = true
[log]
destination = "stderr"
verbose = 1
`;

function makeStock(): Stock {
  const shipped = Deno.readTextFileSync(new URL("../../../config/postern.toml", import.meta.url));
  const converted = readSetups().map(({ mainCf, masterCf }, i) => {
    const { text } = importSettings({
      main: { name: "main.cf", bytes: utf8(mainCf) },
      master: { name: "master.cf", bytes: utf8(masterCf) },
      style: i % 2 === 0 ? "native" : "strings",
      oursOnly: false,
    });
    assert(text !== undefined);
    return text;
  });
  return {
    texts: [OWN, OWN, shipped, shipped.replace(/^#(?=[\w.]+ = )/gm, ""), ...converted],
    pieces: [
      ...`\n\t =#.,"'[]{}()$?:\\\0\x01\x7f`,
      ...['"""', "'''", "[[", "]]", "= ", "\r\n", "\r", "\uFEFF", "$$", "${", "}}", "$(", "🐘"],
      ...["$self", "\nself = '$self'\n", "${a?{", "${{$a} <level {3.x}}", "100$"],
      ...["\\u00e9", "\\U0001F600", "\\ud800", "\\x41", "\\\n", "1_0", "0x", "1e9", "inf", "-"],
      ...["true", "[]", "{}", "{ a = 1 }", "1979-05-27", "9223372036854775807", "3.10"],
      ...["\n[tlsproxy]\n", "\n[a.b.c]\n", "\n[[a]]\n", "\n[service]\n", "\n[cache.smtp]\n"],
      ...["\n__proto__ = 1\n", "\nconstructor.x = 1\n", "\n[instance.x]\nrole = 'tlsmgr'\n"],
      ...["a.".repeat(20), "[".repeat(20), "{a=".repeat(12), "x".repeat(300)],
    ],
  };
}

/** Options of `-o` that come along with some of the inputs. */
const OVERRIDES = ["max_use=1", "syslog_name=$x", "noequals", "=x", "a b=c", "tls_random_bytes=${"];

function checkFinding(finding: Finding, text: string): void {
  const line = formatFinding(finding);
  // deno-lint-ignore no-control-regex -- nothing of a file may steer a terminal
  assert(!/[\x00-\x1f\x7f]/.test(line), line);
  assert(line.length < 2_000, line);
  assert(finding.message !== "" && /^[A-Z"]/.test(finding.message), line);
  if (finding.severity !== "error" || finding.file === COMMAND_LINE) return;
  assert(finding.line !== undefined && finding.column !== undefined, line);
  const written = text.split("\n")[finding.line - 1];
  assert(written !== undefined && finding.column <= written.length + 1, line);
}

Deno.test("loadSettings() takes spoilt files, or refuses them with a place for each error", () => {
  const stock = makeStock();
  const count = { taken: 0, refused: 0 };
  using watchdog = nightly(0, 1) ? new Watchdog("loadSettings()") : undefined;
  for (let seed = 0; seed < INPUTS; seed++) {
    watchdog?.reached(seed);
    const random = seededRandom(seed + 1);
    const text = mutateText(random, stock);
    const role = pick(random, ["tlsmgr", "tlsproxy"] as const);
    const overrides = random(4) === 0 ? [pick(random, OVERRIDES)] : [];
    const request = { text, file: "/etc/postern.toml", role, overrides };
    try {
      const { settings, findings } = loadSettings(request);
      const errors = findings.filter(({ severity }) => severity === "error");
      assertEquals(settings === undefined, errors.length > 0);
      for (const finding of findings) checkFinding(finding, text);
      count[settings === undefined ? "refused" : "taken"]++;
      describeSettings(request);
      describeOwnKeys(text);
    } catch (error) {
      throw new Error(`Input ${seed}: ${JSON.stringify(text.slice(0, 2_000))}`, { cause: error });
    }
  }
  // Both ways have to be gone.
  assert(count.taken > INPUTS / 20 && count.refused > INPUTS / 4, JSON.stringify(count));
});
