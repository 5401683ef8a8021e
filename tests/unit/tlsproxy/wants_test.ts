import { assert, assertEquals } from "@std/assert";
import { READY } from "../../../lib/reactor/reactor.ts";
import { decideWants, type RelayFacts, type Wants } from "../../../lib/tlsproxy/wants.ts";

const NOTHING: RelayFacts = {
  toNet: false,
  toPlain: false,
  readWantsWrite: false,
  plainEnded: false,
  plainDeaf: false,
  netEnded: false,
};
const { none, read, write } = READY;

const TABLE: [facts: Partial<RelayFacts>, wants: Wants][] = [
  [{}, { net: read, plain: read }],
  [{ toNet: true }, { net: read | write, plain: none }],
  [{ toPlain: true }, { net: none, plain: read | write }],
  [{ toNet: true, toPlain: true }, { net: write, plain: write }],
  [{ readWantsWrite: true }, { net: read | write, plain: read }],
  [{ plainEnded: true, toNet: true }, { net: read | write, plain: none }],
  [{ netEnded: true, toPlain: true }, { net: none, plain: write }],
  [{ plainDeaf: true }, { net: none, plain: read }],
  [{ plainDeaf: true, toNet: true }, { net: write, plain: none }],
];

for (const [facts, wants] of TABLE) {
  Deno.test(`decideWants() of ${JSON.stringify(facts)}`, () => {
    const found: Wants = { net: -1, plain: -1 };
    decideWants({ ...NOTHING, ...facts }, found);
    assertEquals(found, wants);
  });
}

Deno.test("decideWants() never reads a side whose bytes have nowhere to go", () => {
  const names = Object.keys(NOTHING) as (keyof RelayFacts)[];
  for (let bits = 0; bits < 1 << names.length; bits++) {
    const facts = Object.fromEntries(
      names.map((name, i) => [name, (bits & (1 << i)) !== 0]),
    ) as unknown as RelayFacts;
    const wants: Wants = { net: 0, plain: 0 };
    decideWants(facts, wants);
    if (facts.toPlain || facts.netEnded) assert((wants.net & read) === 0);
    if (facts.toNet || facts.plainEnded) assert((wants.plain & read) === 0);
    assertEquals((wants.plain & write) !== 0, facts.toPlain);
  }
});
