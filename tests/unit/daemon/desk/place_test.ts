import { assertEquals } from "@std/assert";
import type { Whereabouts } from "../../../../lib/config/settings.ts";
import { controlPath, controlPaths } from "../../../../lib/daemon/desk/place.ts";

const SOCKET = "/var/spool/postfix/private/tlsproxy";

function wishes(more: Partial<Whereabouts> = {}): Whereabouts {
  return { mode: "detect", socket: SOCKET, control: "", ...more };
}

Deno.test("controlPath() is beside a socket of one's own, in /run/postern for systemd's, and nowhere for master's", () => {
  assertEquals(controlPath(wishes(), "self"), `${SOCKET}.control`);
  assertEquals(controlPath(wishes(), "systemd"), "/run/postern/tlsproxy.control");
  assertEquals(
    controlPath(wishes({ socket: "/q/private/edge" }), "systemd"),
    "/run/postern/edge.control",
  );
  assertEquals(controlPath(wishes(), "master"), undefined);
});

Deno.test("controlPath() is what the settings say, whoever opened the socket", () => {
  for (const opener of ["self", "systemd", "master"] as const) {
    assertEquals(controlPath(wishes({ control: "/x" }), opener), "/x");
    assertEquals(controlPath(wishes({ control: "off" }), opener), undefined);
  }
});

Deno.test("controlPaths() names every place where the socket may be, once", () => {
  const [own, run] = [`${SOCKET}.control`, "/run/postern/tlsproxy.control"];
  assertEquals(controlPaths(wishes()), [own, run]);
  assertEquals(controlPaths(wishes({ mode: "standalone" })), [own]);
  assertEquals(controlPaths(wishes({ mode: "systemd" })), [run]);
  assertEquals(controlPaths(wishes({ mode: "master" })), []);
  assertEquals(controlPaths(wishes({ control: "/x" })), ["/x"]);
  assertEquals(controlPaths(wishes({ mode: "master", control: "/x" })), ["/x"]);
  assertEquals(controlPaths(wishes({ control: "off" })), []);
});
