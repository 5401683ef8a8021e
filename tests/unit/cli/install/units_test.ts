/** The files for systemd with the facts of an installation in them. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../../lib/base/errors.ts";
import { MANUAL_PAGES } from "../../../../lib/cli/install/layout.ts";
import {
  readEmbedded,
  SHIPPED_FACTS,
  unitNames,
  unitText,
} from "../../../../lib/cli/install/units.ts";
import { EMBEDDED_FILES } from "../../../../scripts/build.ts";
import { supportPath } from "../../../support/paths.ts";

const FILES = [
  ...unitNames(["tlsmgr", "tlsproxy"]).map((name) => `systemd/${name}`),
  "sysusers.d/postern.conf",
  "tmpfiles.d/postern.conf",
];
const FACTS = {
  executable: "/opt/p/sbin/postern",
  settingsFolder: "/opt/p/etc/postern",
  queueDirectory: "/srv/queue",
  dataDirectory: "/srv/var/lib/postfix",
  mailOwner: "mailer",
};

Deno.test("unitText() with the facts that are shipped is the file itself", () => {
  for (const file of FILES) assertEquals(unitText(file, SHIPPED_FACTS), readEmbedded(file));
});

Deno.test("unitText() puts every fact in its place", () => {
  const text = FILES.map((file) => unitText(file, FACTS)).join("");
  for (
    const line of [
      "ExecStart=/opt/p/sbin/postern --role tlsmgr --config /opt/p/etc/postern/postern.toml",
      "ExecStart=/opt/p/sbin/postern --role tlsproxy --instance %i " +
      "--config /opt/p/etc/postern/postern.toml",
      "ListenStream=/srv/queue/private/tlsproxy",
      "ListenStream=/srv/queue/private/%i",
      "ReadWritePaths=-/run/postern /srv/var/lib/postfix",
      "User=mailer",
      "SocketUser=mailer",
      "d /run/postern 0750 mailer postern -",
    ]
  ) assertStringIncludes(text, `${line}\n`);
  for (const shipped of [SHIPPED_FACTS.executable, "/etc/postern/", "/var/spool/", "=postfix\n"]) {
    const left = text.replaceAll("/opt/p/etc/postern/", "");
    assert(!left.includes(shipped), shipped);
  }
});

Deno.test("unitText() refuses what systemd would take for something else", () => {
  for (const queueDirectory of ["/srv/a b", "/srv/%i", "/srv/'", "/srv/\n", ""]) {
    const facts = { ...FACTS, queueDirectory };
    assertThrows(() => unitText("systemd/postern-tlsmgr.socket", facts), FatalError);
  }
});

Deno.test("the executable carries everything along that an installation writes", () => {
  for (const file of [...FILES, ...MANUAL_PAGES.map((page) => `man/${page}`)]) {
    assert(EMBEDDED_FILES.includes(`config/${file}`), file);
  }
  for (const folder of ["systemd", "sysusers.d", "tmpfiles.d"]) {
    for (const { name } of Deno.readDirSync(supportPath(`../../config/${folder}`))) {
      assert(FILES.includes(`${folder}/${name}`), `${folder}/${name} is installed`);
    }
  }
});
