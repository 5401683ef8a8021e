/** What of the machine's own texts is understood. */

import { assert, assertEquals } from "@std/assert";
import {
  groupsNaming,
  listeningInode,
  readFreeBytes,
  readOpenFilesMax,
  thisMachine,
} from "../../../../lib/cli/doctor/machine.ts";
import { TempFolder } from "../../../support/temp_folder.ts";

Deno.test("listeningInode() takes the socket that listens, not a connection of the same name", () => {
  const table = "Num       RefCount Protocol Flags    Type St Inode Path\n" +
    "0000000000000000: 00000003 00000000 00000000 0001 03 11 /run/a b\n" +
    "0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/a b\n" +
    "0000000000000000: 00000002 00000000 00010000 0001 01 13\n";
  assertEquals(listeningInode(table, "/run/a b"), "12");
  assertEquals(listeningInode(table, "/run/a"), undefined);
});

Deno.test("readOpenFilesMax() reads the soft limit of proc(5)", () => {
  const line = (soft: string) =>
    `Max core\nMax open files            ${soft}     4096      files\n`;
  assertEquals(readOpenFilesMax(line("1024")), 1024);
  assertEquals(readOpenFilesMax(line("unlimited")), Infinity);
  assertEquals(readOpenFilesMax(""), undefined);
});

Deno.test("readFreeBytes() reads what df -P prints", () => {
  const printed = "Filesystem 1024-blocks Used Available Capacity Mounted on\n" +
    "/dev/disk one 1000 400 600 40% /var/lib\n";
  assertEquals(readFreeBytes(printed), 600 * 1024);
  assertEquals(readFreeBytes(""), undefined);
});

Deno.test("groupsNaming() knows the groups that name an account", () => {
  const group = "postfix:x:118:\npostern:x:200:a,postfix\nother:x:201:postfixx\n";
  assertEquals(groupsNaming("postfix", group), [200]);
  assertEquals(groupsNaming("nobody", group), []);
});

Deno.test("thisMachine finds the process that listens at a path", async () => {
  await using folder = await TempFolder.make("doc");
  const path = folder.file("socket");
  assertEquals(await thisMachine.listener(path), undefined);
  using listener = Deno.listen({ transport: "unix", path });
  assertEquals(listener.addr, { transport: "unix", path });
  const { processes } = (await thisMachine.listener(path))!;
  const own = processes.find(({ pid }) => pid === Deno.pid);
  assertEquals(own?.name, Deno.execPath().split("/").at(-1), JSON.stringify(processes));
});

Deno.test("thisMachine tells limits, free space and accounts", async () => {
  assert(thisMachine.openFilesMax(undefined)! > 0);
  assertEquals(thisMachine.openFilesMax(999_999_999), undefined);
  assert((await thisMachine.freeBytes("/"))! > 0);
  assertEquals(thisMachine.account("root")?.uid, 0);
  assertEquals(thisMachine.account("daemon")?.gids[0], 1);
  assertEquals(thisMachine.account("no-such-account"), undefined);
  assertEquals([thisMachine.hasGroup("root"), thisMachine.hasGroup("no-such-group")], [
    true,
    false,
  ]);
});
