/**
 * Which files a running role opens: what it was told to, and nothing of its own in /tmp.
 *
 * A compiled Deno program with a code cache would load V8 code from a guessable name there.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { writeCertificates } from "../support/certificates.ts";
import { interopTest } from "../support/interop.ts";
import { posternBinary, type Role, toToml } from "../support/postern.ts";
import { runChecked, startProcess } from "../support/process.ts";
import { TempFolder } from "../support/temp_folder.ts";

for (const role of ["tlsmgr", "tlsproxy"] as const satisfies readonly Role[]) {
  interopTest(`${role} touches no file in /tmp that it was not told to use`, async () => {
    await using folder = await TempFolder.make("trace");
    const settings = await writeSettings(folder, role);
    const trace = folder.file("trace");
    // The tracer leaves with the program it traces, and with that program's exit code.
    await using traced = startProcess("strace", [
      ...["-f", "-qq", "-e", "trace=%file,memfd_create", "-o", trace],
      ...[posternBinary(), "--role", role, "--config", settings],
      // The tree may stand in a temporary folder itself.
    ], { cwd: folder.path });
    await traced.waitFor("readiness", () => /\bready\b/.test(traced.stderr));
    const pid = Number(/\[(\d+)\]: ready/.exec(traced.stderr)?.[1]);
    await runChecked("kill", ["-TERM", String(pid)]);
    assertEquals(await traced.ended(), 0);

    const calls = (await Deno.readTextFile(trace)).split("\n");
    assert(calls.some((call) => call.includes(settings)), "the trace shows the settings file");
    const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
    const stray = calls.filter((call) =>
      (call.includes(`"${temporary}/`) || call.includes("memfd_create")) &&
      !call.includes(folder.path) && !call.includes(posternBinary())
    );
    assertEquals(stray, []);
  });
}

/** Settings with a queue folder of its own; the path of their file. */
async function writeSettings(folder: TempFolder, role: Role): Promise<string> {
  const { rsaCertificate, rsaKey } = await writeCertificates(folder.path);
  await Deno.mkdir(folder.file("data"));
  const settings = {
    queue_directory: folder.path,
    data_directory: folder.file("data"),
    smtpd_tls_security_level: "may",
    smtpd_tls_cert_file: rsaCertificate,
    smtpd_tls_key_file: rsaKey,
    smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
    service: { user: "", [role]: { socket: folder.file(`${role}.socket`) } },
  };
  return await folder.write(`${role}.toml`, toToml(settings));
}
