/**
 * The same clients at Postfix's tlsproxy and at ours, under the same settings: who is let in, with what,
 * and what the log says of it.
 *
 * Both get the client's connection as postscreen(8) would hand it over. The comparison is of what the
 * client sees (protocol, cipher, group, alert) and of the line about the handshake.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { beginSession, endSession } from "../../lib/cli/demo/hand_over.ts";
import { awaitAny } from "../../lib/cli/demo/waiting.ts";
import { interopTest, servedBy } from "../support/interop.ts";
import { postfixVersion } from "../support/postconf.ts";
import { startPostern } from "../support/postern.ts";
import { tlsSettings } from "../support/postfix_config.ts";
import { Testbed } from "../support/testbed.ts";
import { TlsClient } from "../support/tls_client.ts";
import { waitUntil } from "../support/wait.ts";
import { type Hello, HELLOS, SETTINGS } from "./_hellos.ts";

/** Fewer combinations would not be what this file promises. */
const COMBINATIONS_MIN = 300;

/** What a client has seen. */
interface Seen {
  readonly outcome: string;
  readonly endpoint: string;
}

let port = 20_000;

/** One session with the tlsproxy at `socket`. */
function meet(socket: string, hello: Hello): Seen {
  const endpoint = `[192.0.2.1]:${++port}`;
  const ends = beginSession(socket, { remoteEndpoint: endpoint });
  const client = new TlsClient(ends.remote, hello);
  let step = client.handshake();
  while (step === "waiting") {
    awaitAny("the server's part of the handshake", [{ fd: ends.remote }]);
    step = client.handshake();
  }
  const outcome = step === "done"
    ? `${client.protocol} ${client.cipher} ${client.temporaryKeyBits} bits`
    : `refused: ${client.errors.map((error) => error.split(":")[4]).join(", ")}`;
  client[Symbol.dispose]();
  endSession(ends);
  return { outcome, endpoint };
}

/**
 * The line about the handshake without its peer. Postfix 3.7 says nothing of the digest of a resumed
 * session; here every session is a full one.
 */
function lineOf(lines: readonly string[], endpoint: string): string {
  const from = ` TLS connection established from ${endpoint}: `;
  const line = lines.find((text) => text.includes(from));
  if (line === undefined) return "no line";
  const [before, behind] = line.split(from);
  return `${before.replace(/^.*\]: /, "")} ${behind}`;
}

interopTest("tlsproxy accepts, refuses and logs what Postfix's tlsproxy does", async (t) => {
  const names = Object.keys(SETTINGS);
  const services = names.flatMap((name, i) => [
    `tlsproxy-${i} unix - - n - 0 tlsproxy`,
    ...Object.entries(SETTINGS[name]).map(([key, value]) => `  -o { ${key} = ${value} }`),
  ]);
  await using bed = await Testbed.start({ name: "dif", services });
  const { postfix } = bed;
  const before38 = /^3\.[0-7]\./.test(await postfixVersion());
  let combinations = 0;
  let accepted = 0;

  for (const [i, name] of names.entries()) {
    await t.step(name, async () => {
      const theirs = HELLOS.map((hello) => meet(postfix.socketPath(`tlsproxy-${i}`), hello));
      const ours = await oursUnder(SETTINGS[name], i);
      const last = theirs.at(-1)!.endpoint;
      const theirLines = await waitUntil("Postfix's last line", async () => {
        const lines = await postfix.maillog.lines();
        return lines.some((line) => line.endsWith(`DISCONNECT ${last}`)) ? lines : undefined;
      });
      const differences: string[] = [];
      HELLOS.forEach((hello, at) => {
        combinations++;
        const [a, b] = [theirs[at], ours.seen[at]];
        if (!a.outcome.startsWith("refused")) accepted++;
        const wanted = [a.outcome, lineOf(theirLines, a.endpoint)];
        const got = [b.outcome, lineOf(ours.lines, b.endpoint)];
        if (wanted.join() === got.join()) return;
        differences.push(`${name} / ${hello.label}\n  Postfix: ${wanted}\n  postern: ${got}`);
      });
      assertEquals(differences.join("\n"), "");
    });
  }
  assert(combinations >= COMBINATIONS_MIN, `${combinations} combinations`);
  assert(accepted > combinations / 4, `${accepted} of ${combinations} are accepted`);
  assert(accepted < 3 * combinations / 4, `${accepted} of ${combinations} are accepted`);

  async function oursUnder(settings: Readonly<Record<string, string>>, i: number) {
    const { folders, layout, options } = postfix;
    if (servedBy("ours") === "postfix") {
      const socket = postfix.socketPath(`tlsproxy-${i}`);
      const seen = HELLOS.map((hello) => meet(socket, hello));
      const last = seen.at(-1)!.endpoint;
      await postfix.maillog.waitForLine(
        new RegExp(`DISCONNECT ${last.replace(/[[\].]/g, "\\$&")}$`),
      );
      return { seen, lines: await postfix.maillog.lines() };
    }
    await using role = await startPostern({
      role: "tlsproxy",
      socket: postfix.socketPath(`postern-${i}`),
      settingsPath: `${folders.root}/postern-${i}.toml`,
      settings: {
        compatibility_level: "3.6",
        queue_directory: folders.queue,
        data_directory: folders.data,
        ...tlsSettings(layout, options),
        // Postfix has finite-field groups in TLS 1.3 since 3.8.
        ...(before38 && { tls_ffdhe_auto_groups: "" }),
        ...settings,
      },
    });
    const seen = HELLOS.map((hello) => meet(postfix.socketPath(`postern-${i}`), hello));
    const last = seen.at(-1)!.endpoint;
    await waitUntil("our last line", () => role.log.includes(`DISCONNECT ${last}`));
    return { seen, lines: role.log.split("\n") };
  }
});
