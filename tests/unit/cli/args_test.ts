import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT, FatalError } from "../../../lib/base/errors.ts";
import { HELP_TOPICS, type Invocation, readCommandLine } from "../../../lib/cli/args.ts";

const read = (line: string, name = "postern") =>
  readCommandLine(line.split(" ").filter((word) => word !== ""), name);

const NO_SETTINGS = { config: undefined, overrides: [] };

const RIGHT: readonly [line: string, invocation: Invocation][] = [
  ["--role tlsmgr", { kind: "role", role: "tlsmgr", ...NO_SETTINGS }],
  [
    "--role tlsproxy --config f.toml",
    { kind: "role", role: "tlsproxy", config: "f.toml", overrides: [] },
  ],
  [
    "--config=f.toml --role=tlsmgr",
    { kind: "role", role: "tlsmgr", config: "f.toml", overrides: [] },
  ],
  ["--role tlsmgr --config -", { kind: "role", role: "tlsmgr", config: "-", overrides: [] }],
  [
    "-o a=1 --role tlsmgr -ob=2 -o c==-3",
    { kind: "role", role: "tlsmgr", config: undefined, overrides: ["a=1", "b=2", "c==-3"] },
  ],
  ["config check", { kind: "config check", role: undefined, ...NO_SETTINGS }],
  [
    "config check --config 7 --role tlsproxy -o a=1",
    { kind: "config check", role: "tlsproxy", config: "7", overrides: ["a=1"] },
  ],
  ["demo", { kind: "demo", stay: false }],
  ["demo --stay", { kind: "demo", stay: true }],
  ["help", { kind: "help", topic: undefined }],
  ["--help", { kind: "help", topic: undefined }],
  ["-h", { kind: "help", topic: undefined }],
  ["demo --help", { kind: "help", topic: "demo" }],
  ["config check --help", { kind: "help", topic: "config" }],
  ["help config check", { kind: "help", topic: "config" }],
  ...HELP_TOPICS.map((topic) => [`help ${topic}`, { kind: "help", topic }] as const),
  ["--version", { kind: "version" }],
] as [string, Invocation][];

for (const [line, invocation] of RIGHT) {
  Deno.test(`readCommandLine() reads: ${line}`, () => assertEquals(read(line), invocation));
}

const WRONG: readonly [line: string, message: string, hint: string][] = [
  ["", "There is no command and no --role", "postern help"],
  ["--role tlsprox", 'Unknown role "tlsprox"', "Did you mean --role tlsproxy?"],
  ["--role smtpd", 'Unknown role "smtpd"', "--role tlsmgr or --role tlsproxy"],
  ["--role", "--role needs a value", "--role tlsmgr or --role tlsproxy"],
  ["--role --config x", "--role needs a value", "--role tlsmgr"],
  ["--role tlsmgr --config", "--config needs a file", "--config FILE"],
  ["--role tlsmgr -o", "-o needs a value", "-o NAME=VALUE"],
  ["--rol tlsmgr", "Unknown option --rol", "Did you mean --role?"],
  ["--role tlsmgr --confg=x", "Unknown option --confg", "Did you mean --config?"],
  ["--role tlsmgr -x", "Unknown option -x", "postern help"],
  ["tlsmgr", 'Unknown command "tlsmgr"', "postern --role tlsmgr"],
  ["dmeo", 'Unknown command "dmeo"', "Did you mean demo?"],
  ["conf", 'Unknown command "conf"', "Did you mean config?"],
  ["config", "`config` needs a second word", "config check"],
  ["config chek", 'Unknown command "config chek"', "Did you mean check?"],
  ["config check more", 'Unexpected word "more"', "postern help"],
  ["demo now", 'Unexpected word "now"', "postern help"],
  ["--version now", 'Unexpected word "now"', "postern help"],
  ["help dem", 'Unknown command "dem" after help', "Did you mean demo?"],
  ["demo --role tlsmgr", "--role does not go with demo", "postern help"],
  ["demo -o a=1", "-o does not go with demo", "postern help"],
  ["--role tlsmgr --stay", "--stay does not go with --role", "postern help"],
  ["--role tlsmgr -- more", 'Unknown command "more"', "postern help"],
];

for (const [line, message, hint] of WRONG) {
  Deno.test(`readCommandLine() refuses: postern ${line}`, () => {
    const error = assertThrows(() => read(line), FatalError);
    assertEquals([error.exitCode, error.message], [EXIT.usage, message]);
    assertStringIncludes(error.hint ?? "", hint);
  });
}

Deno.test("readCommandLine() takes the role from the program's name", () => {
  const expected: Invocation = {
    kind: "role",
    role: "tlsproxy",
    config: "f",
    overrides: ["smtpd_tls_loglevel=1"],
  };
  assertEquals(read("--config f -o smtpd_tls_loglevel=1", "tlsproxy"), expected);
  assertEquals(read("--role tlsproxy --config f -o smtpd_tls_loglevel=1", "tlsproxy"), expected);
});

Deno.test("readCommandLine() refuses a role that contradicts the program's name", () => {
  const error = assertThrows(() => read("--role tlsmgr", "tlsproxy"), FatalError);
  assertEquals(error.exitCode, EXIT.usage);
  assertStringIncludes(error.message, "contradicts the name of the program, tlsproxy");
});

Deno.test("readCommandLine() says that it cannot be run by master(8)", () => {
  const error = assertThrows(() => read("-l -n tlsmgr -t unix -u -o a=1", "tlsmgr"), FatalError);
  assertEquals(error.exitCode, EXIT.config);
  assertStringIncludes(error.message, "Cannot run tlsmgr under master(8)");
  assert(error.hint !== undefined);
});
