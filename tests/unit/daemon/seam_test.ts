import { assertEquals } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { EXIT, FatalError } from "../../../lib/base/errors.ts";
import { type Command, decodeCommand, encodeCommand } from "../../../lib/daemon/seam.ts";
import { failureOf } from "../../../lib/daemon/service_thread.ts";

Deno.test("a command is one line, and comes back as it went", () => {
  const commands: Command[] = [
    { kind: "drain" },
    { kind: "stop" },
    { kind: "slow", id: 1, result: 0 },
    { kind: "slow", id: 4_000_000_000_000, result: 1_048_576 },
    { kind: "slow", id: 12, result: -1 },
    { kind: "settings", at: "18446744073709551615", bytes: 65_536 },
  ];
  for (const command of commands) {
    const line = encodeCommand(command);
    assertEquals([line.indexOf("\n"), line.length > 1], [line.length - 1, true]);
    assertEquals(decodeCommand(line.slice(0, -1)), command);
  }
});

Deno.test("decodeCommand() takes nothing else for a command", () => {
  const slow = ['{"kind":"slow"}', '{"kind":"slow","id":-1,"result":0}', '{"kind":"slow","id":1}'];
  const settings = ['{"kind":"settings"}', '{"kind":"settings","at":12,"bytes":1}'];
  for (
    const line of [
      ...settings,
      "",
      "{}",
      "null",
      '{"kind":"start"}',
      '{"kind":"stop"',
      "stop",
      ...slow,
    ]
  ) {
    assertEquals(decodeCommand(line), undefined);
  }
});

Deno.test("failureOf() keeps the words of an operator's error, without a stack", () => {
  const error = new FatalError("Cannot", { hint: "Try", exitCode: EXIT.unavailable });
  assertEquals(failureOf(error), {
    kind: "failed",
    message: "Cannot",
    hint: "Try",
    exitCode: 69,
    stack: undefined,
  });
});

Deno.test("failureOf() makes a fault of postern's out of everything else, with its stack", () => {
  const bug = new Panic("Assertion failed: it holds");
  assertEquals(failureOf(bug), {
    kind: "failed",
    message: "Assertion failed: it holds",
    hint: undefined,
    exitCode: 70,
    stack: bug.stack,
  });
  assertEquals(failureOf("text"), {
    kind: "failed",
    message: "text",
    hint: undefined,
    exitCode: 70,
    stack: undefined,
  });
});

Deno.test("failureOf() makes a report that can pass between threads", () => {
  const report = failureOf(new FatalError("Cannot", { cause: () => {} }));
  assertEquals(structuredClone(report), report);
});
