/**
 * How much a repeating test does: a usual count in the suite, a long one in the nightly run.
 *
 * `POSTERN_NIGHTLY=1` asks for the long counts; `sh scripts/test nightly` sets it. The counts alone
 * differ: seeds and checks are the same, so that a nightly failure can be found again by its number.
 *
 * @module
 */

/** `usual`, or `long` when the environment asks for the nightly run. */
export function nightly(usual: number, long: number): number {
  return Deno.env.get("POSTERN_NIGHTLY") === "1" ? long : usual;
}
