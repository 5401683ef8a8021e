import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { chooseIdentity } from "../../../lib/daemon/privileges.ts";
import { findAccount, findGroup } from "../../../lib/ffi/libc/identity.ts";

const ROOT = 0;

Deno.test("findAccount() and findGroup() know what the machine's files list", () => {
  for (const line of Deno.readTextFileSync("/etc/passwd").trimEnd().split("\n")) {
    const [name, , uid, gid] = line.split(":");
    assertEquals(findAccount(name), { uid: Number(uid), gid: Number(gid) }, name);
  }
  for (const line of Deno.readTextFileSync("/etc/group").trimEnd().split("\n")) {
    const [name, , gid] = line.split(":");
    assertEquals(findGroup(name), Number(gid), name);
  }
  assertEquals([findAccount("no such one"), findGroup("no such one")], [undefined, undefined]);
});

Deno.test("chooseIdentity() keeps who is not root, and whom the settings let stay", () => {
  assertEquals(chooseIdentity({ user: "no such one", group: "" }, 1000), undefined);
  assertEquals(chooseIdentity({ user: "", group: "daemon" }, ROOT), undefined);
});

Deno.test("chooseIdentity() takes the account's group unless another one is named", () => {
  const account = findAccount("daemon");
  const group = findGroup("mail");
  assert(account !== undefined && group !== undefined);
  const { uid, gid } = account;
  assertEquals(chooseIdentity({ user: "daemon", group: "" }, ROOT), { user: "daemon", uid, gid });
  assertEquals(chooseIdentity({ user: "daemon", group: "mail" }, ROOT)?.gid, group);
});

Deno.test("chooseIdentity() refuses what is absent and what is root's", () => {
  for (
    const [user, group, message] of [
      ["no such one", "", 'the account "no such one": there is none'],
      ["root", "", 'the account "root": it is root\'s'],
      ["daemon", "no such one", 'the group "no such one": there is none'],
      ["daemon", "root", 'the group of "daemon": it is root\'s'],
    ]
  ) {
    assertThrows(() => chooseIdentity({ user, group }, ROOT), FatalError, message);
  }
});
