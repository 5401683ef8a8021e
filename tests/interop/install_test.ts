/** `postern install --postfix` on a real Postfix, and the way back. */

import { assertEquals, assertMatch } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { posternBinary, type Role } from "../support/postern.ts";
import { type PostfixInstance, preparePostfix } from "../support/postfix.ts";
import { runChecked, runCommand, type RunningProcess, startProcess } from "../support/process.ts";
import { assertResumes, TLS12_ID, TLS13_TICKET } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { TempFolder } from "../support/temp_folder.ts";

/** Sessions with smtpd(8) and postscreen(8) resume, whoever serves. */
async function assertServes({ ports, certificates, folders }: PostfixInstance): Promise<void> {
  const common = { ca: certificates.ca, folder: folders.root };
  const smtpd = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };
  await assertResumes(TLS12_ID, { ...common, make: smtpd });
  const postscreen = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };
  await assertResumes(TLS13_TICKET, { ...common, make: postscreen });
}

interopTest(
  "postern install --postfix takes a Postfix's services over, and uninstall gives them back",
  async () => {
    await using prefix = await TempFolder.make("inst");
    await using postfix = await preparePostfix({ name: "inst" });
    const master = `${postfix.folders.config}/master.cf`;
    const before = await Deno.readTextFile(master);
    const over = ["--postfix", "--postfix-folder", postfix.folders.config, "--prefix", prefix.path];
    await runChecked(posternBinary(), ["install", ...over]);
    const [binary, settings] = [
      prefix.file("sbin/postern"),
      prefix.file("etc/postern/postern.toml"),
    ];

    const start = async (role: Role): Promise<RunningProcess> => {
      const process = startProcess(binary, ["--role", role, "--config", settings]);
      // maillog_file of main.cf has become a setting, too.
      await postfix.maillog.waitForLine(new RegExp(`postfix/${role}\\[\\d+\\]: ready: `));
      return process;
    };
    {
      await using tlsmgr = await start("tlsmgr");
      await using tlsproxy = await start("tlsproxy");
      await postfix.start();
      await assertServes(postfix);
      assertEquals([await postfix.pidsOf("tlsmgr"), await postfix.pidsOf("tlsproxy")], [[], []]);
      const args = [
        "doctor",
        "--config",
        settings,
        "--main-cf",
        `${postfix.folders.config}/main.cf`,
      ];
      const { stdout } = await runCommand(binary, args);
      for (
        const check of ["keys", "caches", "entropy", "sockets", "limits", "main.cf", "master.cf"]
      ) {
        assertMatch(stdout, new RegExp(`^${check}: ok$`, "m"));
      }
      await postfix.stop();
      for (const process of [tlsproxy, tlsmgr]) {
        process.signal("SIGTERM");
        assertEquals(await process.ended(), 0, process.stderr);
      }
    }

    await runChecked(binary, ["uninstall", "--prefix", prefix.path]);
    assertEquals(await Deno.readTextFile(master), before);
    await postfix.start();
    await assertServes(postfix);
    assertEquals((await postfix.pidsOf("tlsmgr")).length, 1);
  },
);
