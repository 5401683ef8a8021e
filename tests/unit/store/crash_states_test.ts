/**
 * Goal: whatever part of what was not synced a crash of the machine leaves on the disk, the next start
 * finds every change that was promised to last, and nothing else than what was stored.
 * Method: courses of changes with a compaction on a disk that tells the page cache from what lasts; at
 * every sync and in between, each possible disk is opened and checked.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { OPEN } from "../../../lib/ffi/libc/file.ts";
import { nightly } from "../../support/nightly.ts";
import { seededRandom } from "../../support/random.ts";
import { runCrashCourse } from "../../support/torture/crash_course.ts";
import { CrashDisk, crashStates } from "../../support/torture/crash_disk.ts";
import { Loss } from "../../support/torture/ledger.ts";

/** A course with "always" has more moments. */
const POLICIES = [["never", nightly(6, 200)], ["interval", nightly(6, 200)], [
  "always",
  nightly(3, 100),
]] as const;

for (const [sync, courses] of POLICIES) {
  for (const failsSyncs of [false, true]) {
    const title = `with sync = ${sync}${failsSyncs ? " and syncs that fail" : ""}`;
    Deno.test(`Store ${title} keeps what it promised on every disk that a crash leaves`, () => {
      let [states, compactions, promised] = [0, 0, 0];
      for (let seed = 1; seed <= courses; seed++) {
        const counts = runCrashCourse(seededRandom(seed), { sync, failsSyncs });
        states += counts.states;
        compactions += counts.compactions;
        promised += counts.promised;
      }
      assert(states > 100 * courses, `${states} disks`);
      assert(compactions >= courses && promised > 30 * courses, `${promised} promises`);
    });
  }

  Deno.test(`Crash courses with sync = ${sync} find a disk whose syncs do nothing`, () => {
    const run = (seed: number) =>
      runCrashCourse(seededRandom(seed), { sync, liesAboutSyncs: true });
    for (let seed = 1; seed <= 2; seed++) assertThrows(() => run(seed), Loss, "may be");
  });
}

const CREATE = OPEN.readWrite | OPEN.create;

/** Contents of "a" on the disks that a crash may leave, each once, as text. */
function contentsOf(disk: CrashDisk): string[] {
  const states = [...crashStates(disk.moment(), "a", seededRandom(1))];
  const texts = states.map((state) => {
    const content = state.get("a");
    return content === undefined ? "none" : String.fromCharCode(...content);
  });
  return [...new Set(texts)].sort();
}

Deno.test("crashStates() misses what was not synced, in any order, and nothing else", () => {
  const disk = new CrashDisk();
  const fd = disk.open("a", CREATE, 0o600);
  const folder = disk.open(".", OPEN.directory, 0);
  const write = (text: string, at: number) => disk.pwrite(fd, latin1(text), text.length, at);
  write("1", 0);
  assertEquals(contentsOf(disk), ["", "\0", "1", "none"]);
  disk.fsync(folder);
  disk.fdatasync(fd);
  assertEquals(contentsOf(disk), ["1"]);
  write("2", 1);
  write("3", 2);
  const texts = contentsOf(disk);
  for (const text of ["1", "12", "123", "1\x003"]) assert(texts.includes(text), text);
  assert(texts.every((text) => text.startsWith("1")));
  const end = disk.beginSync(fd);
  write("4", 3);
  end(true);
  assert(contentsOf(disk).every((text) => text.startsWith("123")));
  assert(contentsOf(disk).includes("1234"));
});

Deno.test("crashStates() finds a rename or does not, and never half of it", () => {
  const disk = CrashDisk.of(new Map([["a", latin1("old")]]));
  const fd = disk.open("b", CREATE, 0o600);
  disk.pwrite(fd, latin1("new"), 3, 0);
  disk.fdatasync(fd);
  disk.rename("b", "a");
  assertEquals(contentsOf(disk), ["new", "old"]);
  for (const state of crashStates(disk.moment(), "a", seededRandom(1))) {
    const isRenamed = String.fromCharCode(...state.get("a")!) === "new";
    assert(!(isRenamed && state.has("b")), "the file has one name");
  }
  disk.fsync(disk.open(".", OPEN.directory, 0));
  assertEquals(contentsOf(disk), ["new"]);
});

Deno.test("crashStates() does not trust a sync that failed, nor one after it", () => {
  const disk = CrashDisk.of(new Map([["a", latin1("1")]]));
  const fd = disk.open("a", OPEN.readWrite, 0);
  disk.pwrite(fd, latin1("2"), 1, 1);
  disk.beginSync(fd)(false);
  disk.fdatasync(fd);
  const texts = contentsOf(disk);
  assert(texts.includes("1") && texts.includes("12"), texts.join());
});
