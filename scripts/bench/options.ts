/**
 * The options of the benchmark's command line.
 *
 * @module
 */

import { installedProxies, PROXY_NAMES } from "./other_servers.ts";
import type { Options } from "./run.ts";

const ROUNDS = 5;
const ROUNDS_QUICK = 3;

/** The options that `args` stand for; an error says what is wrong with them. */
export function parseOptions(args: Record<string, unknown>): Options {
  const quick = args.quick === true;
  const rounds = args.rounds === undefined ? quick ? ROUNDS_QUICK : ROUNDS : Number(args.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`Cannot measure ${args.rounds} rounds: give a number from 1`);
  }
  const names = args.with === undefined
    ? quick ? [] : PROXY_NAMES
    : String(args.with).split(",").filter((name) => name !== "");
  for (const name of names) {
    if (!PROXY_NAMES.includes(name)) {
      throw new Error(`Cannot compare with ${name}: it is none of ${PROXY_NAMES.join(", ")}`);
    }
  }
  return { quick, rounds, only: String(args.only ?? ""), others: installedProxies(names) };
}
