/**
 * The names of the installed Postfix against ours.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isForeignName } from "../../lib/config/foreign_names.ts";
import { parameterRow } from "../../lib/config/parameters.ts";

Deno.test("every parameter of the installed Postfix is ours or known by name", async () => {
  const { success, stdout } = await new Deno.Command("postconf", { args: ["-dH"] }).output();
  assert(success);
  const names = new TextDecoder().decode(stdout).trim().split("\n");
  assert(names.length > 900);
  const unknown = names.filter((name) => parameterRow(name) === undefined && !isForeignName(name));
  assertEquals(unknown, []);
});
