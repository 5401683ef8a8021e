/**
 * Random numbers beside Postfix's own tlsmgr: one exchange file, one EGD server, the same words.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { AttrClient } from "../support/attr_client.ts";
import { EgdServer } from "../support/egd_server.ts";
import { interopTest } from "../support/interop.ts";
import { posternBinary, toToml } from "../support/postern.ts";
import { type PostfixInstance, preparePostfix } from "../support/postfix.ts";
import { type RunningProcess, startProcess } from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

interface FileState {
  bytes: string;
  size: number;
  mode: number;
  uid: number | null;
}

async function stateOf(path: string): Promise<FileState> {
  const bytes = await Deno.readFile(path);
  const { mode, uid } = await Deno.stat(path);
  return { bytes: bytes.join(), size: bytes.length, mode: mode! & 0o7777, uid };
}

/** What a line of tlsmgr's says; undefined for a line of somebody else's. */
function textOf(line: string): string | undefined {
  return /postfix\/tlsmgr\[\d+\]: (.*)$/.exec(line)?.[1];
}

/** Has a seed made; master(8) starts Postfix's tlsmgr for the first one. */
async function askForSeed(socket: string): Promise<string> {
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  const { attributes } = await client.ask([["request", "seed"], ["size", "32"]]);
  assertEquals(attributes[0], ["status", "0"]);
  return attributes[1][1];
}

/** Our tlsmgr with the folders of `postfix`, run by its mail owner. */
class OurTlsmgr implements AsyncDisposable {
  readonly socket: string;
  readonly #process: RunningProcess;

  private constructor(socket: string, process: RunningProcess) {
    this.socket = socket;
    this.#process = process;
  }

  static async start(
    postfix: PostfixInstance,
    settings: Record<string, string>,
    onFailure: "continue" | "exit" = "continue",
  ): Promise<OurTlsmgr> {
    const { root, data, queue } = postfix.folders;
    // Where the mail owner can read it, wherever this tree is.
    const binary = `${root}/postern`;
    await Deno.copyFile(posternBinary(), binary);
    await Deno.chmod(binary, 0o755);
    const socket = `${data}/our_tlsmgr`;
    const config = `${root}/our_tlsmgr.toml`;
    const text = toToml({
      queue_directory: queue,
      data_directory: data,
      ...settings,
      entropy: { on_failure: onFailure },
      service: { tlsmgr: { socket, socket_mode: "0666" } },
    });
    await Deno.writeTextFile(config, text);
    const process = startProcess("setpriv", [
      ...["--reuid=postfix", "--regid=postfix", "--clear-groups"],
      ...[binary, "--role", "tlsmgr", "--config", config],
    ]);
    await process.waitFor("readiness", () => /\bready: /.test(process.stderr));
    return new OurTlsmgr(socket, process);
  }

  /** Logged texts, without the identity, and without the line of readiness. */
  get lines(): string[] {
    const texts = this.#process.stderr.split("\n").flatMap((line) => textOf(line) ?? []);
    return texts.filter((text) => !text.startsWith("ready: "));
  }

  async stop(): Promise<void> {
    this.#process.signal("SIGTERM");
    assertEquals(await this.#process.ended(), 0, this.#process.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

interopTest("Postfix's exchange file serves our tlsmgr, and ours Postfix's", async () => {
  await using postfix = await preparePostfix({ name: "prng" });
  const path = `${postfix.folders.data}/prng_exch`;
  await postfix.start();
  await askForSeed(postfix.socketPath("tlsmgr"));
  const theirs = await stateOf(path);
  const { uid } = await Deno.stat(postfix.folders.data);
  assertEquals([theirs.size, theirs.mode, theirs.uid], [1024, 0o600, uid]);
  await postfix.stop();

  const ours: FileState[] = [];
  {
    await using tlsmgr = await OurTlsmgr.start(postfix, {});
    await askForSeed(tlsmgr.socket);
    ours.push(await stateOf(path));
    await tlsmgr.stop();
    ours.push(await stateOf(path));
    assertEquals(tlsmgr.lines, []);
  }
  for (const state of ours) {
    assertEquals([state.size, state.mode, state.uid], [1024, 0o600, uid]);
  }
  assertEquals(new Set([theirs, ...ours].map(({ bytes }) => bytes)).size, 3);

  await postfix.start();
  await askForSeed(postfix.socketPath("tlsmgr"));
  const again = await stateOf(path);
  assertEquals([again.size, again.mode, again.uid], [1024, 0o600, uid]);
  assertNotEquals(again.bytes, ours[1].bytes);
  assertEquals(await postfix.maillog.problems(), []);
});

interopTest("Postfix's tlsmgr and ours ask an EGD server in the same way", async () => {
  // A folder of its own, whose path is known before the instance is prepared.
  const folder = await Deno.makeTempDir({ prefix: "postern-egd-" });
  await Deno.chmod(folder, 0o755);
  try {
    const path = `${folder}/egd`;
    await using server = EgdServer.start(path);
    await Deno.chmod(path, 0o666);
    const settings = { tls_random_source: `egd:${path}`, tls_random_bytes: "400" };
    await using postfix = await preparePostfix({ name: "egd", settings });
    await postfix.start();
    await askForSeed(postfix.socketPath("tlsmgr"));
    await postfix.stop();
    assertEquals(await postfix.maillog.problems(), []);
    await using tlsmgr = await OurTlsmgr.start(postfix, settings);
    await waitUntil("our question", () => server.received.length === 2);
    await waitUntil("our question", () => server.received[1].length === 2);
    assertEquals(server.received, [[1, 255], [1, 255]]);
    assertEquals(tlsmgr.lines, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const source of ["dev:/no/such/device", "egd:/no/such/socket"]) {
  interopTest(`Postfix's tlsmgr and ours say the same about the source ${source}`, async () => {
    const settings = { tls_random_source: source };
    await using postfix = await preparePostfix({ name: "src", settings, sessionCache: false });
    await postfix.start();
    {
      // It ends without an answer, and master(8) starts the next one.
      using _client = await AttrClient.connect(postfix.socketPath("tlsmgr"));
      await postfix.maillog.waitForLine(/tlsmgr\[\d+\]: exiting to reopen/);
    }
    const texts = (await postfix.maillog.lines()).flatMap((line) => textOf(line) ?? []);
    await postfix.stop();
    const end = texts.findIndex((text) => text.startsWith("exiting to reopen"));
    await using tlsmgr = await OurTlsmgr.start(postfix, settings, "exit");
    assertEquals(tlsmgr.lines, texts.slice(0, end + 1));
    assert(tlsmgr.lines.length === 2);
  });
}

interopTest("Postfix's tlsmgr and ours say the same when there is no source", async () => {
  const settings = { tls_random_source: "" };
  await using postfix = await preparePostfix({ name: "none", settings });
  await postfix.start();
  await askForSeed(postfix.socketPath("tlsmgr"));
  const texts = (await postfix.maillog.problems()).flatMap((line) => textOf(line) ?? []);
  await postfix.stop();
  await using tlsmgr = await OurTlsmgr.start(postfix, settings);
  assertEquals(tlsmgr.lines, texts);
  assertEquals(texts.length, 2);
});
