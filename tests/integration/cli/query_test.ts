/**
 * `postern query` against a running tlsmgr, against something else, and against nothing.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toToml } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { Bed, WITH_DATABASE } from "../tlsmgr/_bed.ts";
import { assertRefusal, postern } from "./_run.ts";

/** What a reply says of itself, by name. */
async function ask(
  args: readonly string[],
  options: { input?: string; code?: number } = {},
): Promise<Record<string, unknown>> {
  const { input, code = 0 } = options;
  const result = await postern(["query", "--json", ...args], { input });
  assertEquals([result.code, result.stderr], [code, ""]);
  assert(result.stdout.endsWith("}\n"), result.stdout);
  return JSON.parse(result.stdout);
}

const OK = { status: 0, result: "ok" };
const ERR = { status: -1, result: "err" };
const FAIL = { status: -2, result: "fail" };

Deno.test("query asks a running tlsmgr all six requests", async (t) => {
  await using bed = await Bed.start();
  const { socket } = bed;

  await t.step("seed", async () => {
    const { seed, ...rest } = await ask([socket, "seed", "32"]);
    assertEquals(rest, { request: "seed", ...OK });
    assertEquals(atob(String(seed)).length, 32);
    const hex = await ask(["--hex", socket, "seed", "3"]);
    assertMatch(String(hex.seed), /^[0-9A-F]{6}$/);
    assertEquals(await ask([socket, "seed", "256"], { code: 2 }), { request: "seed", ...FAIL });
    assertEquals(await ask(["--", socket, "seed", "-1"], { code: 2 }), {
      request: "seed",
      ...FAIL,
    });
  });

  await t.step("policy", async () => {
    assertEquals(await ask([socket, "policy", "smtpd"]), {
      request: "policy",
      ...OK,
      cachable: true,
      timeout: 3600,
    });
    assertEquals((await ask([socket, "policy", "lmtp"])).cachable, false);
    assertEquals(await ask([socket, "policy", "pop3"], { code: 2 }), {
      request: "policy",
      ...FAIL,
    });
  });

  await t.step("update, lookup, delete", async () => {
    const entry = ["smtpd", "an id"];
    assertEquals(await ask([socket, "lookup", ...entry], { code: 1 }), {
      request: "lookup",
      ...ERR,
    });
    assertEquals(await ask([socket, "update", ...entry, "c2Vzc2lvbg=="]), {
      request: "update",
      ...OK,
    });
    assertEquals(await ask([socket, "lookup", ...entry]), {
      request: "lookup",
      ...OK,
      session_bytes: 7,
    });
    assertEquals(
      (await ask([socket, "--show-secrets", "lookup", ...entry])).session,
      "c2Vzc2lvbg==",
    );
    assertEquals(
      (await ask(["--hex", "--show-secrets", socket, "lookup", ...entry])).session,
      "73657373696F6E",
    );
    await ask(["--hex", socket, "update", ...entry, "-"], { input: "6f 74\n68 65 72\n" });
    assertEquals((await ask([socket, "--show-secrets", "lookup", ...entry])).session, "b3RoZXI=");
    assertEquals(await ask([socket, "delete", ...entry]), { request: "delete", ...OK });
    assertEquals(await ask([socket, "delete", ...entry], { code: 1 }), {
      request: "delete",
      ...ERR,
    });
    assertEquals(await ask([socket, "lookup", "lmtp", "x"], { code: 2 }), {
      request: "lookup",
      ...FAIL,
    });
  });

  await t.step("tktkey", async () => {
    const hidden = await ask([socket, "tktkey"]);
    assertEquals(Object.keys(hidden), [
      "request",
      "status",
      "result",
      "key_bytes",
      "key_name",
      "key_encrypts_until",
    ]);
    const shown = await ask([socket, "--show-secrets", "tktkey", String(hidden.key_name)]);
    assertEquals(shown.key_name, hidden.key_name);
    assertEquals(atob(String(shown.key)).slice(0, 16), atob(String(hidden.key_name)));
    await ask([socket, "tktkey", "MDEyMzQ1Njc4OWFiY2RlZg=="], { code: 1 });
    await ask([socket, "tktkey", "QUJD"], { code: 2 });
  });
});

Deno.test("query finds the socket in a settings file", async () => {
  await using bed = await Bed.start();
  const config = bed.folder.file("postern.toml");
  assertEquals((await ask(["--config", config, "policy", "smtpd"])).timeout, 3600);
  assertEquals((await ask(["--config", config, "seed", "1"])).status, 0);
});

Deno.test("query prints text for people, and no secret", async () => {
  await using bed = await Bed.start();
  await ask([bed.socket, "update", "smtpd", "id", btoa("top secret session")]);
  const lookup = await postern(["query", bed.socket, "lookup", "smtpd", "id"]);
  assertEquals(lookup, {
    code: 0,
    stdout: "status              0 (done)\nsession_bytes       18\n",
    stderr: "",
  });
  const key = await postern(["query", bed.socket, "tktkey"]);
  assertEquals(key.stdout.split("\n").map((line) => line.split(/\s+/)[0]), [
    "status",
    "key_bytes",
    "key_name",
    "key_encrypts_until",
    "",
  ]);
});

