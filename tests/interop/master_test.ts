/**
 * postern as a daemon of Postfix's own master(8): a link in daemon_directory and main.cf as it is.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import type { PostfixInstance } from "../support/postfix.ts";
import { runChecked } from "../support/process.ts";
import { assertResumes, RESUMPTION_KINDS, TLS12_ID } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, runSClient, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { gone, pidOf, postfixCommand, prepareUnderMaster, setInMainCf } from "./_under_master.ts";

function stations({ ports }: PostfixInstance) {
  return {
    smtpd: { port: ports.smtpd, dialogue: SMTPD_DIALOGUE },
    postscreen: { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE },
  };
}

async function idsOf(pid: number): Promise<string[]> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return ["Uid", "Gid"].map((key) =>
    new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)![1].replaceAll("\t", " ")
  );
}

/** What the open descriptors of a process are. */
async function targetsOf(pid: number): Promise<string[]> {
  const targets: string[] = [];
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    try {
      targets.push(await Deno.readLink(`/proc/${pid}/fd/${name}`));
    } catch (error) {
      // Closed between the listing and the look.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return targets;
}

async function numberOf(flag: string, account: string): Promise<string> {
  return (await runChecked("id", [flag, account])).stdout.trim();
}

interopTest("under master(8), with main.cf alone, sessions resume of every kind", async (t) => {
  await using postfix = await prepareUnderMaster({ name: "mst" });
  await postfix.start();
  const { certificates, folders, maillog } = postfix;
  const { smtpd, postscreen } = stations(postfix);
  for (const kind of RESUMPTION_KINDS) {
    for (const [name, make] of Object.entries({ smtpd, postscreen })) {
      await t.step(`${name}: ${kind.label}`, async () => {
        await assertResumes(kind, { ca: certificates.ca, folder: folders.root, make });
      });
    }
  }

  await t.step(
    "they run as mail_owner, and hold no descriptor of master's they do not use",
    async () => {
      const uid = await numberOf("-u", "postfix");
      const gid = await numberOf("-g", "postfix");
      // The pipe that all daemons inherit, and that limits the flow of mail.
      const [qmgr] = await postfix.pidsOf("qmgr");
      const flow = await Deno.readLink(`/proc/${qmgr}/fd/3`);
      assert(flow.startsWith("pipe:"), flow);
      for (const role of ["tlsmgr", "tlsproxy"] as const) {
        const pid = await pidOf(postfix, role);
        const four = (id: string) => Array(4).fill(id).join(" ");
        assertEquals(await idsOf(pid), [four(uid), four(gid)], role);
        assertEquals(await Deno.readLink(`/proc/${pid}/cwd`), await Deno.realPath(folders.queue));
        assertEquals((await targetsOf(pid)).filter((target) => target === flow), [], role);
      }
      const cache = await Deno.stat(`${folders.data}/smtpd_scache.postern`);
      assertEquals([String(cache.uid), cache.mode! & 0o777], [uid, 0o600]);
    },
  );

  await t.step("log lines stand in maillog_file like those of Postfix's", async () => {
    await maillog.waitForLine(
      /^[A-Z][a-z]{2} [ 1-3]\d [\d:]{8} \S+ postfix\/tlsmgr\[\d+\]: ready: /,
    );
    const line = await maillog.waitForLine(
      /^[A-Z][a-z]{2} [ 1-3]\d [\d:]{8} (\S+) postfix\/tlsproxy\[\d+\]: CONNECT from /,
    );
    const [theirs] = await maillog.lines(/postfix\/postscreen\[/);
    assertEquals(line[1], theirs.split(/ +/)[3], "the host of Postfix's lines");
  });

  await t.step("postfix status finds Postfix running", async () => {
    assertEquals((await postfixCommand(postfix, "status")).code, 0);
  });
  assertEquals(await maillog.problems(), []);
});

interopTest(
  "`postfix reload` lets an open proxied session finish, and starts successors",
  async () => {
    await using postfix = await prepareUnderMaster({ name: "mrl" });
    await postfix.start();
    const { ports, certificates, folders, maillog } = postfix;
    const { smtpd, postscreen } = stations(postfix);
    const make = { ca: certificates.ca, folder: folders.root };
    await assertResumes(TLS12_ID, { ...make, make: smtpd });
    const file = `${folders.root}/before-reload.pem`;
    await runSClient({
      ...smtpd,
      ca: certificates.ca,
      version: "TLSv1.2",
      tickets: false,
      sessionOut: file,
    });
    {
      using client = await SmtpClient.connect(ports.postscreen);
      await client.startTls(await Deno.readTextFile(certificates.ca));
      await client.say("EHLO client.example.test", "250 ");
      const before = {
        tlsmgr: await pidOf(postfix, "tlsmgr"),
        tlsproxy: await pidOf(postfix, "tlsproxy"),
      };
      const reload = await postfixCommand(postfix, "reload");
      assertEquals(reload.code, 0, reload.stderr);
      await gone(before.tlsmgr);
      // The session goes on in the process that has been let go.
      await client.say("NOOP", "250 ");
      await client.say("QUIT", "221 ");
      await gone(before.tlsproxy);
      await assertResumes(TLS12_ID, { ...make, make: smtpd });
      await assertResumes(TLS12_ID, { ...make, make: postscreen });
      assertNotEquals(await pidOf(postfix, "tlsmgr"), before.tlsmgr);
      assertNotEquals(await pidOf(postfix, "tlsproxy"), before.tlsproxy);
    }
    const resumed = await runSClient({
      ...smtpd,
      ca: certificates.ca,
      version: "TLSv1.2",
      tickets: false,
      sessionIn: file,
    });
    assert(resumed.resumed, "a session survives the reload");
    assertEquals(await maillog.problems(), []);
  },
);

interopTest("`postfix stop` ends both roles at once, sessions or not", async () => {
  await using postfix = await prepareUnderMaster({ name: "mss" });
  await postfix.start();
  const { ports, certificates } = postfix;
  using client = await SmtpClient.connect(ports.postscreen);
  await client.startTls(await Deno.readTextFile(certificates.ca));
  const pids = [await pidOf(postfix, "tlsmgr"), await pidOf(postfix, "tlsproxy")];
  const stop = await postfixCommand(postfix, "stop");
  assertEquals(stop.code, 0, stop.stderr);
  for (const pid of pids) await gone(pid);
});

interopTest("a start that fails is told in the log, and throttled by master(8)", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ smtpd_tls_cert_file: "/no/such/chain.pem" }, /\/no\/such\/chain\.pem/],
    [{ tls_random_bytes: "many" }, /tls_random_bytes/],
  ];
  for (const [index, [settings, pattern]] of cases.entries()) {
    await using postfix = await prepareUnderMaster({ name: "mth" });
    await setInMainCf(postfix, settings);
    await postfix.start();
    const { maillog } = postfix;
    const role = index === 0 ? "tlsproxy" : "tlsmgr";
    // master(8) starts a daemon when somebody connects.
    using _client = await Deno.connect({ transport: "unix", path: postfix.socketPath(role) });
    const fatal = await maillog.waitForLine(new RegExp(`postfix/${role}\\[\\d+\\]: fatal: (.*)$`));
    const told = await maillog.lines(new RegExp(`postfix/${role}\\[`));
    assert(told.some((line) => pattern.test(line)), `${fatal[0]}\n${told.join("\n")}`);
    await maillog.waitForLine(
      new RegExp(`master\\[\\d+\\]: warning: process \\S+/${role} pid \\d+ exit status 1$`),
    );
    await maillog.waitForLine(/master\[\d+\]: warning: \S+: bad command startup -- throttling$/);
  }
});

