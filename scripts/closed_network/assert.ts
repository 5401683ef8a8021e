/**
 * Stand-in for `@std/assert` where JSR cannot be reached: the plain assertions, over `node:assert`
 * and `node:util`.
 *
 * Equality is at least as strict as the original's (prototypes must agree too), so that a test which
 * passes here passes there.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";

// deno-lint-ignore no-explicit-any
type AnyClass<T> = abstract new (...args: any[]) => T;

/** What every failed assertion throws. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function show(value: unknown): string {
  return Deno.inspect(value, {
    depth: 20,
    iterableLimit: 2000,
    strAbbreviateSize: 100_000,
    sorted: true,
    compact: false,
  });
}

function refuse(claim: string, msg: string | undefined): never {
  throw new AssertionError(msg ? `${claim}: ${msg}` : `${claim}.`);
}

/** Both values, and the first line where their pictures part. */
function difference(actual: unknown, expected: unknown): string {
  const left = show(actual);
  const right = show(expected);
  const leftLines = left.split("\n");
  const rightLines = right.split("\n");
  const at = leftLines.findIndex((line, i) => line !== rightLines[i]);
  const where = leftLines.length > 1 && at >= 0
    ? `\nFirst difference, line ${at + 1}:\n- ${leftLines[at]}\n+ ${rightLines[at] ?? ""}`
    : "";
  return `\n- actual:   ${left}\n+ expected: ${right}${where}`;
}

/** Fails always. */
export function fail(msg?: string): never {
  refuse("Failed assertion", msg);
}

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const claim = msg ? `Values are not equal: ${msg}` : "Values are not equal.";
  throw new AssertionError(claim + difference(actual, expected));
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) {
    refuse(`Expected anything but ${show(expected)}`, msg);
  }
}

/** Fails unless `Object.is` holds. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const claim = msg ? `Values are not strictly equal: ${msg}` : "Values are not strictly equal.";
  throw new AssertionError(claim + difference(actual, expected));
}

/** Fails on `null` and `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) refuse(`Expected a value, found ${actual}`, msg);
}

/** Fails unless `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T extends AnyClass<unknown>>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  refuse(`Expected an instance of ${expectedType.name}, found ${show(actual)}`, msg);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    refuse(`Expected ${show(actual)} to contain ${show(expected)}`, msg);
  }
}

/** Fails unless `expected` matches `actual`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) refuse(`Expected ${show(actual)} to match ${expected}`, msg);
}

/** What `assertThrows` and `assertRejects` were asked to look for. */
interface Wanted {
  readonly errorClass?: AnyClass<Error>;
  readonly text?: string;
  readonly msg?: string;
}

function readWanted(
  first: AnyClass<Error> | string | undefined,
  text?: string,
  msg?: string,
): Wanted {
  return typeof first === "string" ? { msg: first } : { errorClass: first, text, msg };
}

function checkError(error: unknown, { errorClass, text, msg }: Wanted): void {
  if (errorClass === undefined) return;
  if (!(error instanceof Error)) {
    refuse(`Expected an Error to be thrown, found ${show(error)}`, msg);
  }
  const { name, message } = error;
  if (!(error instanceof errorClass)) {
    refuse(`Expected ${errorClass.name}, found ${name} "${message}"`, msg);
  }
  if (text !== undefined && !message.includes(text)) {
    refuse(`Expected the error message to contain "${text}", found "${message}"`, msg);
  }
}

/** Fails unless `fn` throws (an instance of the class, with the text in its message); returns it. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  first?: AnyClass<Error> | string,
  text?: string,
  msg?: string,
): unknown {
  const wanted = readWanted(first, text, msg);
  try {
    fn();
  } catch (error) {
    checkError(error, wanted);
    return error;
  }
  refuse("Expected function to throw", wanted.msg);
}

/** Fails unless the promise of `fn` is rejected; `fn` itself must not throw. Resolves to the error. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  first?: AnyClass<Error> | string,
  text?: string,
  msg?: string,
): Promise<unknown> {
  const wanted = readWanted(first, text, msg);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    refuse(`Expected function to reject, but it threw ${show(error)}`, wanted.msg);
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, wanted);
    return error;
  }
  refuse("Expected function to reject", wanted.msg);
}
