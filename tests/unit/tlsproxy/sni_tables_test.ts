import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { filesOfMaps, readSniTables } from "../../../lib/tlsproxy/sni_tables.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const read = (...maps: string[]) => Object.fromEntries(readSniTables(maps));

Deno.test("readSniTables() reads inline tables in each form", () => {
  assertEquals(read("inline:{a.test=/a.pem, b.test=/b.pem}"), {
    "a.test": ["/a.pem"],
    "b.test": ["/b.pem"],
  });
  assertEquals(read("inline:{ {a.test = /key.pem, /chain.pem} , { B.test = /b.pem } }"), {
    "a.test": ["/key.pem", "/chain.pem"],
    "b.test": ["/b.pem"],
  });
});

Deno.test("readSniTables() reads text files as postmap does", async () => {
  await using folder = await TempFolder.make("sni");
  const path = await folder.write(
    "sni",
    [
      "# a comment",
      "a.test /a.pem",
      "",
      "  # another",
      ".b.test\t/key.pem,",
      "    /chain.pem",
      "C.test   /c1.pem /c2.pem",
    ].join("\n"),
  );
  assertEquals(read(`texthash:${path}`), {
    "a.test": ["/a.pem"],
    ".b.test": ["/key.pem", "/chain.pem"],
    "c.test": ["/c1.pem", "/c2.pem"],
  });
});

Deno.test("readSniTables() lets the first table that has a name decide", () => {
  assertEquals(read("inline:{a.test=/1.pem}", "inline:{A.test=/2.pem, b.test=/3.pem}"), {
    "a.test": ["/1.pem"],
    "b.test": ["/3.pem"],
  });
});

Deno.test("readSniTables() refuses what it cannot read, by its name", async () => {
  await using folder = await TempFolder.make("sni");
  const noFiles = await folder.write("nofiles", "a.test /a.pem\nb.test\n");
  const rows: [string, string][] = [
    ["hash:/etc/postfix/sni", '"hash:/etc/postfix/sni" is of a type that is not read here'],
    ["/etc/postfix/sni", "is of a type that is not read here"],
    ["inline:", "has no list in braces"],
    ["inline:{}", "is empty"],
    ["inline:{a.test}", '"a.test" is not of the form name=files'],
    ["inline:{=/a.pem}", "there is no name"],
    ["inline:{a.test=}", '"a.test" has no chain files'],
    ["inline:{{a.test=/a.pem}", "braces"],
    ["texthash:/nowhere/sni", 'the text file "/nowhere/sni" cannot be read'],
    [`texthash:${folder.path}`, "cannot be read"],
    [`texthash:${noFiles}`, `${noFiles}, line 2: "b.test" has no chain files`],
  ];
  for (const [map, words] of rows) {
    const error = assertThrows(() => readSniTables([map]), FatalError);
    assertStringIncludes(error.message, words);
    assert(error.message.startsWith("Cannot use tls_server_sni_maps: "));
    assertEquals([error.exitCode, error.hint !== undefined], [78, true]);
  }
});

Deno.test("filesOfMaps() names the tables that stand in files", () => {
  const maps = ["inline:{ a.example=/a.pem }", "texthash:/etc/sni", "texthash:other:file"];
  assertEquals(filesOfMaps(maps), ["/etc/sni", "other:file"]);
});