interopTest("chroot, -o and postern.toml count as in master.cf", async (t) => {
  await using postfix = await prepareUnderMaster({
    name: "mch",
    tlsmgr: "ours",
    tlsproxy: "ours",
    services: [
      "tlsmgr unix - - y 1000? 1 tlsmgr",
      "tlsproxy unix - - y - 0 tlsproxy",
      "  -o { smtpd_tls_loglevel = 1 }",
      "  -o syslog_name=jailed",
    ],
  });
  const { certificates, folders, maillog } = postfix;
  // What the jail would hide is opened before: keys, caches outside of the queue directory.
  const main = await runChecked("/usr/sbin/postconf", [
    ...["-c", folders.config, "-h", "smtpd_tls_cert_file", "smtpd_tls_key_file"],
  ]);
  const [chain, key] = main.stdout.split("\n");
  await Deno.writeTextFile(
    `${folders.config}/postern.toml`,
    `queue_directory = "${folders.queue}"
data_directory = "${folders.data}"
smtpd_tls_security_level = "may"
smtpd_tls_loglevel = 2
smtpd_tls_cert_file = "${chain}"
smtpd_tls_key_file = "${key}"
smtpd_tls_session_cache_database = "btree:\${data_directory}/from_toml"
[service.tlsproxy]
workers = 1
`,
  );
  await postfix.start();
  const { smtpd, postscreen } = stations(postfix);
  for (const make of [smtpd, postscreen]) {
    await t.step(`sessions resume at port ${make.port}`, async () => {
      await assertResumes(TLS12_ID, { ca: certificates.ca, folder: folders.root, make });
    });
  }
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const pid = await pidOf(postfix, role);
    assertEquals(await Deno.readLink(`/proc/${pid}/root`), await Deno.realPath(folders.queue));
  }
  assert((await Deno.stat(`${folders.data}/from_toml.postern`)).isFile);
  await maillog.waitForLine(/ jailed\/tlsproxy\[\d+\]: Anonymous TLS connection established /);
  // At log level 2 it would show what the handshake does.
  assertEquals(await maillog.lines(/jailed\/tlsproxy\[\d+\]: .*SSL_accept:/), []);
  assertEquals(await maillog.problems(), []);
});

