import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT, FatalError } from "../../../lib/base/errors.ts";
import { readCommandLine } from "../../../lib/cli/args.ts";
import { COMMANDS } from "../../../lib/cli/command_table.ts";

const read = (line: string, name = "postern") =>
  readCommandLine(line.split(" ").filter((word) => word !== ""), name);

/** What is run: its words, the options that were given, its operands. */
function readRun(line: string, name?: string) {
  const invocation = read(line, name);
  assert(invocation.kind === "run", JSON.stringify(invocation));
  const { command, options, operands } = invocation;
  const given = Object.entries(options).filter(([, value]) =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
  );
  return [command.words.join(" "), Object.fromEntries(given), ...operands];
}

const RUNS: readonly [
  line: string,
  words: string,
  options: Record<string, unknown>,
  ...operands: string[],
][] = [
  ["--role tlsmgr", "", { role: "tlsmgr" }],
  ["--role tlsproxy --config f.toml", "", { role: "tlsproxy", config: "f.toml" }],
  ["--config=f.toml --role=tlsmgr", "", { role: "tlsmgr", config: "f.toml" }],
  ["--role tlsmgr --config -", "", { role: "tlsmgr", config: "-" }],
  ["--role tlsmgr --config a --config b", "", { role: "tlsmgr", config: "b" }],
  ["-o a=1 --role tlsmgr -ob=2 -o c==-3", "", {
    role: "tlsmgr",
    overrides: ["a=1", "b=2", "c==-3"],
  }],
  ["status", "status", {}],
  ["status --watch", "status", { watch: 2 }],
  ["status --watch --json", "status", { watch: 2, json: true }],
  ["status --watch 5 --role tlsmgr", "status", { watch: 5, role: "tlsmgr" }],
  ["status --watch=0.5", "status", { watch: 0.5 }],
  ["reload --instance edge", "reload", { instance: "edge" }],
  ["config check", "config check", {}],
  ["config check --config 7 --role tlsproxy -o a=1", "config check", {
    role: "tlsproxy",
    config: "7",
    overrides: ["a=1"],
  }],
  ["demo", "demo", {}],
  ["demo --stay", "demo", { stay: true }],
];

for (const [line, ...expected] of RUNS) {
  Deno.test(`readCommandLine() reads: ${line}`, () => assertEquals(readRun(line), expected));
}

const HELPS: readonly [line: string, ...topic: string[]][] = [
  ["help"],
  ["--help"],
  ["-h"],
  ["--role tlsmgr --help", "--role"],
  ["help --role", "--role"],
  ["demo --help", "demo"],
  ["demo --stay -h", "demo"],
  ["config --help", "config"],
  ["config nonsense --help", "config"],
  ["config check --help", "config", "check"],
  ["help config", "config"],
  ["help config check", "config", "check"],
  ["help --help"],
];

for (const [line, ...topic] of HELPS) {
  Deno.test(`readCommandLine() asks for help: ${line}`, () => {
    assertEquals(read(line), { kind: "help", topic });
  });
}

Deno.test("readCommandLine() reads --version", () => {
  assertEquals(read("--version"), { kind: "version" });
});

