/**
 * The same requests to Postfix's tlsmgr and to ours: byte-equal replies, but for random data and for
 * what is written down as a difference.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { interopTest, servedBy } from "../support/interop.ts";
import type { PostfixOptions } from "../support/postfix_config.ts";
import { Testbed } from "../support/testbed.ts";
import { Dialogue, type Outcome, type Scene } from "./_tlsmgr_dialogue.ts";
import { DIFFERENCES } from "./_tlsmgr_differences.ts";
import { OPEN_SCENES, SHUT_SCENES, WARNING_SCENES } from "./_tlsmgr_script.ts";

const DATABASES = {
  smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
  smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
  lmtp_tls_session_cache_database: "btree:${data_directory}/lmtp_scache",
  // With SMTPUTF8 Postfix's tables refuse keys that are not UTF-8; ids may hold any byte.
  smtputf8_enable: "no",
};

function timeouts(smtpd: string, smtp: string, lmtp: string): Record<string, string> {
  return {
    smtpd_tls_session_cache_timeout: smtpd,
    smtp_tls_session_cache_timeout: smtp,
    lmtp_tls_session_cache_timeout: lmtp,
  };
}

/** Two tlsmgr services with the same settings. */
class Pair implements AsyncDisposable {
  readonly theirs: Testbed;
  readonly ours: Testbed;

  private constructor(theirs: Testbed, ours: Testbed) {
    this.theirs = theirs;
    this.ours = ours;
  }

  static async start(options: PostfixOptions): Promise<Pair> {
    const theirs = await Testbed.start({ ...options, name: "theirs", tlsmgr: "postfix" });
    try {
      return new Pair(theirs, await Testbed.start({ ...options, name: "ours", tlsmgr: "ours" }));
    } catch (error) {
      await theirs[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What both answer to each step, by name. */
  async play(scenes: readonly Scene[]): Promise<Map<string, [theirs: Outcome, ours: Outcome]>> {
    using theirs = await Dialogue.open(this.theirs.postfix.socketPath("tlsmgr"));
    using ours = await Dialogue.open(this.ours.postfix.socketPath("tlsmgr"));
    const outcomes = new Map<string, [Outcome, Outcome]>();
    for (const scene of scenes) {
      const ourOutcomes = await ours.play(scene);
      for (const [name, theirOutcome] of await theirs.play(scene)) {
        assert(!outcomes.has(name), `"${name}" is the name of two steps`);
        outcomes.set(name, [theirOutcome, ourOutcomes.get(name)!]);
      }
    }
    return outcomes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _theirs = this.theirs;
    await this.ours[Symbol.asyncDispose]();
  }
}

/** Asserts that all steps have equal outcomes, but for the written differences. */
function assertSame(outcomes: ReadonlyMap<string, [theirs: Outcome, ours: Outcome]>): void {
  const wanted: Record<string, Outcome> = {};
  const found: Record<string, Outcome> = {};
  for (const [name, [theirs, ours]] of outcomes) {
    const difference = DIFFERENCES.find(({ steps }) => steps.includes(name));
    if (difference === undefined || servedBy("ours") === "postfix") {
      [wanted[name], found[name]] = [theirs, ours];
    } else {
      assertMatch(theirs, difference.postfix, `Postfix's answer to "${name}"`);
      [wanted[name], found[name]] = [difference.ours(theirs), ours];
    }
  }
  if (servedBy("ours") === "postfix") {
    // Stale data are random, as what they are left over from.
    for (const { steps } of DIFFERENCES) {
      for (const name of steps) [wanted[name], found[name]] = ["", ""];
    }
  }
  assertEquals(found, wanted);
}

interopTest("tlsmgr answers as Postfix's: open caches", async () => {
  await using pair = await Pair.start({ settings: DATABASES });
  const outcomes = await pair.play(OPEN_SCENES);
  assert(outcomes.size >= 600, `${outcomes.size} requests`);
  assertSame(outcomes);

  // A difference that has gone must not stay in the list.
  for (const { steps, reason } of DIFFERENCES) {
    for (const name of steps) {
      const outcome = outcomes.get(name);
      assert(outcome !== undefined, `There is no step "${name}"`);
      if (servedBy("ours") === "postfix") continue;
      assert(outcome[0] !== outcome[1], `There is no difference at "${name}": ${reason}`);
    }
  }
});

for (
  const [name, options] of [
    ["no databases", { sessionCache: false }],
    ["databases, and timeouts of 0", { settings: { ...DATABASES, ...timeouts("0", "0s", "0d") } }],
    ["timeouts, but no databases", { sessionCache: false, settings: timeouts("1s", "2h", "100d") }],
    ["short and long timeouts", { settings: { ...DATABASES, ...timeouts("1s", "119s", "100d") } }],
    ["one database", { settings: timeouts("121s", "0", "1m") }],
  ] as const satisfies readonly (readonly [string, PostfixOptions])[]
) {
  interopTest(`tlsmgr answers as Postfix's: ${name}`, async () => {
    await using pair = await Pair.start(options);
    const outcomes = await pair.play(SHUT_SCENES);
    assert(outcomes.size >= 30, `${outcomes.size} requests`);
    assertSame(outcomes);
  });
}

interopTest("tlsmgr logs what Postfix's logs about requests that are none", async () => {
  await using pair = await Pair.start({ settings: DATABASES });
  await pair.play(WARNING_SCENES);
  // The last one, which nothing else causes.
  const last = /warning: missing attribute request in input/;
  await pair.theirs.postfix.maillog.waitForLine(last);
  if (pair.ours.tlsmgr !== undefined) await pair.ours.tlsmgr.waitForLog(last);
  else await pair.ours.postfix.maillog.waitForLine(last);
  const ofPostfix = (lines: readonly string[]) =>
    lines.filter((line) => /\/tlsmgr\[\d+\]: warning: /.test(line))
      .map((line) => line.replace(/^.*?\/tlsmgr\[\d+\]: /, ""));
  const theirs = ofPostfix(await pair.theirs.postfix.maillog.problems());
  const ours = pair.ours.tlsmgr?.problems() ?? await pair.ours.postfix.maillog.problems();
  assert(theirs.length >= 60, `${theirs.length} warnings`);
  assertEquals(ofPostfix(ours), theirs);
});