interopTest("a cache file with the wrong owner or mode stops tlsmgr with its name", async () => {
  for (const wrong of ["owner", "mode"] as const) {
    await using postfix = await prepareUnderMaster({ name: "mwp" });
    const { folders, maillog } = postfix;
    const file = `${folders.data}/smtpd_scache.postern`;
    await Deno.writeTextFile(file, "", { mode: wrong === "owner" ? 0o600 : 0o644 });
    if (wrong === "mode") {
      await Deno.chmod(file, 0o644);
      await runChecked("chown", ["postfix", file]);
    }
    await postfix.start();
    using _client = await Deno.connect({ transport: "unix", path: postfix.socketPath("tlsmgr") });
    const [, text] = await maillog.waitForLine(/postfix\/tlsmgr\[\d+\]: fatal: (.*)$/);
    assert(text.includes(file), text);
    assert(text.includes(wrong === "owner" ? "it belongs to user id 0" : "0644"), text);
    await maillog.waitForLine(/master\[\d+\]: warning: \S+: bad command startup -- throttling$/);
  }
});

interopTest("a role that crashes after a good start is started again at once", async () => {
  await using postfix = await prepareUnderMaster({ name: "mcr" });
  await postfix.start();
  const { certificates, folders, maillog } = postfix;
  const plan = { ca: certificates.ca, folder: folders.root, make: stations(postfix).smtpd };
  await assertResumes(TLS12_ID, plan);
  const pid = await pidOf(postfix, "tlsmgr");
  Deno.kill(pid, "SIGKILL");
  await maillog.waitForLine(
    /master\[\d+\]: warning: process \S+\/tlsmgr pid \d+ killed by signal 9$/,
  );
  await assertResumes(TLS12_ID, plan);
  assertNotEquals(await pidOf(postfix, "tlsmgr"), pid);
  assertEquals(await maillog.lines(/throttling/), []);
});
