import { assertEquals } from "@std/assert";
import { makeGate, openGate, waitAtGate } from "../../../lib/daemon/gate.ts";

Deno.test("waitAtGate() passes an open gate, and the first word about it counts", () => {
  const serve = makeGate();
  openGate(serve, "serve");
  openGate(serve, "leave");
  assertEquals(waitAtGate(serve), "serve");
  const leave = makeGate();
  openGate(leave, "leave");
  openGate(leave, "serve");
  assertEquals([waitAtGate(leave), waitAtGate(leave)], ["leave", "leave"]);
});