Deno.test("query serves sessions of all sizes up to the limit, and by pipe", async () => {
  await using bed = await Bed.start();
  for (const size of [0, 1, 3000, 65_536]) {
    const session = btoa("\xfb".repeat(size));
    await ask([bed.socket, "update", "smtpd", "id", "-"], { input: session });
    const found = await ask([bed.socket, "--show-secrets", "lookup", "smtpd", "id"]);
    assertEquals(found.session_bytes, size);
    assert(found.session === session, `a session of ${size} bytes comes back`);
  }
  const tooLarge = btoa("x".repeat(65_537));
  await ask([bed.socket, "update", "smtpd", "id", "-"], { input: tooLarge, code: 1 });
});

Deno.test("query says in one sentence why there is no reply, with code 69", async (t) => {
  await using folder = await TempFolder.make("query");
  const refuse = async (socket: string, why: RegExp, ...options: string[]) =>
    assertRefusal(await postern(["query", ...options, socket, "seed", "1"]), 69, why);

  await t.step("nothing is there", async () => {
    await refuse(
      folder.file("none"),
      /Cannot ask the tlsmgr at ".*none": connect to .*none: No such file/,
    );
  });

  await t.step("it is no socket", async () => {
    const path = await folder.write("file", "");
    await refuse(path, /Cannot ask the tlsmgr at ".*file": .*Connection refused/);
  });

  await t.step("the path is too long for a socket", async () => {
    await refuse(folder.file("x".repeat(120)), /a socket path has 1 to 107 bytes/);
  });

  await t.step("somebody else listens", async () => {
    await using server = serve(folder.file("other"), "protocol\0tlsproxy_protocol\0\0");
    await refuse(server.path, /this is not a tlsmgr: .*tlsproxy_protocol/);
  });

  await t.step("it closes at once", async () => {
    await using server = serve(folder.file("closing"), undefined);
    await refuse(server.path, /lost the connection/);
  });

  await t.step("it says nothing", async () => {
    await using server = serve(folder.file("silent"), "");
    await refuse(server.path, /no reply to a "seed" request in time/, "--time-limit", "1");
  });

  await t.step("its reply is none", async () => {
    const nonsense = "protocol\0tlsmgr_protocol\0\0" + "status\x000\0seed\0***\0\0";
    await using server = serve(folder.file("nonsense"), nonsense);
    await refuse(server.path, /malformed base64|nobody asked for/);
  });
});

/** A server that says `greeting` to each client; without one it closes the connection. */
function serve(path: string, greeting: string | undefined): AsyncDisposable & { path: string } {
  const listener = Deno.listen({ transport: "unix", path });
  const open: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      if (greeting === undefined) connection.close();
      else {
        open.push(connection);
        await connection.write(new TextEncoder().encode(greeting));
      }
    }
  })();
  return {
    path,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      for (const connection of open) connection.close();
    },
  };
}

Deno.test("query refuses command lines that make no sense, with code 64", async () => {
  const refuse = async (line: string, message: RegExp) =>
    assertRefusal(await postern(["query", ...line.split(" ").filter((word) => word)]), 64, message);
  await refuse("", /`postern query` needs SOCKET/);
  await refuse("/s", /There is no request/);
  await refuse("seed 32", /There is no socket before "seed"/);
  await refuse("/s sed 32", /Unknown request "sed"/);
  await refuse("/s seed x", /Cannot ask for "x" random bytes/);
  await refuse("/s seed -1", /Unknown option -1/);
  await refuse("--hex --base64 /s seed 1", /--base64 does not go with --hex/);
  await refuse("--time-limit 0 /s seed 1", /--time-limit is "0"/);
  await refuse("--time-limit soon /s seed 1", /--time-limit is "soon"/);
  await refuse("--hex /s tktkey 0", /Cannot read NAME: it is not hexadecimal/);
});

Deno.test("query --config says what is wrong with the file", async () => {
  await using folder = await TempFolder.make("query");
  const missing = await postern(["query", "--config", folder.file("none.toml"), "seed", "1"]);
  assertRefusal(missing, 66, /Cannot read settings file/);
  const config = await folder.write("bad.toml", toToml({ ...WITH_DATABASE, ipc_timeout: "never" }));
  const bad = await postern(["query", "--config", config, "seed", "1"]);
  assertRefusal(bad, 78, /Cannot find tlsmgr's socket: the settings in .*bad\.toml have errors/);
});

Deno.test("query --help is whole", async () => {
  const { code, stdout } = await postern(["query", "--help"]);
  assertEquals(code, 0);
  for (
    const word of ["seed N", "update CACHE ID DATA", "--show-secrets", "Exit codes:", "Example:"]
  ) {
    assertStringIncludes(stdout, word);
  }
});
