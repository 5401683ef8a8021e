/**
 * Spoilt expressions over spoilt dictionaries: there is a bounded text, or a refusal that names whose
 * text is at fault, after a bounded number of steps.
 *
 * @module
 */

import { assert } from "@std/assert";
import { Evaluator, EXPANDED_LENGTH_MAX, ExpansionError } from "../../../lib/config/expand.ts";
import { CASE_VALUES } from "../../support/config_expansion_cases.ts";
import { randomExpression, spoil } from "../../support/config_expressions.ts";
import { pick } from "../../support/mutate_text.ts";
import { nightly } from "../../support/nightly.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { Watchdog } from "../../support/watchdog.ts";

const INPUTS = nightly(1_000, 100_000);

/** Some of the names again with other texts, which may go in circles, and a few more names. */
function randomDictionary(random: Random): Map<string, string> {
  const values = new Map(Object.entries(CASE_VALUES));
  const names = [...values.keys(), "missing", "x9_", "subject"];
  for (let i = random(6); i > 0; i--) {
    let text = randomExpression(random, 2);
    if (random(3) === 0) text = spoil(random, text);
    if (random(3) === 0) text += `$${pick(random, names)}`;
    if (random(8) === 0) text = text.repeat(random(200));
    values.set(pick(random, names), text);
  }
  return values;
}

Deno.test("Evaluator ends, whatever the texts are", () => {
  let values = 0;
  using watchdog = nightly(0, 1) ? new Watchdog("Evaluator") : undefined;
  for (let seed = 0; seed < INPUTS; seed++) {
    watchdog?.reached(seed);
    const random = seededRandom(seed + 1);
    const dictionary = randomDictionary(random);
    dictionary.set("subject", spoil(random, randomExpression(random, 4)));
    const dollars = [...dictionary.values()].reduce((sum, text) => sum + text.split("$").length, 0);
    let steps = 0;
    const evaluator = new Evaluator((name) => {
      steps++;
      return dictionary.get(name);
    });
    const where = `Input ${seed}: ${JSON.stringify([...dictionary].slice(-4))}`;
    for (const name of ["subject", ...dictionary.keys(), "subject"]) {
      steps = 0;
      try {
        const value = evaluator.value(name);
        assert(value.length <= 2 * EXPANDED_LENGTH_MAX, where);
        values++;
      } catch (error) {
        if (!(error instanceof ExpansionError)) throw new Error(where, { cause: error });
        assert(dictionary.has(error.owner), `${where}: ${error.owner}`);
        // deno-lint-ignore no-control-regex -- nothing of a file may steer a terminal
        assert(!/[\x00-\x1f]/.test(error.message), where);
        assert(error.message.length < 1_000, where);
      }
      // A text is walked once, and once more when a limit was hit inside something already known.
      assert(steps <= 2 * dollars + 2, `${where}: ${steps} steps for ${dollars} expressions`);
    }
  }
  assert(values > INPUTS, `${values} values`);
});
