/**
 * Goal: SIGKILL loses nothing that was flushed, compactions included.
 * Method: a child process stores and reports; it is killed after a random number of its reports; the
 * file is opened here and must hold, for each key, its last acknowledged value or a later one.
 */
import { assert, assertEquals } from "@std/assert";
import { fromUtf8 } from "../../../lib/base/bytes.ts";
import { Store } from "../../../lib/store/store.ts";
import { EXPIRES_AT_S, KEYS, valueOf } from "./_kill_child.ts";
import { makeRandom } from "./_setup.ts";

const KILLS = 12;

/** Starts the child, kills it after `reports` of its reports; its last one: entries, compactions. */
async function runAndKill(path: string, first: number, reports: number): Promise<[number, number]> {
  const script = new URL("./_kill_child.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-check", "-A", script, path, `${first}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let text = "";
  let isKilled = false;
  // All that was said before its death counts, so the rest is read after the kill.
  for await (const piece of child.stdout) {
    text += fromUtf8(piece);
    if (!isKilled && text.split("\n").length > reports) {
      child.kill("SIGKILL");
      isKilled = true;
    }
  }
  assertEquals((await child.status).signal, "SIGKILL");
  assertEquals(await errors, "");
  const last = text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1) ?? "";
  const [entries, compactions] = last.split(" ").map(Number);
  return [entries, compactions];
}

function check(path: string, acknowledged: number): void {
  const reports: string[] = [];
  const store = Store.open(path, { report: (_, message) => reports.push(message) });
  for (let key = 0; key < KEYS; key++) {
    const value = store.get(`${key}`, EXPIRES_AT_S);
    assert(value !== undefined, `key ${key} is there`);
    const n = Number.parseInt(fromUtf8(value));
    assertEquals(n % KEYS, key);
    assert(n >= acknowledged - KEYS, `key ${key} holds ${n}, ${acknowledged} were acknowledged`);
    assertEquals(value, valueOf(n));
  }
  for (const report of reports) assert(report.includes("unfinished bytes at its end"), report);
  store.close();
}

Deno.test("Store holds every flushed entry after SIGKILL in the middle of puts", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/cache`;
    const random = makeRandom(9);
    let first = 0;
    let compactions = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const reports = 30 + random(300);
      const [acknowledged, compacted] = await runAndKill(path, first, reports);
      assert(acknowledged >= first + 20 * reports);
      compactions += compacted;
      check(path, acknowledged);
      first = acknowledged;
    }
    assert(compactions > 0, "compactions were among it");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
