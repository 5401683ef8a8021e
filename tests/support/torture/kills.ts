/**
 * SIGKILL for a small process that works on a store, at a random moment, compactions included; then the
 * file is opened, and everything that was flushed must be there.
 *
 * @module
 */

import { toLatin1 } from "../../../lib/base/bytes.ts";
import { Store } from "../../../lib/store/store.ts";
import { supportPath } from "../paths.ts";
import { type Random, seededRandom } from "../random.ts";
import { changesOf, EXPIRES_AT_S } from "./kill_child.ts";
import { Ledger, Loss } from "./ledger.ts";

/** Turns that a child has time for, at most. */
const TURNS_MAX = 150;
/** A kill comes up to this long after a turn, so that it falls into the next ones. */
const DELAY_MS_MAX = 4;

/** What kills came to. */
export interface StoreKillCounts {
  kills: number;
  /** Compactions that had ended before a kill. */
  compactions: number;
  /** Compactions that a kill ended: their half file was found. */
  cutCompactions: number;
  /** Changes that were promised before a kill. */
  promised: number;
}

/** Kills `kills` children, one after the other, on the file `path`; seeds are `seed` and those after it. */
export async function killStores(
  path: string,
  { kills, seed, progress }: {
    kills: number;
    seed: number;
    progress?: (counts: StoreKillCounts) => void;
  },
): Promise<StoreKillCounts> {
  const counts: StoreKillCounts = { kills: 0, compactions: 0, cutCompactions: 0, promised: 0 };
  const ledger = new Ledger();
  for (let i = 0; i < kills; i++) {
    const random = seededRandom(seed + i);
    counts.compactions += await runAndKill(path, { seed: seed + i, random, ledger });
    counts.kills++;
    if (exists(`${path}.compact`)) counts.cutCompactions++;
    counts.promised = ledger.promised;
    checkFile(path, ledger, `after the kill of seed ${seed + i}`);
    progress?.(counts);
  }
  return counts;
}

/** Runs a child and kills it after a turn of the seed's choice; its compactions. */
async function runAndKill(
  path: string,
  { seed, random, ledger }: { seed: number; random: Random; ledger: Ledger },
): Promise<number> {
  const script = supportPath("torture/kill_child.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-check", "-A", script, path, `${seed}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const goal = random(TURNS_MAX);
  const delayMs = random(DELAY_MS_MAX);
  let text = "";
  let isKilled = false;
  const kill = (): void => {
    if (isKilled) return;
    isKilled = true;
    child.kill("SIGKILL");
  };
  // All that was said before its death counts, so the rest is read after the kill.
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.split("\n").length <= goal) continue;
    if (delayMs === 0) kill();
    else setTimeout(kill, delayMs);
  }
  const { signal } = await child.status;
  const complaint = await errors;
  if (signal !== "SIGKILL" || complaint !== "") {
    throw new Loss(`The child of seed ${seed} ended by itself, or complained: ${complaint}`);
  }
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).trim().split("\n");
  const [turn, compactions] = (lines.at(-1) || "-1 0").split(" ").map(Number);
  note(ledger, seed, turn);
  return compactions;
}

/** Notes every turn up to `turn` as promised, and those after it that may have begun. */
function note(ledger: Ledger, seed: number, turn: number): void {
  for (let done = 0; done <= turn; done++) {
    for (const { key, value } of changesOf(seed, done)) ledger.note(key, value);
  }
  ledger.promise();
  // Of the next turn, all or a part may have been written; its line may have been lost, too.
  for (const begun of [turn + 1, turn + 2]) {
    for (const { key, value } of changesOf(seed, begun)) ledger.note(key, value);
  }
}

function checkFile(path: string, ledger: Ledger, about: string): void {
  const reports: string[] = [];
  const store = Store.open(path, {
    report: (_level, message) => reports.push(message),
    compactBytesMin: Infinity,
  });
  for (const key of ledger.keys) {
    const value = store.get(key, EXPIRES_AT_S);
    const state = value === undefined ? undefined : toLatin1(value);
    ledger.check(key, state, about);
    ledger.settle(key, state);
  }
  store.close();
  if (exists(`${path}.compact`)) throw new Loss(`${about}: a half copy is left`);
  const strange = reports.filter((report) => !report.includes("unfinished bytes at its end"));
  if (strange.length > 0) throw new Loss(`${about}: ${strange.join("; ")}`);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
