/** Shows each house rule a tree that breaks it, and one that does not. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import * as rules from "./rules.ts";
import { scanSource } from "./scan_source.ts";

type Rule = (tree: rules.Tree) => Iterable<rules.Complaint>;
type Files = Record<string, string>;

const tree = (files: Files): rules.Tree => new Map(Object.entries(files));

/** `wrong` must give exactly one complaint, which names `path`; `right` must give none. */
function proves(name: string, rule: Rule, wrong: Files, path: string, right: Files): void {
  Deno.test(`${name} complains about a wrong tree`, () => {
    const complaints = [...rule(tree(wrong))];
    assertEquals(complaints.length, 1, complaints.join("\n"));
    assertStringIncludes(complaints[0], path);
  });
  Deno.test(`${name} accepts a right tree`, () => assertEquals([...rule(tree(right))], []));
}

const at = "lib/net/a.ts";

proves(
  "checkFloors(), upwards,",
  rules.checkFloors,
  { [at]: `import { run } from "../daemon/run.ts";` },
  at,
  { [at]: `import { watch } from "../reactor/reactor.ts"; import { b } from "./b.ts";` },
);
proves(
  "checkFloors(), same floor,",
  rules.checkFloors,
  { "lib/tlsmgr/role.ts": `export { open } from "../tlsproxy/role.ts";` },
  "lib/tlsmgr/role.ts",
  { "lib/tlsmgr/role.ts": `export { open } from "../store/store.ts";` },
);
proves(
  "checkFloors(), types and several lines,",
  rules.checkFloors,
  { "lib/base/a.ts": `import type {\n  One,\n  Two,\n} from "../ffi/abi.ts";` },
  "lib/base/a.ts",
  { "lib/base/a.ts": `// import type { One } from "../ffi/abi.ts";` },
);
proves(
  "checkFloors(), dynamic imports,",
  rules.checkFloors,
  { "lib/base/a.ts": `await import("../cli/commands.ts");` },
  "lib/base/a.ts",
  { "main.ts": `await import("./lib/cli/commands.ts");` },
);
proves(
  "checkFloors(), rooms,",
  rules.checkFloors,
  { "lib/cellar/a.ts": `import { assert } from "../base/assert.ts";` },
  "lib/cellar/a.ts",
  { "main.ts": `import config from "./deno.json" with { type: "json" };` },
);
proves(
  "checkFloors(), packages,",
  rules.checkFloors,
  { [at]: `import fs from "node:fs";` },
  at,
  { [at]: `import { parse } from "@std/toml";` },
);
proves(
  "checkFloors(), tests and scripts,",
  rules.checkFloors,
  { [at]: `import { port } from "../../tests/support/ports.ts";` },
  at,
  { "tests/unit/net/a_test.ts": `import { port } from "../../support/ports.ts";` },
);
proves(
  "checkFfiUsers()",
  rules.checkFfiUsers,
  { "lib/tlsproxy/a.ts": `import { SSL_new } from "../ffi/openssl/ssl.ts";` },
  "lib/tlsproxy/a.ts",
  { "lib/tls/a.ts": `import { SSL_new } from "../ffi/openssl/ssl.ts";` },
);
proves(
  "checkPrivateFiles()",
  rules.checkPrivateFiles,
  { "lib/tls/a.ts": `import { rows } from "../proto/_rows.ts";` },
  "lib/tls/a.ts",
  { "lib/proto/a.ts": `import { rows } from "./_rows.ts";` },
);
proves(
  "checkDlopen()",
  rules.checkDlopen,
  { "lib/ffi/libc.ts": `const { dlopen } = Deno;` },
  "lib/ffi/libc.ts:1",
  { "lib/ffi/library.ts": `Deno.dlopen(name, symbols);`, [at]: `// dlopen is elsewhere` },
);
for (const reading of ["Date.now()", "new Date()", "performance.now()", "Date()"]) {
  proves(
    `checkClock(), ${reading},`,
    rules.checkClock,
    { [at]: `\nconst moment = ${reading};` },
    `${at}:2`,
    { "lib/base/clock.ts": reading, [at]: `new Date(seconds * 1000); "${reading}";` },
  );
}
proves(
  "checkConsole()",
  rules.checkConsole,
  { [at]: `if (bad) console.error("bad");` },
  at,
  { "lib/cli/commands.ts": `console.log(help);`, [at]: `log.error("console.error()")` },
);
proves(
  "checkFileNames(), case,",
  rules.checkFileNames,
  { "lib/net/attrChannel.ts": "" },
  "attrChannel.ts",
  { "lib/net/attr_channel.ts": "", "lib/proto/_rows.ts": "", "lib/ffi/openssl/ssl.h.ts": "" },
);
proves(
  "checkFileNames(), empty names,",
  rules.checkFileNames,
  { "lib/net/utils.ts": "" },
  "utils.ts",
  { "lib/net/socket.ts": "" },
);
proves(
  "checkHeaders()",
  rules.checkHeaders,
  { [at]: `/** Sockets. */\nexport const a = 1;\n/** @module */` },
  at,
  { [at]: `/**\n * Sockets.\n *\n * @module\n */\n` },
);
proves(
  "checkComments()",
  rules.checkComments,
  { "tests/unit/a_test.ts": `const a = 1;\n// TO` + `DO: more` },
  "tests/unit/a_test.ts:2",
  { "tests/unit/a_test.ts": `const text = "TO` + `DO";` },
);
const declared = "lib/ffi/libc/libc.h.ts";
proves(
  "checkForeignFunctions()",
  rules.checkForeignFunctions,
  {
    [declared]:
      `export const LIBC = {\n  open: { result: "i32" },\n  close: { result: "i32" },\n};`,
    "lib/ffi/libc/file.ts": `libc.open(path); // libc.close`,
  },
  "close",
  {
    [declared]: `export const LIBC = {\n  open: { result: "i32" },\n};`,
    "lib/ffi/libc/file.ts": `libc.open(path);`,
  },
);
proves(
  "checkMachinePaths()",
  rules.checkMachinePaths,
  { "README.md": "See /wo" + "rk/main for more" },
  "README.md:1",
  { "README.md": "See /usr/lib/postfix, ./wo" + "rk/main and /tmp/postern" },
);
proves(
  "checkTopLevel()",
  (files) => rules.checkTopLevel([...files.keys()]),
  { "lib": "", "package.json": "" },
  "package.json",
  { "lib": "", "main.ts": "", ".git": "" },
);
proves(
  "checkWorkers(), missing in the build,",
  (files) => rules.checkWorkers(files, []),
  { "lib/daemon/a.ts": `new Worker(new URL("./thread.ts", import.meta.url));` },
  "lib/daemon/thread.ts",
  { "lib/daemon/a.ts": `new URL("https://example.org/"); new URL("./x.txt", import.meta.url);` },
);
proves(
  "checkWorkers(), by name,",
  (files) => rules.checkWorkers(files, []),
  { "lib/tlsmgr/worker.ts": "" },
  "lib/tlsmgr/worker.ts",
  {},
);
proves(
  "checkWorkers(), included in vain,",
  (files) => rules.checkWorkers(files, ["lib/tlsmgr/worker.ts"]),
  {},
  "lib/tlsmgr/worker.ts",
  { "lib/tlsmgr/worker.ts": "" },
);
proves(
  "checkLengths()",
  rules.checkLengths,
  { [at]: "\n".repeat(rules.LINES_MAX + 1) },
  at,
  { [at]: "\n".repeat(rules.LINES_MAX), [rules.LONG_TABLES[0]]: "\n".repeat(2 * rules.LINES_MAX) },
);
proves(
  "checkDeadFiles()",
  (files) => rules.checkDeadFiles(files, ["main.ts"]),
  { "main.ts": `import "./lib/cli/a.ts";`, "lib/cli/a.ts": "", "lib/cli/b.ts": "" },
  "lib/cli/b.ts",
  {
    "main.ts": `import "./lib/cli/a.ts";`,
    "lib/cli/a.ts": `export * from "../net/c.ts";`,
    "lib/net/c.ts": "",
  },
);
proves(
  "checkStandIns(), missing,",
  rules.checkStandIns,
  { "deno.json": `{"imports":{"@std/toml":"jsr:@std/toml@1.0.8"}}` },
  "@std/toml",
  {
    "deno.json": `{"imports":{"@std/toml":"jsr:@std/toml@1.0.8"}}`,
    "scripts/closed_network/import_map.json": `{"imports":{"@std/toml":"./toml.ts"}}`,
  },
);
proves(
  "checkStandIns(), not pinned,",
  rules.checkStandIns,
  {
    "deno.json": `{"imports":{"@std/toml":"jsr:@std/toml@^1.0.8"}}`,
    "scripts/closed_network/import_map.json": `{"imports":{"@std/toml":"./toml.ts"}}`,
  },
  "@std/toml",
  {},
);

Deno.test("scanSource() tells code, comments and strings apart", () => {
  const text = [
    `const a = "// no comment"; // comment 'a`,
    `const b = /["'/]\\//.test(x) ? 4 / 2 / 1 : \`t \${"}" + \`{\`} /* x */\`; /* y`,
    `z */ export { c } from './c.ts'; import def, { type T } from "./d.ts"; import "./e.ts";`,
  ].join("\n");
  const { code, comments, imports } = scanSource(text);
  assertEquals(code.length, text.length);
  assertEquals(comments.replace(/\s+/g, " ").trim(), "// comment 'a /* y z */");
  assertEquals(code.includes("4 / 2 / 1"), true);
  assertEquals(imports, ["./c.ts", "./d.ts", "./e.ts"]);
});
