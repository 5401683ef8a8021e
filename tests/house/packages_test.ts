/**
 * What the project relies on in the packages it imports. The same expectations hold for the packages
 * of JSR and for the stand-ins of scripts/closed_network, whichever this run uses.
 */

import {
  assert,
  assertEquals,
  AssertionError,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli";
import { BaseHandler, Logger, LogLevels, type LogRecord } from "@std/log";
import { parse } from "@std/toml";
import fc from "fast-check";

class MemoryHandler extends BaseHandler {
  readonly lines: string[] = [];

  override log(msg: string): void {
    this.lines.push(msg);
  }
}

const OPTIONS = {
  string: ["config", "o", "_"],
  boolean: ["help"],
  collect: ["o"],
  alias: { help: "h", config: "c" },
} as const;

Deno.test("parseArgs() reads strings, booleans, aliases and collected options", () => {
  const args = parseArgs(["-c", "a.toml", "-o", "x=1", "-h", "-o", "y=a=b", "run", "5"], OPTIONS);
  const config: string | undefined = args.config;
  const collected: string[] = args.o;
  assertEquals(config, "a.toml");
  assertEquals(collected, ["x=1", "y=a=b"]);
  assertEquals(args.help, true);
  assertEquals<unknown>(args._, ["run", "5"]);
});

Deno.test("parseArgs() without arguments gives false, no string and no collected values", () => {
  const args = parseArgs([], OPTIONS);
  assertEquals([args.help, args.config, args.o, args._], [false, undefined, [], []]);
});

Deno.test("parseArgs() lets the last of several values count", () => {
  assertEquals(parseArgs(["--config", "a", "--config=b=c"], OPTIONS).config, "b=c");
});

Deno.test("parseArgs() takes defaults where nothing is given", () => {
  const options = { ...OPTIONS, default: { config: "d" } };
  assertEquals(parseArgs([], options).config, "d");
  assertEquals(parseArgs(["--config=e"], options).config, "e");
});

Deno.test("parseArgs() reports unknown options and leaves out what is refused", () => {
  const seen: string[] = [];
  const unknown = (arg: string) => {
    seen.push(arg);
    return !arg.startsWith("-");
  };
  const args = parseArgs(["run", "--wrong=1", "-z", "--no-help"], { ...OPTIONS, unknown });
  assertEquals(seen, ["run", "--wrong=1", "-z", "--no-help"]);
  assertEquals<unknown>(args._, ["run"]);
  assertEquals([args.wrong, args.z, args.help], [undefined, undefined, false]);
});

Deno.test("parseArgs() stops early, and at two dashes", () => {
  const early = parseArgs(["run", "--help"], { ...OPTIONS, stopEarly: true });
  assertEquals<unknown>(early._, ["run", "--help"]);
  const args = parseArgs(["a", "--", "-h", "b"], { ...OPTIONS, "--": true });
  assertEquals([args._, args["--"], args.help], [["a"], ["-h", "b"], false]);
});

Deno.test("Logger hands records of its level and above to the handlers of theirs", () => {
  const format = ({ level, levelName, loggerName, msg, args }: LogRecord) =>
    `${levelName} ${level} ${loggerName} ${msg} ${args.length}`;
  const low = new MemoryHandler("DEBUG", { formatter: format });
  const high = new MemoryHandler("ERROR");
  const logger = new Logger("postern", "INFO", { handlers: [low, high] });
  logger.debug("one");
  logger.info("two", 2);
  logger.error(() => "three");
  assertEquals(low.lines, ["INFO 20 postern two 1", "ERROR 40 postern three 0"]);
  assertEquals(high.lines, ["ERROR three"]);
});

Deno.test("Logger and its handlers can change their levels", () => {
  const handler = new MemoryHandler("ERROR");
  const logger = new Logger("postern", "ERROR", { handlers: [handler] });
  handler.levelName = "WARN";
  logger.levelName = "WARN";
  assertEquals(logger.warn("one"), "one");
  assertEquals([handler.level, logger.level], [LogLevels.WARN, LogLevels.WARN]);
  assertEquals(handler.lines, ["WARN one"]);
});

Deno.test("LogRecord bears arguments and a date of its own", () => {
  const records: LogRecord[] = [];
  const formatter = (record: LogRecord) => String(records.push(record));
  new Logger("l", "INFO", { handlers: [new MemoryHandler("INFO", { formatter })] }).info("m", 1);
  const [record] = records;
  assert(record.datetime instanceof Date && record.datetime !== record.datetime);
  assertEquals(record.args, [1]);
});

Deno.test("parse() reads TOML into plain objects", () => {
  const text = `a = 1\nb = "x"\nlist = ["p", "q"]\n[table.inner]\nyes = true\n`;
  const expected = { a: 1, b: "x", list: ["p", "q"], table: { inner: { yes: true } } };
  assertEquals(parse(text), expected);
});

Deno.test("parse() throws SyntaxError on what is no TOML", () => {
  assertThrows(() => parse("a ="), SyntaxError);
  assertThrows(() => parse("[a]\nb = 1\n["), SyntaxError);
});

Deno.test("assertions fail when they should", async () => {
  const one = new Uint8Array([1]);
  assertEquals(one, Uint8Array.of(1));
  assertNotEquals(one, Uint8Array.of(2));
  assertThrows(() => assertEquals({ a: [1] }, { a: [2] }, "reason"), AssertionError, "reason");
  assertThrows(() => assertEquals<unknown>(1, "1"), AssertionError);
  assertThrows(() => assertNotEquals([1], [1]), AssertionError);
  assertThrows(() => assertThrows(() => {}), AssertionError);
  const wrongKind = () => {
    throw new TypeError("kind");
  };
  assertThrows(() => assertThrows(wrongKind, RangeError), AssertionError);
  assertThrows(() => assertThrows(wrongKind, TypeError, "text"), AssertionError);
  assertEquals(assertThrows(wrongKind, TypeError, "kin").message, "kind");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  await assertRejects(() => Promise.reject(new TypeError("kind")), TypeError, "kin");
});

Deno.test("fast-check repeats a run by its seed and shrinks what fails", () => {
  const property = fc.property(fc.array(fc.nat(1000)), (list) => list.every((n) => n < 500));
  const [one, two] = [7, 7].map((seed) => fc.check(property, { seed, numRuns: 1000 }));
  assert(one.failed);
  assertEquals(one.counterexample, [[500]]);
  assertEquals(one.counterexamplePath, two.counterexamplePath);
});
