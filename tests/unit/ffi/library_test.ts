import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { openLibrary } from "../../../lib/ffi/library.ts";

const ADVICE = { hint: "Install it" };

Deno.test("openLibrary() names a library that is missing, with its advice", () => {
  const open = () => openLibrary("libnowhere.so.9", {}, ADVICE);
  const error = assertThrows(open, FatalError, "Cannot load libnowhere.so.9: ");
  assertEquals([error.hint, error.exitCode], ["Install it", 78]);
});

Deno.test("openLibrary() names a function that is missing", () => {
  const symbols = { no_such_function: { parameters: [], result: "void" } } as const;
  const open = () => openLibrary("libc.so.6", symbols, ADVICE);
  assertThrows(open, FatalError, "no_such_function");
});
