import { assert, assertEquals } from "@std/assert";
import { dropPages, findFilePages, findProgramPages } from "../../../lib/daemon/program_pages.ts";

const PROGRAM = "/usr/bin/postern";

interface Mapping {
  readonly access?: string;
  readonly file?: string;
  readonly anonymousKb?: number;
  readonly swapKb?: number;
}

/** A mapping of 8 kB at 4096, as proc(5) shows it. */
function mapping(
  { access = "r-xp", file = PROGRAM, anonymousKb = 0, swapKb = 0 }: Mapping,
): string {
  return `1000-3000 ${access} 00001000 fe:00 1234                       ${file}
Size:                  8 kB
Rss:                   8 kB
Anonymous:      ${String(anonymousKb).padStart(8)} kB
Swap:           ${String(swapKb).padStart(8)} kB
SwapPss:               0 kB
VmFlags: rd ex mr mw me
`;
}

const OTHER = mapping({ file: "/usr/lib/libc.so.6" });

function isTaken(wanted: Mapping): boolean {
  return findFilePages(OTHER + mapping(wanted) + OTHER, PROGRAM).length > 0;
}

Deno.test("findFilePages() takes code and constants of the file", () => {
  const text = OTHER + mapping({}) + mapping({ access: "r--p" });
  const range = { start: 0x1000n, bytes: 0x2000n };
  assertEquals(findFilePages(text, PROGRAM), [range, range]);
});

Deno.test("findFilePages() leaves what may be written, shared or is another file's", () => {
  for (const access of ["rw-p", "rwxp", "r--s", "---p"]) assertEquals(isTaken({ access }), false);
  for (const file of ["", "[heap]", `${PROGRAM} (deleted)`, `${PROGRAM}2`]) {
    assertEquals(isTaken({ file }), false, file);
  }
});

Deno.test("findFilePages() leaves mappings with a page that differs from the file", () => {
  assertEquals(isTaken({ access: "r--p", anonymousKb: 4 }), false);
  assertEquals(isTaken({ access: "r--p", swapKb: 4 }), false);
});

Deno.test("findFilePages() leaves mappings of which the kernel does not tell that", () => {
  assertEquals(findFilePages(mapping({}).replace(/^Anonymous.*\n/m, ""), PROGRAM), []);
  assertEquals(findFilePages(mapping({}).replace(/^Swap:.*\n/m, ""), PROGRAM), []);
});

Deno.test("dropPages() makes the process smaller, and it goes on", () => {
  const residentKb = () =>
    Number(/^RssFile:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
  const ranges = findProgramPages();
  assert(ranges.length >= 2);
  const before = residentKb();
  dropPages(ranges);
  assert(residentKb() < before, `fewer than ${before} kB`);
  assertEquals(findProgramPages().length, ranges.length);
});
