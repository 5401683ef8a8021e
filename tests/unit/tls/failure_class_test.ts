import { assertEquals } from "@std/assert";
import { alertOf, failureClassOf } from "../../../lib/tls/failure_class.ts";

/** Lines of OpenSSL 3 as they are drained from its queue. */
const ERRORS = {
  "no shared cipher": "error:0A0000C1:SSL routines::no shared cipher:../ssl/t1_lib.c:1:",
  "not TLS": "error:0A00009C:SSL routines::http request:../ssl/record/ssl3_record.c:1:",
  "unsupported protocol": "error:0A000102:SSL routines::unsupported protocol:../ssl/statem.c:1:",
  "no shared group": "error:0A000065:SSL routines::no suitable key share:../ssl/extensions.c:1:",
  "closed by peer": "error:0A000126:SSL routines::unexpected eof while reading:../ssl/rec.c:1:",
  "alert from peer": "error:0A000418:SSL routines::tlsv1 alert unknown ca:../ssl/rec.c:1:SSL alert",
  "protocol error": "error:0A0000F4:SSL routines::unexpected message:../ssl/statem.c:1:",
} as const;

Deno.test("failureClassOf() tells what OpenSSL's first error stands for", () => {
  for (const [wanted, error] of Object.entries(ERRORS)) {
    assertEquals(failureClassOf([error, ERRORS["not TLS"]]), wanted);
  }
  assertEquals(failureClassOf([]), undefined);
});

Deno.test("failureClassOf() takes the numbers of other libraries for no reasons of SSL", () => {
  // The same number, of the cryptographic library's.
  assertEquals(failureClassOf(["error:0600009C:public key routines::x:a.c:1:"]), "protocol error");
});

Deno.test("alertOf() tells the number of the peer's alert", () => {
  assertEquals(alertOf([ERRORS["alert from peer"]]), 48);
  assertEquals([alertOf([ERRORS["not TLS"]]), alertOf([])], [undefined, undefined]);
});
