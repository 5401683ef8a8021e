import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answerFor, type DoorRights, type Subject } from "../../../../lib/daemon/desk/routes.ts";
import type { Reply } from "../../../../lib/daemon/desk/reply.ts";
import type { ServiceState, Status } from "../../../../lib/daemon/desk/status.ts";

const METRICS: DoorRights = { mayControl: false, isPort: true };
const CONTROL: DoorRights = { mayControl: true, isPort: false };

class FakeSubject implements Subject {
  state: ServiceState = "serving";
  well = true;
  fault: string | undefined;
  reloads = 0;

  isWell() {
    return Promise.resolve(this.well);
  }

  metrics() {
    return "postern_x 1\n";
  }

  status() {
    return Promise.resolve({ role: "tlsmgr" } as Status);
  }

  reload() {
    this.reloads++;
    return Promise.resolve({ fault: this.fault, lines: ["a line"] });
  }
}

function ask(
  subject: Subject,
  rights: DoorRights,
  what: string,
  host: string | undefined = "localhost",
): Promise<Reply> {
  const [method, path] = what.split(" ");
  return answerFor(subject, rights)({ method, path, host });
}

Deno.test("both doors show the numbers, and whether the service is well and ready", async () => {
  const subject = new FakeSubject();
  for (const rights of [METRICS, CONTROL]) {
    for (const method of ["GET", "HEAD"]) {
      assertEquals(await ask(subject, rights, `${method} /metrics`), {
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: "postern_x 1\n",
      });
      assertEquals((await ask(subject, rights, `${method} /healthz`)).status, 200);
      assertEquals((await ask(subject, rights, `${method} /readyz`)).status, 200);
    }
  }
});

Deno.test("/healthz is 503 while a thread is stuck, /readyz while nothing is accepted", async () => {
  const subject = new FakeSubject();
  subject.well = false;
  assertEquals((await ask(subject, METRICS, "GET /healthz")).status, 503);
  assertEquals((await ask(subject, METRICS, "GET /readyz")).status, 200);
  subject.well = true;
  for (const state of ["starting", "draining"] as const) {
    subject.state = state;
    const { status, body } = await ask(subject, METRICS, "GET /readyz");
    assertEquals([status, body], [503, `${state}\n`]);
    assertEquals((await ask(subject, METRICS, "GET /healthz")).status, 200);
  }
});

Deno.test("the metrics door has no way to change anything, nor to see the status", async () => {
  const subject = new FakeSubject();
  for (const what of ["POST /reload", "GET /reload", "GET /status", "GET /", "GET /toString"]) {
    assertEquals((await ask(subject, METRICS, what)).status, 404, what);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "get"]) {
    const { status, allow } = await ask(subject, METRICS, `${method} /metrics`);
    assertEquals([status, allow], [405, "GET, HEAD"], method);
  }
  assertEquals(subject.reloads, 0);
});

Deno.test("a port answers nobody who came by another name", async () => {
  const subject = new FakeSubject();
  assertEquals((await ask(subject, METRICS, "GET /metrics", "evil.example")).status, 421);
  assertEquals((await ask(subject, METRICS, "GET /metrics", "127.0.0.1")).status, 200);
  const socket = { mayControl: false, isPort: false };
  assertEquals((await ask(subject, socket, "GET /metrics", "any.example")).status, 200);
});

Deno.test("the control door reloads when it is told to by POST, and says what came of it", async () => {
  const subject = new FakeSubject();
  assertEquals((await ask(subject, CONTROL, "GET /reload")).status, 405);
  assertEquals((await ask(subject, CONTROL, "POST /status")).status, 405);
  assertEquals(subject.reloads, 0);
  const done = await ask(subject, CONTROL, "POST /reload");
  assertEquals([done.status, JSON.parse(done.body)], [200, { fault: null, lines: ["a line"] }]);
  subject.fault = "the settings have errors";
  const refused = await ask(subject, CONTROL, "POST /reload");
  assertEquals(refused.status, 409);
  assertEquals(JSON.parse(refused.body), { fault: subject.fault, lines: ["a line"] });
  assertEquals(subject.reloads, 2);
  assertEquals(JSON.parse((await ask(subject, CONTROL, "GET /status")).body), { role: "tlsmgr" });
});

Deno.test("no answer lets another origin read it", async () => {
  const { encodeReply } = await import("../../../../lib/daemon/desk/reply.ts");
  const reply = await ask(new FakeSubject(), METRICS, "GET /metrics");
  const text = new TextDecoder().decode(encodeReply(reply, { withBody: true, nowS: 0 }));
  assert(!/access-control/i.test(text), text);
  assertStringIncludes(text, "\r\nX-Content-Type-Options: nosniff\r\n");
});
