import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { setFileCreationMask } from "../../../lib/ffi/libc/process.ts";
import { libc } from "../../../lib/ffi/libc/libc.ts";
import { accept, bind, SOCKET, unixAddress, unixStream } from "../../../lib/ffi/libc/socket.ts";
import { connectUnix } from "../../../lib/net/stream.ts";
import { UnixListener } from "../../../lib/net/unix_listener.ts";
import { openDescriptors, testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const OPTIONS = { mode: 0o600, backlog: 5 };

function refused(path: string, words: string): FatalError {
  return assertThrows(
    () => UnixListener.open(path, OPTIONS),
    FatalError,
    `Cannot listen on "${path}": ${words}`,
  );
}

testDescriptors(
  "UnixListener.open() listens, with exactly the mode that was asked for",
  async () => {
    await using folder = await TempFolder.make("listen");
    const path = folder.file("s");
    for (const mode of [0o600, 0o666, 0o660, 0o777]) {
      for (const mask of [0o000, 0o022, 0o077, 0o777]) {
        const before = setFileCreationMask(mask);
        const listener = UnixListener.open(path, { mode, backlog: 5 });
        assertEquals(setFileCreationMask(before), mask, "the mask is put back");
        assertEquals(Deno.lstatSync(path).mode! & 0o7777, mode);
        const client = connectUnix(path);
        const served = accept(listener.fd);
        assert(client >= 0 && served >= 0);
        for (const fd of [client, served]) closeFile(fd);
        listener.close();
        assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
      }
    }
  },
);

testDescriptors("UnixListener.open() gives the name to the group", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const own = Deno.statSync(folder.path);
  // Any group for the superuser, the own one for everybody else.
  const groupId = Deno.uid() === 0 ? 4321 : own.gid!;
  const listener = UnixListener.open(path, { ...OPTIONS, mode: 0o660, groupId });
  const status = Deno.lstatSync(path);
  assertEquals([status.uid, status.gid, status.mode! & 0o777], [own.uid, groupId, 0o660]);
  listener.close();
});

testDescriptors("nobody gets through a moment of open permissions", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const trace = folder.file("trace");
  const script = `
    import { UnixListener } from ${
    JSON.stringify(import.meta.resolve("../../../lib/net/unix_listener.ts"))
  };
    UnixListener.open(${JSON.stringify(path)}, { mode: 0o666, backlog: 5 }).close();
  `;
  const main = await folder.write("main.ts", script);
  // What the file system shows between the calls is what the calls say: their order is the proof.
  const strace = await canTrace();
  const deno = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", "--no-check", main];
  const [command, ...args] = strace
    ? ["strace", "-f", "-e", "trace=umask,bind,listen,chmod,fchmodat", "-o", trace, ...deno]
    : deno;
  const { code, stderr } = await new Deno.Command(command, { args, cwd: folder.path }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  if (!strace) return;
  const calls = Deno.readTextFileSync(trace).split("\n")
    .filter((line) => line.includes(path) || /umask|listen\(/.test(line))
    .map((line) => /(umask\(0?\d*|bind|listen|chmod)/.exec(line)?.[0] ?? "");
  assertMatch(calls.join(" "), /umask\(0777 bind umask\(0?\d+ listen chmod$/);
});

async function canTrace(): Promise<boolean> {
  try {
    return (await new Deno.Command("strace", { args: ["true"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

testDescriptors("UnixListener.open() takes over the name of a dead process", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const dead = unixStream();
  assertEquals(bind(dead, unixAddress(path)!), 0);
  closeFile(dead);
  const old = Deno.lstatSync(path).ino;
  const listener = UnixListener.open(path, OPTIONS);
  const client = connectUnix(path);
  assert(client >= 0);
  assert(Deno.lstatSync(path).isSocket === true, `inode ${old} was replaced by a socket`);
  closeFile(client);
  listener.close();
});

testDescriptors(
  "UnixListener.open() refuses a name that is served, and leaves it in service",
  async () => {
    await using folder = await TempFolder.make("listen");
    const path = folder.file("s");
    const listener = UnixListener.open(path, OPTIONS);
    const error = refused(path, "another process already serves it");
    assertMatch(error.hint ?? "", /^Stop that process/);
    const client = connectUnix(path);
    assert(client >= 0);
    closeFile(client);
    listener.close();
  },
);

testDescriptors("UnixListener.open() knows a busy server with a full queue for alive", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const listener = UnixListener.open(path, { mode: 0o600, backlog: 0 });
  const client = connectUnix(path);
  refused(path, "another process already serves it");
  closeFile(client);
  listener.close();
});

testDescriptors(
  "UnixListener.open() refuses files, folders and links, and leaves them there",
  async () => {
    await using folder = await TempFolder.make("listen");
    const file = await folder.write("file", "precious");
    refused(file, "a file that is not a socket is there");
    assertEquals(Deno.readTextFileSync(file), "precious");
    Deno.mkdirSync(folder.file("folder"));
    refused(folder.file("folder"), "a file that is not a socket is there");
    Deno.symlinkSync(folder.file("nowhere"), folder.file("link"));
    refused(folder.file("link"), "a file that is not a socket is there");
  },
);

testDescriptors("UnixListener.open() refuses a datagram socket of somebody else", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const other = libc.socket(SOCKET.AF_UNIX, SOCKET.SOCK_DGRAM | SOCKET.SOCK_CLOEXEC, 0);
  assertEquals(bind(other, unixAddress(path)!), 0);
  refused(path, "Protocol wrong type for socket");
  assert(Deno.lstatSync(path).isSocket);
  closeFile(other);
});

testDescriptors("UnixListener.open() refuses a path that is too long or empty", () => {
  const long = `/tmp/${"x".repeat(103)}`;
  assertEquals(long.length, 108);
  refused(long, "a socket path has 1 to 107 bytes");
  refused("", "a socket path has 1 to 107 bytes");
});

testDescriptors("UnixListener.open() says which folder is missing", async () => {
  await using folder = await TempFolder.make("listen");
  const error = refused(folder.file("private/s"), "No such file or directory");
  assertMatch(error.hint ?? "", new RegExp(`^Create the folder "${folder.path}/private"`));
  assertEquals(error.exitCode, 78);
});

Deno.test({
  name: "UnixListener.open() leaves nothing behind when it fails half way",
  // The superuser may give a file to any group.
  ignore: Deno.uid() === 0,
  async fn() {
    await using folder = await TempFolder.make("listen");
    const path = folder.file("s");
    const before = openDescriptors();
    assertThrows(() => UnixListener.open(path, { ...OPTIONS, groupId: 0 }), FatalError);
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
    assertEquals(openDescriptors(), before);
  },
});

testDescriptors(
  "UnixListener.close() keeps a name that somebody else has put in its place",
  async () => {
    await using folder = await TempFolder.make("listen");
    const path = folder.file("s");
    const first = UnixListener.open(path, OPTIONS);
    Deno.removeSync(path);
    const second = UnixListener.open(path, OPTIONS);
    first.close();
    const client = connectUnix(path);
    assert(client >= 0, "the second one is still reached");
    closeFile(client);
    second.close();
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);

    const third = UnixListener.open(path, OPTIONS);
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, "precious");
    third.close();
    assertEquals(Deno.readTextFileSync(path), "precious");
  },
);

testDescriptors("UnixListener.close() does not mind that its name has gone", async () => {
  await using folder = await TempFolder.make("listen");
  const path = folder.file("s");
  const listener = UnixListener.open(path, OPTIONS);
  Deno.removeSync(path);
  listener.close();
});
