import { assert, assertEquals } from "@std/assert";
import { latin1, utf8 } from "../../../../lib/base/bytes.ts";
import { askDesk, readAnswer } from "../../../../lib/cli/desk/ask.ts";
import { readOutcome } from "../../../../lib/cli/reload/reload.ts";
import { readStatus } from "../../../../lib/cli/status/look.ts";
import { FatalError } from "../../../../lib/base/errors.ts";
import { TempFolder } from "../../../support/temp_folder.ts";
import { assertThrows } from "@std/assert";

Deno.test("readAnswer() takes a whole answer, whatever status it has", () => {
  const body = "n\u00e4mlich\n";
  const text = `HTTP/1.1 409 Conflict\r\nContent-Type: x\r\ncontent-length: ${
    utf8(body).length
  }\r\n\r\n`;
  assertEquals(readAnswer(utf8(text + body)), { status: 409, body });
});

Deno.test("readAnswer() does not believe half an answer, or somebody else", () => {
  for (
    const text of [
      "",
      "220 mail.example ESMTP\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
      "HTTP/1.1 200 OK\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 2",
    ]
  ) {
    assert("why" in readAnswer(latin1(text)), text);
  }
});

Deno.test("askDesk() gives up when a service never answers", async () => {
  await using folder = await TempFolder.make("ask");
  const path = folder.file("socket");
  using listener = Deno.listen({ transport: "unix", path });
  const accepted = listener.accept();
  const question = { method: "GET", target: "/status", limitMs: 10 } as const;
  assertEquals(await askDesk(path, question), { why: "there is no answer after 0.01 seconds" });
  (await accepted).close();
});

Deno.test("readOutcome() and readStatus() take what a service says, and nothing else", () => {
  assertEquals(readOutcome("x", '{"fault":null,"lines":["a"]}'), {
    fault: undefined,
    lines: ["a"],
  });
  assertEquals(readOutcome("x", '{"fault":"b","lines":[]}'), { fault: "b", lines: [] });
  for (
    const body of ["", "ok", "{}", "null", '{"fault":1,"lines":[]}', '{"fault":null,"lines":2}']
  ) {
    assertThrows(() => readOutcome("x", body), FatalError, "Cannot reload x");
    assertEquals(readStatus(body), undefined);
  }
});
