import { assert, assertEquals, assertThrows } from "@std/assert";
import { assert as claim, Panic, panic, unreachable } from "../../../lib/base/assert.ts";
import { EXIT, FatalError, messageOf } from "../../../lib/base/errors.ts";

Deno.test("FatalError is a configuration error without a hint, unless told otherwise", () => {
  const error = new FatalError("Cannot do it: no reason");
  assertEquals(error.message, "Cannot do it: no reason");
  assertEquals(error.name, "FatalError");
  assertEquals(error.hint, undefined);
  assertEquals(error.exitCode, 78);
});

Deno.test("FatalError keeps hint, exit code and cause", () => {
  const cause = new Error("below");
  const error = new FatalError("Cannot", { hint: "Try", exitCode: EXIT.unavailable, cause });
  assertEquals([error.hint, error.exitCode, error.cause], ["Try", 69, cause]);
});

Deno.test("EXIT holds the numbers of sysexits.h, and a few for answers", () => {
  assertEquals(EXIT, {
    ok: 0,
    nothing: 1,
    warned: 1,
    refused: 2,
    usage: 64,
    noInput: 66,
    unavailable: 69,
    software: 70,
    config: 78,
  });
});

Deno.test("messageOf() words whatever was thrown", () => {
  assertEquals(messageOf(new TypeError("wrong")), "wrong");
  assertEquals(messageOf("text"), "text");
  assertEquals(messageOf(undefined), "undefined");
});

Deno.test("assert() is silent for true and a Panic for false", () => {
  claim(true, "holds");
  assertThrows(() => claim(false, "it holds"), Panic, "Assertion failed: it holds");
  assertThrows(() => claim(0, "it holds"), Panic);
  assertThrows(() => panic("words"), Panic, "words");
  assertThrows(() => unreachable("x" as never), Panic, "x");
});

Deno.test("a Panic is no FatalError", () => {
  assert(!(new Panic("bug") instanceof FatalError));
});
