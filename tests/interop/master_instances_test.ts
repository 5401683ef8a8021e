/**
 * Several entries of one role in master.cf: whose settings each of them has.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import type { PostfixInstance } from "../support/postfix.ts";
import { gone, postfixCommand, prepareUnderMaster } from "./_under_master.ts";

/** Connects to each service, upon which master(8) starts it; names that their log lines begin with. */
async function namesOf(postfix: PostfixInstance, wanted: Record<string, string>): Promise<void> {
  for (const [service, name] of Object.entries(wanted)) {
    const seen = (await postfix.maillog.lines(readiness(name))).length;
    using _client = await Deno.connect({ transport: "unix", path: postfix.socketPath(service) });
    assertEquals(seen, 0, `${name} before ${service} is started`);
    await postfix.maillog.waitForLine(readiness(name));
  }
}

function readiness(name: string): RegExp {
  return new RegExp(` ${name}/tlsproxy\\[\\d+\\]: ready: `);
}

interopTest(
  "under master(8) an entry is the instance of its name, or the plain service",
  async () => {
    await using postfix = await prepareUnderMaster({
      name: "mri",
      tlsmgr: "ours",
      tlsproxy: "ours",
      services: [
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "tlsproxy unix - - n - 0 tlsproxy",
        "edge unix - - n - 0 tlsproxy",
        "relay unix - - n - 0 tlsproxy",
        "  -o { syslog_name = ${who?{$who}:{cf}}/$service_name }",
        "keys unix - - n - 0 tlsproxy",
      ],
    });
    const { folders } = postfix;
    const settings = `${folders.config}/postern.toml`;
    await Deno.writeTextFile(
      settings,
      `queue_directory = "${folders.queue}"
data_directory = "${folders.data}"
smtpd_tls_security_level = "none"
who = "toml"
syslog_name = "$who/$service_name"
[service.tlsproxy]
workers = 1
[instance.edge]
role = "tlsproxy"
[instance.edge.parameters]
syslog_name = "instance/$service_name"
[instance.relay]
role = "tlsproxy"
[instance.relay.parameters]
who = "overridden"
[instance.keys]
role = "tlsmgr"
[instance.keys.parameters]
syslog_name = "not-of-this-role"
`,
    );
    await postfix.start();
    await namesOf(postfix, {
      tlsproxy: "toml/tlsproxy",
      edge: "instance/edge",
      relay: "overridden/relay",
      keys: "toml/keys",
    });

    await Deno.remove(settings);
    const before = await postfix.pidsOf("tlsproxy");
    assertEquals((await postfixCommand(postfix, "reload")).code, 0);
    // One that has not noticed yet would take a connection, and no other be started for it.
    for (const pid of before) await gone(pid);
    await namesOf(postfix, { edge: "postfix", relay: "cf/relay" });
  },
);
