import { assertEquals } from "@std/assert";
import { fileGround } from "../../../lib/tlsmgr/file_ground.ts";
import { settingsFrom } from "./_setup.ts";

const as = (uid: number) => ({ effectiveUserId: () => uid });

Deno.test("fileGround() takes the user who runs the process for the owner, unless that is root", () => {
  const { parameters } = settingsFrom(`mail_owner = "daemon"`);
  assertEquals(fileGround(parameters, as(4711)).ownerUid, 4711);
  // The account that every Linux has after root: see /etc/passwd.
  assertEquals(fileGround(parameters, as(0)).ownerUid, 1);
  const unknown = settingsFrom(`mail_owner = "no-such-account"`).parameters;
  assertEquals(fileGround(unknown, as(0)).ownerUid, 0);
});

Deno.test("fileGround() knows who owns a folder, and lets the data directory be", () => {
  const data = Deno.makeTempDirSync({ prefix: "postern-ground-" });
  const { parameters } = settingsFrom(`data_directory = "${data}"`);
  const ground = fileGround(parameters, as(4711));
  assertEquals([ground.folderOwner("/"), ground.folderOwner("/no/such/folder")], [0, undefined]);
  assertEquals(ground.folderOwner(data), 4711);
  assertEquals([ground.dataDirectory, ground.mailOwner], [data, "postfix"]);
  Deno.removeSync(data);
});
