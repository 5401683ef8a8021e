import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { choosePassedSocket, takePassedSockets } from "../../../lib/daemon/activation.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import {
  bind,
  listen,
  socketPath,
  unixAddress,
  unixDatagram,
  unixStream,
} from "../../../lib/ffi/libc/socket.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FakeEnvironment } from "./_environment.ts";

function listener(path: string): number {
  const fd = unixStream();
  assertEquals(bind(fd, unixAddress(path)!), 0);
  assertEquals(listen(fd, 1), 0);
  return fd;
}

Deno.test("takePassedSockets() takes what is for this process, and unsets the variables always", () => {
  const take = (variables: Record<string, string>) => {
    const environment = new FakeEnvironment(variables);
    const sockets = takePassedSockets(environment, 77);
    assertEquals([...environment.keys()], []);
    return sockets;
  };
  assertEquals(take({}), []);
  assertEquals(take({ LISTEN_PID: "78", LISTEN_FDS: "1" }), []);
  assertEquals(take({ LISTEN_FDS: "1" }), []);
  assertEquals(take({ LISTEN_PID: "77", LISTEN_FDS: "0", LISTEN_FDNAMES: "a" }), []);
  assertEquals(take({ LISTEN_PID: "77", LISTEN_FDS: "-1" }), []);
  assertEquals(take({ LISTEN_PID: "77", LISTEN_FDS: "4000000" }), []);
});

testDescriptors(
  "choosePassedSocket() prefers the name, then the path, and closes the others",
  async () => {
    await using folder = await TempFolder.make("ac");
    const role = "tlsproxy" as const;
    const path = folder.file("b");
    for (
      const [names, expected] of [[["x", "tlsproxy"], 1], [["tlsproxy", "y"], 0], [
        ["x", "y"],
        1,
      ]] as const
    ) {
      const fds = ["a", "b"].map((name) => listener(folder.file(name)));
      const sockets = fds.map((fd, index) => ({ fd, name: names[index] }));
      const chosen = choosePassedSocket(sockets, { role, path });
      assertEquals(chosen, fds[expected]);
      assertEquals(socketPath(fds[1 - expected]), "", "the other one is closed");
      closeFile(chosen);
      for (const name of ["a", "b"]) await Deno.remove(folder.file(name));
    }
  },
);

testDescriptors(
  "choosePassedSocket() takes a single one of any name but the other role's",
  async () => {
    await using folder = await TempFolder.make("ac");
    const fd = listener(folder.file("a"));
    const choose = (name: string) =>
      choosePassedSocket([{ fd, name }], { role: "tlsmgr", path: "/elsewhere" });
    assertEquals(choose("connection"), fd);
    assertEquals(choose(""), fd);
    assertThrows(() => choose("postern-tlsproxy.socket"), FatalError, "has its name or path");
  },
);

testDescriptors("choosePassedSocket() refuses what nobody can be accepted on", () => {
  const choose = (fd: number) => () =>
    choosePassedSocket([{ fd, name: "tlsmgr" }], { role: "tlsmgr", path: "/elsewhere" });
  const datagram = unixDatagram();
  assertThrows(choose(datagram), FatalError, "it is not a stream socket");
  const deaf = unixStream();
  assertThrows(choose(deaf), FatalError, "it does not listen");
  assertThrows(choose(4095), FatalError, "Bad file descriptor");
  closeFile(datagram);
  closeFile(deaf);
});
