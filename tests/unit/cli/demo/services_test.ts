import { assertEquals } from "@std/assert";
import { settingsText } from "../../../../lib/cli/demo/services.ts";
import { loadSettings } from "../../../../lib/config/settings.ts";

for (const path of ["/tmp/postern-demo.1", '/tmp/$HOME/"quoted" \\ and ${blank}']) {
  Deno.test(`settingsText() means the folder ${path}`, () => {
    for (const role of ["tlsmgr", "tlsproxy"] as const) {
      const { settings, findings } = loadSettings({
        text: settingsText(path),
        file: `${path}/postern.toml`,
        role,
        overrides: [],
      });
      assertEquals(findings, []);
      assertEquals(settings?.service.socket, `${path}/private/${role}`);
      assertEquals(settings?.parameters.smtpd_tls_eccert_file, `${path}/ecdsa.pem`);
    }
  });
}
