/**
 * Assertions about ourselves: a condition that can only be false through a bug.
 *
 * A failed assertion is a panic. Nobody catches it but the last line of a thread, which logs it and
 * ends the process. Bad input from a peer, a file or an operator is never asserted: it is answered.
 *
 * @module
 */

/** A bug in postern. Never thrown because of what a peer, a file or an operator did. */
export class Panic extends Error {
  override readonly name = "Panic";
}

/** Throws {@linkcode Panic} with `claim` unless `condition` holds. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Panic(`Assertion failed: ${claim}`);
}

/** Throws {@linkcode Panic}; for claims whose wording costs something to make. */
export function panic(claim: string): never {
  throw new Panic(`Assertion failed: ${claim}`);
}

/** Marks a branch that the types exclude; reaching it at run time is a {@linkcode Panic}. */
export function unreachable(value: never): never {
  throw new Panic(`Reached a branch for ${String(value)}, which cannot exist`);
}
