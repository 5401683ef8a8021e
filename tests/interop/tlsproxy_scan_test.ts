/**
 * `sslscan` at postscreen(8) with Postfix's tlsproxy and with ours, under the same settings: it must find
 * the same protocols, ciphers, groups, signatures, certificates and weaknesses.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Forwarder } from "../support/forwarder.ts";
import { interopTest } from "../support/interop.ts";
import { postfixVersion } from "../support/postconf.ts";
import { runChecked } from "../support/process.ts";
import { Stations } from "../support/stations.ts";
import { TempFolder } from "../support/temp_folder.ts";

/** A server, and what of the report shows that the scan has seen it. */
interface Variant {
  readonly settings: Readonly<Record<string, string>>;
  /** Versions that are enabled. */
  readonly versions: readonly string[];
  /** The fewest ciphers of all versions together. */
  readonly ciphersMin: number;
  /** Groups of TLS 1.2 and 1.3 together. */
  readonly groups: number;
  readonly key: "EC" | "RSA";
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  usual: {
    settings: {},
    versions: ["1.0", "1.1", "1.2", "1.3"],
    ciphersMin: 100,
    groups: 10,
    key: "EC",
  },
  strict: {
    settings: {
      smtpd_tls_security_level: "encrypt",
      smtpd_tls_mandatory_protocols: ">=TLSv1.2",
      smtpd_tls_mandatory_ciphers: "high",
      smtpd_tls_mandatory_exclude_ciphers: "aNULL, kRSA, kDHE, ARIA, CAMELLIA, AESCCM",
      tls_eecdh_auto_curves: "X25519 prime256v1",
    },
    versions: ["1.2", "1.3"],
    ciphersMin: 10,
    groups: 4,
    key: "EC",
  },
  old: {
    settings: {
      smtpd_tls_eccert_file: "",
      smtpd_tls_eckey_file: "",
      smtpd_tls_protocols: "<=TLSv1.2",
      smtpd_tls_ask_ccert: "yes",
      tls_preempt_cipherlist: "yes",
      tls_medium_cipherlist: "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384",
      tls_ssl_options: "NO_TICKET",
    },
    versions: ["1.0", "1.1", "1.2"],
    ciphersMin: 5,
    // sslscan looks for groups with ciphers that this server has not.
    groups: 0,
    key: "RSA",
  },
};

interopTest("sslscan finds at our tlsproxy what it finds at Postfix's", async (t) => {
  const before38 = /^3\.[0-7]\./.test(await postfixVersion());
  // Postfix has finite-field groups in TLS 1.3 since 3.8.
  const ours = before38 ? { tls_ffdhe_auto_groups: "" } : {};
  const wanted = Object.fromEntries(
    Object.entries(VARIANTS).flatMap(([name, { settings }]) => [
      [`${name}-ours`, { side: "ours", settings: { ...ours, ...settings } } as const],
      [`${name}-theirs`, { side: "postfix", settings } as const],
    ]),
  );
  await using stations = await Stations.start(wanted, { name: "scan" });

  for (const [name, { versions, ciphersMin, groups, key }] of Object.entries(VARIANTS)) {
    await t.step(name, async () => {
      const report = await scan(stations.at(`${name}-ours`).port);
      assertEquals(report, await scan(stations.at(`${name}-theirs`).port));
      const find = (pattern: RegExp) => report.filter((line) => pattern.test(line));
      const enabled = find(/^<protocol type="tls" .* enabled="1"/)
        .map((line) => /version="([^"]+)"/.exec(line)![1]);
      assertEquals(enabled, versions);
      assertEquals(find(/^Server supports TLS Fallback SCSV$/).length, 1);
      assertEquals(find(/^<renegotiation /).length, 1);
      assertEquals(find(/^<renegotiation supported="1" secure="0"/), []);
      assertEquals(find(/^<heartbleed .* vulnerable="0"/).length, versions.length);
      assertEquals(find(/^<heartbleed .* vulnerable="1"/), []);
      assert(find(/^<cipher status=/).length >= ciphersMin, report.join("\n"));
      assertEquals(find(/^<group sslversion=/).length, groups);
      assert(find(/^<connection-signature-algorithm /).length >= 2, report.join("\n"));
      assert(find(/^<pk error="false" /).every((line) => line.includes(` type="${key}"`)));
      assert(find(/^<pk error="false" /).length > 0, report.join("\n"));
    });
  }
}, { needsPaths: ["/usr/bin/sslscan"] });

/** The lines of both reports of sslscan's; each has something that the other has not. */
async function scan(port: number): Promise<string[]> {
  await using forwarder = Forwarder.listen(port);
  await using folder = await TempFolder.make("scan");
  const xml = folder.file("report.xml");
  // deno-fmt-ignore
  const { stdout } = await runChecked("sslscan", [
    "--starttls-smtp", "--show-sigs", "--show-certificate", "--show-client-cas", "--timeout=60",
    "--no-colour", `--xml=${xml}`, `127.0.0.1:${forwarder.port}`,
  ], {
    // The machine's own settings do not decide what is tried.
    env: { OPENSSL_CONF: "/dev/null" },
  });
  assertEquals(forwarder.faults, []);
  const lines = `${stdout}\n${await Deno.readTextFile(xml)}`.split("\n");
  return lines.map((line) => line.trim().replace(`${forwarder.port}`, "PORT"));
}
