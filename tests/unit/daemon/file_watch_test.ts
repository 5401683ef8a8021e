import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { findReadFault, lookAtFile, markFile, whyUnseen } from "../../../lib/daemon/file_marks.ts";
import { FileWatch, GONE_QUIET_MS, QUIET_MS } from "../../../lib/daemon/file_watch.ts";
import { TempFolder } from "../../support/temp_folder.ts";

/** Files that are as a test says. */
class Disk {
  readonly marks = new Map<string, string>();
  nowMs = 0;
  readonly watch = new FileWatch({
    nowMs: () => this.nowMs,
    look: (path) => Promise.resolve(this.marks.get(path) ?? "unseen: it is not there"),
  });

  /** Reads `paths`, with success or not. */
  read(paths: readonly string[], isInForce = true): void {
    this.watch.beginReading();
    this.watch.note(paths.map((path) => [path, this.marks.get(path) ?? "unseen: it is not there"]));
    this.watch.endReading(isInForce);
  }

  /** Looks, as often as it takes to be sure; whatever is told. */
  async told(quietMs = QUIET_MS): Promise<readonly string[] | undefined> {
    for (const step of [0, quietMs - 1]) {
      this.nowMs += step;
      assertEquals(await this.watch.findChange(), undefined, "too early");
    }
    this.nowMs += 1;
    return await this.watch.findChange();
  }
}

function diskOf(...paths: string[]): Disk {
  const disk = new Disk();
  for (const path of paths) disk.marks.set(path, "1");
  disk.read(paths);
  return disk;
}

Deno.test("FileWatch tells a change once, when all is quiet", async () => {
  const disk = diskOf("/cert", "/key");
  assertEquals(await disk.told(), undefined);
  disk.marks.set("/cert", "2");
  assertEquals(await disk.watch.findChange(), undefined);
  disk.nowMs += QUIET_MS - 1;
  // The key comes later, and begins the silence again.
  disk.marks.set("/key", "2");
  assertEquals(await disk.told(), ["/cert", "/key"]);
  assertEquals(await disk.told(), undefined);
});

Deno.test("FileWatch waits longer for a file that is gone", async () => {
  const disk = diskOf("/cert", "/key");
  disk.marks.delete("/cert");
  disk.marks.set("/key", "2");
  assertEquals(await disk.watch.findChange(), undefined);
  disk.nowMs += GONE_QUIET_MS - 1;
  assertEquals(await disk.watch.findChange(), undefined);
  disk.marks.set("/cert", "2");
  assertEquals(await disk.told(), ["/cert", "/key"]);
  // One that stays away is a change as well, so that somebody hears of it.
  disk.marks.delete("/key");
  assertEquals(await disk.told(GONE_QUIET_MS), ["/key"]);
  disk.marks.set("/key", "3");
  assertEquals(await disk.told(), ["/key"]);
});

Deno.test("FileWatch takes what comes back as it was for no change", async () => {
  const disk = diskOf("/cert");
  disk.marks.delete("/cert");
  assertEquals(await disk.watch.findChange(), undefined);
  disk.marks.set("/cert", "1");
  disk.nowMs += GONE_QUIET_MS;
  assertEquals(await disk.watch.findChange(), undefined);
  assertEquals(await disk.told(), undefined);
});

Deno.test("FileWatch takes what somebody has read meanwhile for no change", async () => {
  const disk = diskOf("/cert");
  disk.marks.set("/cert", "2");
  assertEquals(await disk.watch.findChange(), undefined);
  disk.read(["/cert"]);
  assertEquals(await disk.told(), undefined);
});

Deno.test("FileWatch watches what is in force, and after a failure what was tried as well", async () => {
  const disk = diskOf("/settings", "/old");
  disk.read(["/settings", "/new"], false);
  assertEquals(disk.watch.paths.toSorted(), ["/new", "/old", "/settings"]);
  disk.marks.set("/new", "1");
  assertEquals(await disk.told(), ["/new"]);
  disk.read(["/settings", "/new"]);
  assertEquals(disk.watch.paths.toSorted(), ["/new", "/settings"]);
  disk.marks.set("/old", "2");
  assertEquals(await disk.told(), undefined);
});

Deno.test("FileWatch looks seldom while nothing changes, and more seldom at many files", async () => {
  const disk = diskOf("/cert");
  const idleMs = disk.watch.delayMs;
  disk.marks.set("/cert", "2");
  await disk.watch.findChange();
  assert(disk.watch.delayMs < QUIET_MS && QUIET_MS < idleMs, "soon after a change");
  const many = diskOf(...Array.from({ length: 5000 }, (_, index) => `/${index}`));
  assert(many.watch.delayMs >= 50_000);
});

Deno.test("FileWatch.findLost() names what cannot be read any more, and what cannot be seen", async () => {
  const disk = diskOf("/cert", "/key", "/hidden");
  disk.marks.set("/hidden", "unseen: permission denied");
  const lines = await disk.watch.findLost((path) =>
    Promise.resolve(path === "/key" ? "permission denied" : undefined)
  );
  assertEquals(lines.length, 2);
  assertMatch(
    lines[0],
    /^"\/key" cannot be read any more \(permission denied\): a reload after a /,
  );
  assertMatch(
    lines[1],
    /^"\/hidden" cannot be .* \(permission denied\): a change of it will not be/,
  );
  for (const line of lines) assertStringIncludes(line, "group postern");
  // That it is hidden is no change.
  assertEquals(await disk.told(GONE_QUIET_MS), undefined);
});

Deno.test("a mark tells every kind of change", async () => {
  await using folder = await TempFolder.make("mark");
  const archive = (n: number) => folder.file(`cert${n}.pem`);
  await Deno.writeTextFile(archive(1), "one");
  await Deno.writeTextFile(archive(2), "two");
  await Deno.mkdir(folder.file("live"));
  const path = folder.file("live/cert.pem");
  await Deno.symlink("../cert1.pem", path);
  let [, before] = markFile(path);
  assertEquals(await lookAtFile(path), before);
  const changes: Record<string, () => Promise<void>> = {
    "a link that is turned": async () => {
      await Deno.symlink("../cert2.pem", `${path}.new`);
      await Deno.rename(`${path}.new`, path);
    },
    "a file that is renamed into its place": async () => {
      await Deno.writeTextFile(folder.file("new"), "two");
      await Deno.rename(folder.file("new"), archive(2));
    },
    "a file that is written": () => Deno.writeTextFile(archive(2), "three"),
    "rights": () => Deno.chmod(archive(2), 0o640),
    "a folder that is replaced": async () => {
      await Deno.mkdir(folder.file("next"));
      await Deno.writeTextFile(folder.file("next/cert.pem"), "three");
      await Deno.rename(folder.file("live"), folder.file("last"));
      await Deno.rename(folder.file("next"), folder.file("live"));
    },
    "the end of the file": () => Deno.remove(path),
  };
  for (const [name, change] of Object.entries(changes)) {
    await change();
    const now = await lookAtFile(path);
    assertNotEquals(now, before, name);
    before = now;
  }
  assertEquals(whyUnseen(before), "it is not there");
  assertEquals(await findReadFault(path), "it is not there");
  assertEquals(await findReadFault(archive(1)), undefined);
  assertEquals(await findReadFault(folder.path), undefined);
  assertEquals(whyUnseen(markFile(archive(1))[1]), undefined);
});
