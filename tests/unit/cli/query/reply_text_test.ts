import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/base/bytes.ts";
import { BASE64, HEX } from "../../../../lib/cli/query/encoding.ts";
import {
  type Reply,
  replyJson,
  replyText,
  type ShownReply,
} from "../../../../lib/cli/query/reply_text.ts";
import type { Request } from "../../../../lib/cli/query/request.ts";
import { goldenHex } from "../../../wire/golden.ts";

const NONE = new Uint8Array(0);
const EMPTY: Reply = { status: 0, cachable: 0, timeout: 0, seed: NONE, session: NONE, key: NONE };

const LOOKUP: Request = { name: "lookup", cacheType: "smtpd", cacheId: "id" };
const TKTKEY: Request = { name: "tktkey", keyName: undefined };

function shown(request: Request, reply: Partial<Reply>, more: Partial<ShownReply> = {}) {
  return {
    request,
    reply: { ...EMPTY, ...reply },
    encoding: BASE64,
    showSecrets: false,
    ...more,
  };
}

Deno.test("replyText() shows random bytes", () => {
  const seed = shown({ name: "seed", size: 2 }, { seed: new Uint8Array([0, 255]) });
  assertEquals(replyText(seed), "status              0 (done)\nseed                AP8=\n");
  assertEquals(
    replyText({ ...seed, encoding: HEX }),
    "status              0 (done)\nseed                00FF\n",
  );
});

Deno.test("replyText() shows a policy in words, replyJson() in values", () => {
  const policy = shown({ name: "policy", cacheType: "smtp" }, { cachable: 1, timeout: 3600 });
  assertEquals(
    replyText(policy),
    "status              0 (done)\ncachable            yes\ntimeout             3600 seconds\n",
  );
  assertEquals(
    replyJson(policy),
    '{"request":"policy","status":0,"result":"ok","cachable":true,"timeout":3600}\n',
  );
});

Deno.test("replyText() and replyJson() show a session only when asked to", () => {
  const session = utf8("secret");
  const hidden = shown(LOOKUP, { session });
  assertEquals(replyText(hidden), "status              0 (done)\nsession_bytes       6\n");
  assertEquals(
    replyJson(hidden),
    '{"request":"lookup","status":0,"result":"ok","session_bytes":6}\n',
  );
  const open = { ...hidden, showSecrets: true };
  assert(replyText(open).endsWith("\nsession             c2VjcmV0\n"));
  assertEquals(JSON.parse(replyJson(open)).session, "c2VjcmV0");
});

Deno.test("replyText() and replyJson() show the bits of a ticket key only when asked to", () => {
  const key = goldenHex("ticket_key");
  const hidden = shown(TKTKEY, { key }, { encoding: HEX });
  assertEquals(
    replyText(hidden),
    "status              0 (done)\n" +
      "key_bytes           88\n" +
      "key_name            3E23327009E604AA0D2CA5E417344591\n" +
      "key_encrypts_until  2026-11-21T02:27:27Z\n",
  );
  assertEquals(JSON.parse(replyJson(hidden)), {
    request: "tktkey",
    status: 0,
    result: "ok",
    key_bytes: 88,
    key_name: "3E23327009E604AA0D2CA5E417344591",
    key_encrypts_until: 1795228047,
  });
  const text = replyText({ ...hidden, showSecrets: true });
  assert(text.endsWith(`\nkey                 ${HEX.write(key)}\n`), text);
});

Deno.test("replyText() shows no more than the size of a key that has another form", () => {
  const reply = shown(TKTKEY, { key: new Uint8Array(100) });
  assertEquals(replyText(reply), "status              0 (done)\nkey_bytes           100\n");
});

Deno.test("replyText() and replyJson() show nothing but the status of a failure", () => {
  const session = utf8("left over");
  const results: [status: number, words: string, result: string][] = [
    [-1, "nothing was found or done", "err"],
    [-2, "refused", "fail"],
    [-7, "a status that tlsmgr does not have", "unknown"],
  ];
  for (const [status, words, result] of results) {
    const failed = shown(LOOKUP, { status, session }, { showSecrets: true });
    assertEquals(replyText(failed), `status              ${status} (${words})\n`);
    assertEquals(JSON.parse(replyJson(failed)), { request: "lookup", status, result });
  }
});

Deno.test("replyText() has no more to say about updates and deletes", () => {
  for (const name of ["update", "delete"] as const) {
    const request = { name, cacheType: "smtpd", cacheId: "id", session: NONE } as Request;
    assertEquals(replyText(shown(request, {})), "status              0 (done)\n");
  }
});
