import { assert, assertEquals } from "@std/assert";
import { cString } from "../../../lib/ffi/memory.ts";
import { CTRL } from "../../../lib/ffi/openssl/constants.ts";
import { clearErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { libssl } from "../../../lib/ffi/openssl/openssl.ts";
import { selectGroups } from "../../../lib/tls/groups.ts";

const all = () => true;

Deno.test("selectGroups() splits at blanks, commas and colons, and keeps the order", () => {
  assertEquals(selectGroups(["X25519, secp384r1", "", "ffdhe2048:ffdhe3072"], all), [
    "X25519",
    "secp384r1",
    "ffdhe2048",
    "ffdhe3072",
  ]);
});

Deno.test("selectGroups() drops names that are not known", () => {
  const known = (name: string) => name !== "bogus" && name !== "constructor";
  assertEquals(selectGroups(["bogus X25519 constructor bogus"], known), ["X25519"]);
  assertEquals(selectGroups(["bogus"], known), []);
  assertEquals(selectGroups([], known), []);
});

Deno.test("selectGroups() drops repeats in any case and under another name", () => {
  assertEquals(selectGroups(["X25519 x25519"], all), ["X25519"]);
  assertEquals(selectGroups(["prime256v1 P-256 secp256r1"], all), ["prime256v1"]);
  assertEquals(selectGroups(["P-521 secp521r1 P-384 secp384r1"], all), ["P-521", "P-384"]);
});

Deno.test("selectGroups() does not drop a group because OpenSSL refuses its first name", () => {
  const known = (name: string) => name !== "p-256";
  assertEquals(selectGroups(["p-256 prime256v1"], known), ["prime256v1"]);
});

Deno.test("selectGroups() makes a list that OpenSSL takes out of all names of two groups", () => {
  const context = libssl.SSL_CTX_new(libssl.TLS_server_method());
  assert(context !== null);
  const take = (list: string) => {
    const answer = libssl.SSL_CTX_ctrl_text(context, CTRL.SET_GROUPS_LIST, 0n, cString(list));
    clearErrors();
    return answer === 1n;
  };
  const names = ["163", "233", "283", "409", "571"].flatMap((bits) => [
    `K-${bits}`,
    `B-${bits}`,
    `sect${bits}k1`,
    `sect${bits}r1`,
    `sect${bits}r2`,
  ]).concat("P-192 prime192v1 secp192r1 P-224 secp224r1 P-256 prime256v1 secp256r1".split(" "))
    .concat("P-384 secp384r1 P-521 secp521r1 X25519 x25519 X448 x448 ffdhe2048".split(" "));
  const known = names.filter(take);
  assert(known.includes("P-256") && known.includes("secp256r1"));
  for (const first of known) {
    for (const second of known) {
      const list = selectGroups([first, second], take).join(":");
      assert(take(list), `"${first} ${second}" became "${list}", which OpenSSL refuses`);
    }
  }
  libssl.SSL_CTX_free(context);
});
