import { assertEquals, assertMatch } from "@std/assert";
import { cString } from "../../../lib/ffi/memory.ts";
import { clearErrors, drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { libcrypto } from "../../../lib/ffi/openssl/openssl.ts";

function failTwice(): void {
  libcrypto.BIO_new_file(cString("/nowhere/at/all"), cString("r"));
}

Deno.test("drainErrors() words every error, oldest first, and empties the queue", () => {
  clearErrors();
  failTwice();
  const errors = drainErrors();
  assertEquals(errors.length, 2);
  assertMatch(
    errors[0],
    /^error:80000002:system library::No such file or directory:.+\.c:\d+:calling fopen\(\/nowhere\/at\/all, r\)$/,
  );
  assertMatch(errors[1], /^error:10000080:BIO routines::no such file:.+\.c:\d+:$/);
  assertEquals(drainErrors(), []);
});

Deno.test("clearErrors() forgets what earlier calls left", () => {
  failTwice();
  clearErrors();
  assertEquals(drainErrors(), []);
});
