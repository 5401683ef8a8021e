import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { encodeFields, jsonForm } from "../../../lib/log/json_form.ts";
import type { Line, LogFields } from "../../../lib/log/line.ts";
import { parseLogLine } from "../../support/log_schema.ts";

const WARN = 30;
const TIME = new Date(Date.UTC(2026, 10, 1, 9, 5, 3, 7));
const OPTIONS = { name: "postfix/tlsproxy", pid: 1234 };

function lineOf(text: string, describe?: (fields: LogFields) => void): Line {
  return { level: WARN, text, time: TIME, about: describe && { describe } };
}

Deno.test("jsonForm() says when, how bad, who and what", () => {
  assertEquals(
    jsonForm(lineOf("something odd"), { ...OPTIONS, thread: 0 }, 4000),
    '{"schema":1,"time":"2026-11-01T09:05:03.007Z","severity":"warning","role":"tlsproxy",' +
      '"name":"postfix/tlsproxy","pid":1234,"thread":0,"message":"something odd"}',
  );
});

Deno.test("jsonForm() adds what the line is about, and leaves out what is not known", () => {
  const line = lineOf("gone", (fields) => {
    fields.session = "7";
    fields.peer = undefined;
  });
  assertEquals(parseLogLine(jsonForm(line, OPTIONS, 4000)), {
    schema: 1,
    time: "2026-11-01T09:05:03.007Z",
    severity: "warning",
    role: "tlsproxy",
    name: "postfix/tlsproxy",
    pid: 1234,
    session: "7",
    message: "gone",
  });
});

/** All that a peer can put into a name, and more. */
const HOSTILE: readonly string[] = [
  'quote " backslash \\ slash / end "}',
  Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join(""),
  "line\u2028paragraph\u2029next\u0085bom\ufeff",
  "half a pair \ud83d and the other half \udd12, whole \ud83d\udd12",
  '\r\n{"schema":1,"severity":"fatal","message":"forged"}\r\n',
  "\x1b[2J\x1b]0;title\x07",
  "\0".repeat(3000),
  "🔒".repeat(3000),
  '"'.repeat(3000),
  "é".repeat(3000),
];

Deno.test("jsonForm() writes one line of UTF-8 within its limit, whatever a peer calls itself", () => {
  const names = ["peer", "sni", "client_subject_cn", "client_issuer_cn", "error", "flight"];
  for (const text of HOSTILE) {
    for (const bytesMax of [1500, 2500, 4000]) {
      const line = lineOf(text, (fields) => {
        for (const name of names) fields[name] = text;
      });
      const form = jsonForm(line, OPTIONS, bytesMax);
      const bytes = utf8(form);
      assertEquals(fromUtf8(bytes), form);
      assert(bytes.length <= bytesMax, `${bytes.length} bytes of ${bytesMax}`);
      // deno-lint-ignore no-control-regex -- nothing of the kind may be left
      assert(!/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(form), form);
      const object = parseLogLine(form);
      const shortened = object.shortened as string[] | undefined ?? [];
      for (const name of [...names, "message"]) {
        const kept = object[name] as string;
        if (!shortened.includes(name)) assertEquals(kept, text.toWellFormed(), name);
        else assert(kept.endsWith("…") && text.toWellFormed().startsWith(kept.slice(0, -1)), name);
      }
    }
  }
});

Deno.test("encodeFields() shortens what is longest, and leaves the rest as it is", () => {
  const form = encodeFields({ a: "x".repeat(300), b: "y".repeat(100), n: 7 }, 300);
  const object = JSON.parse(form);
  assertEquals(object.b, "y".repeat(100));
  assertEquals(object.shortened, ["a"]);
  assertEquals(object.n, 7);
  assert(object.a.length >= 75, `${object.a.length} characters are left`);
});

Deno.test("encodeFields() does not cut a pair of surrogates in two", () => {
  for (let blanks = 0; blanks < 4; blanks++) {
    const form = encodeFields({ a: " ".repeat(blanks) + "🔒".repeat(200) }, 200);
    assertStringIncludes(JSON.parse(form).a, "🔒…");
  }
});
