/**
 * Expansion as a real postconf(1) does it: the specification's cases, and expressions made at random.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Evaluator, ExpansionError } from "../../lib/config/expand.ts";
import { CASE_VALUES, DIFFERENCES, EXPANSION_CASES } from "../support/config_expansion_cases.ts";
import { randomExpression, spoil } from "../support/config_expressions.ts";
import { interopTest } from "../support/interop.ts";
import { nightly } from "../support/nightly.ts";
import { postconf, PostconfFolders, postconfValues } from "../support/postconf.ts";
import { seededRandom } from "../support/random.ts";
import { TempFolder } from "../support/temp_folder.ts";

const withoutPostern = { needsPostern: false };

type Values = Readonly<Record<string, string>>;
/** The expanded text, or how it ended. */
type Outcome = string | { ends: string };

/** postconf drops blanks at the end of a value, so every text gets a mark on either side. */
const marked = (text: string) => `|${text}|`;

function mainCf(texts: readonly string[], values: Values): string {
  const settings = Object.entries({ compatibility_level: "3.6", ...CASE_VALUES, ...values });
  const subjects = texts.map((text, i) => [`subject${i}`, marked(text)]);
  // postconf knows a name of the user's own only when a parameter that is in use mentions it.
  const mention = texts.map((_, i) => `$subject${i}`).join(" ");
  return [...settings, ...subjects, ["header_checks", mention]]
    .map(([name, value]) => `${name} = ${value}\n`).join("");
}

/** How Postfix expands each of `texts`. */
async function byPostfix(
  folders: PostconfFolders,
  texts: readonly string[],
  values: Values = {},
): Promise<Outcome[]> {
  const folder = await folders.make(mainCf(texts, values));
  const { signal, code, stdout, stderr } = await postconf(
    folder,
    "-x",
    ...texts.map((_, i) => `subject${i}`),
  );
  const found = postconfValues(stdout);
  if (code === 0) return texts.map((_, i) => (found.get(`subject${i}`) ?? "").slice(1, -1));
  if (texts.length === 1) {
    const how = signal ?? (stderr.includes("fatal: ") ? "fatal" : stderr);
    return [{ ends: how }];
  }
  // One that ends the process hides the others.
  const outcomes: Outcome[] = [];
  for (const text of texts) outcomes.push(...await byPostfix(folders, [text], values));
  return outcomes;
}

/** What postconf prints: each run of blanks becomes one. */
const printed = (text: string) => text.replace(/[ \t]+/g, " ");

/** How postern does it, and in what words it refuses. */
function byPostern(text: string): string | { why: string } {
  const values = new Map(Object.entries({ ...CASE_VALUES, subject: marked(text) }));
  try {
    return new Evaluator((name) => values.get(name)).value("subject").slice(1, -1);
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    return { why: error.message };
  }
}

/** A fatal postconf sleeps for a second before it ends, so many of them run side by side. */
const SIDE_BY_SIDE = 60;

async function assertFatal(folders: PostconfFolders, texts: readonly string[]): Promise<void> {
  for (let at = 0; at < texts.length; at += SIDE_BY_SIDE) {
    const some = texts.slice(at, at + SIDE_BY_SIDE);
    const theirs = await Promise.all(some.map((text) => byPostfix(folders, [text])));
    assertEquals(
      some.map((text, i) => [text, ...theirs[i]]),
      some.map((text) => [text, { ends: "fatal" }]),
    );
  }
}

for (const [title, cases] of Object.entries(EXPANSION_CASES)) {
  interopTest(`Postfix expands as the case table says: ${title}`, async () => {
    await using temp = await TempFolder.make("expand");
    const folders = new PostconfFolders(temp);
    const fine = cases.filter(([, expected]) => typeof expected === "string");
    assertEquals(
      await byPostfix(folders, fine.map(([text]) => text)),
      fine.map(([, expected]) => expected as string),
    );
    const wrong = cases.filter(([, expected]) => typeof expected !== "string");
    await assertFatal(folders, wrong.map(([text]) => text));
  }, withoutPostern);
}

for (const [name, { text, values, postfix }] of Object.entries(DIFFERENCES)) {
  interopTest(`Postfix differs from postern as the table says: ${name}`, async () => {
    await using temp = await TempFolder.make("expand");
    assertEquals(await byPostfix(new PostconfFolders(temp), [text], values), [postfix]);
  }, withoutPostern);
}

/** Whether it is a refusal, and none of {@linkcode DIFFERENCES}, as far as its words tell. */
function isRefusal(mine: string | { why: string }): boolean {
  return typeof mine !== "string" && !/no name at character/.test(mine.why);
}

interopTest("postern expands random expressions as Postfix does", async (t) => {
  await using temp = await TempFolder.make("expand");
  const folders = new PostconfFolders(temp);
  const random = seededRandom(311);
  const texts: string[] = [];
  for (let i = 0; i < nightly(600, 6000); i++) {
    const text = randomExpression(random);
    texts.push(random(3) === 0 ? spoil(random, text) : text);
  }
  const ours = texts.map((text) => byPostern(text));
  await t.step("values", async () => {
    const good = texts.filter((_, i) => typeof ours[i] === "string");
    for (let at = 0; at < good.length; at += 20) {
      const some = good.slice(at, at + 20);
      const theirs = await byPostfix(folders, some);
      assertEquals(
        some.map((text, i) => [text, theirs[i]]),
        some.map((text) => [text, printed(marked(byPostern(text) as string)).slice(1, -1)]),
      );
    }
  });
  await t.step("refusals", async () => {
    await assertFatal(folders, texts.filter((_, i) => isRefusal(ours[i])));
  });
  const refusals = ours.filter((mine) => typeof mine !== "string").length;
  // Both halves of the comparison must have something to compare.
  assertEquals(refusals > texts.length / 10 && refusals < texts.length * 0.9, true, `${refusals}`);
}, withoutPostern);