const WRONG: readonly [line: string, message: string, hint: string][] = [
  ["--role tlsprox", 'Unknown role "tlsprox"', "Did you mean --role tlsproxy?"],
  ["--role smtpd", 'Unknown role "smtpd"', "--role tlsmgr or --role tlsproxy"],
  ["--role", "--role needs a value", "--role ROLE"],
  ["--role --config x", "--role needs a value", "--role ROLE"],
  ["--role tlsmgr --config", "--config needs a value", "--config FILE"],
  ["--role tlsmgr -o", "-o needs a value", "-o NAME=VALUE"],
  ["--rol tlsmgr", "Unknown option --rol", "Did you mean --role?"],
  ["--role tlsmgr --confg=x", "Unknown option --confg", "Did you mean --config?"],
  ["--role tlsmgr -y", "Unknown option -y", "postern help"],
  ["tlsmgr", 'Unknown command "tlsmgr"', "postern --role tlsmgr"],
  ["dmeo", 'Unknown command "dmeo"', "Did you mean demo?"],
  ["conf", 'Unknown command "conf"', "Did you mean config?"],
  ["config", "`config` needs another word", "postern config check"],
  ["config --role tlsmgr", "`config` needs another word", "postern config check"],
  ["config chek", 'Unknown command "config chek"', "Did you mean check?"],
  ["config check more", 'Unexpected word "more"', "postern config check --help"],
  ["demo soon", 'Unexpected word "soon"', "postern demo --help"],
  ["demo --stay=yes", "--stay takes no value", "--stay alone"],
  ["--version soon", 'Unexpected word "soon"', "postern help"],
  ["help dem", 'Unknown topic "dem"', "Did you mean demo?"],
  ["help demo more", 'Unexpected word "more"', "postern help"],
  ["help --stay", "--stay does not go with help", "postern help"],
  ["demo --role tlsmgr", "--role does not go with demo", "postern demo --help"],
  ["demo -o a=1", "-o does not go with demo", "postern demo --help"],
  ["--role tlsmgr --stay", "--stay does not go with --role", "postern help"],
  ["--config f config check", 'Unexpected word "config"', "postern help"],
  ["--role tlsmgr -- more", 'Unexpected word "more"', "postern help"],
];

for (const [line, message, hint] of WRONG) {
  Deno.test(`readCommandLine() refuses: postern ${line}`, () => {
    const error = assertThrows(() => read(line), FatalError);
    assertEquals([error.exitCode, error.message], [EXIT.usage, message]);
    assertStringIncludes(error.hint ?? "", hint);
  });
}

Deno.test("readCommandLine() takes the role from the program's name", () => {
  const expected = ["", {
    role: "tlsproxy",
    config: "f",
    overrides: ["smtpd_tls_loglevel=1"],
  }];
  const line = "--config f -o smtpd_tls_loglevel=1";
  assertEquals(readRun(line, "tlsproxy"), expected);
  assertEquals(readRun(`--role tlsproxy ${line}`, "tlsproxy"), expected);
});

Deno.test("readCommandLine() refuses a role that contradicts the program's name", () => {
  const error = assertThrows(() => read("--role tlsmgr", "tlsproxy"), FatalError);
  assertEquals(error.exitCode, EXIT.usage);
  assertStringIncludes(error.message, "contradicts the name of the program, tlsproxy");
});

Deno.test("readCommandLine() leaves the options of master(8) to the role that the link names", () => {
  const line = "-l -n tlsmgr -t unix -u -o a=1";
  assertEquals(read(line, "tlsmgr"), { kind: "master", role: "tlsmgr", args: line.split(" ") });
  assertThrows(() => read(line, "postern"), FatalError, "Unknown option -l");
});

Deno.test("readCommandLine() reads every option of every command in all its forms", () => {
  for (const { words, options } of COMMANDS) {
    for (const [name, { flag, argument, words: choice = ["v"] }] of Object.entries(options)) {
      const long = flag.startsWith("--");
      const lines = argument === undefined
        ? [flag]
        : [`${flag} ${choice[0]}`, `${flag}${long ? "=" : ""}${choice[0]}`];
      for (const line of lines) {
        const fault = firstFault(() => {
          const [, given] = readRun([...words, line].join(" "));
          assert(name in (given as object), `${line} gives nothing`);
        });
        // A missing operand, or a value of a narrower kind, is another matter.
        const message = fault?.message ?? "";
        assert(!/^Unknown|^Unexpected|^-.* (?:needs a|takes no) value$/.test(message), message);
      }
    }
  }
});

function firstFault(act: () => void): FatalError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof FatalError) return error;
    throw error;
  }
}
