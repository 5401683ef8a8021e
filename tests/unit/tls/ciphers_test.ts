import { assertEquals } from "@std/assert";
import { cipherList } from "../../../lib/tls/ciphers.ts";

const lists = { high: "HIGH-LIST", medium: "MEDIUM-LIST", null: "NULL-LIST" };

for (
  const [grade, list] of [
    ["high", "HIGH-LIST"],
    ["HIGH", "HIGH-LIST"],
    ["medium", "MEDIUM-LIST"],
    ["low", "MEDIUM-LIST"],
    ["Export", "MEDIUM-LIST"],
    ["null", "NULL-LIST"],
  ]
) {
  Deno.test(`cipherList() of the grade "${grade}"`, () => {
    assertEquals(cipherList({ grade, exclusions: [], lists }), { list });
  });
}

Deno.test("cipherList() refuses other grades", () => {
  for (const grade of ["invalid", "", "strong", "constructor"]) {
    assertEquals(cipherList({ grade, exclusions: [], lists }), {
      fault: `invalid cipher grade: "${grade}"`,
    });
  }
});

Deno.test("cipherList() adds each exclusion in order", () => {
  const exclusions = ["aNULL, MD5:kEDH+aRSA", "", " \tRC4 "];
  assertEquals(cipherList({ grade: "high", exclusions, lists }), {
    list: "HIGH-LIST:!aNULL:!MD5:!kEDH+aRSA:!RC4",
  });
});

Deno.test("cipherList() refuses exclusions that begin with an operator", () => {
  for (const token of ["!MD5", "+MD5", "-MD5", "@STRENGTH"]) {
    assertEquals(cipherList({ grade: "high", exclusions: ["aNULL", token], lists }), {
      fault: `invalid excluded cipher "${token}": it may not begin with "${token[0]}"`,
    });
  }
});
