/**
 * A role whose settings file was named by a relative path.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { posternBinary, toToml } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";

Deno.test("a role finds its settings file again from the folder it works in", async () => {
  await using folder = await TempFolder.make("rel");
  await Deno.mkdir(folder.file("queue"));
  const text = toToml({
    queue_directory: folder.file("queue"),
    service: { user: "", tlsmgr: { socket: folder.file("tlsmgr") } },
  });
  await folder.write("postern.toml", text);
  const args = ["--role", "tlsmgr", "--config", "postern.toml"];
  await using role = startProcess(posternBinary(), args, { cwd: folder.path });
  await role.waitFor("readiness", () => /\bready\b/.test(role.stderr));
  role.signal("SIGHUP");
  await role.waitFor(
    "the reload",
    () => /: reload: the new settings are in force/.test(role.stderr),
  );
  role.signal("SIGTERM");
  assertEquals(await role.ended(), 0, role.stderr);
});
