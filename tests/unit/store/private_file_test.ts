/** On a real disk: the refusals are the kernel's as much as ours. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { libcFileIo } from "../../../lib/store/file_io.ts";
import { Store } from "../../../lib/store/store.ts";

const NOW = 1_700_000_000;

function countDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Runs `act` with a folder of its own and checks that no descriptor is left. */
function inFolder(act: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  const before = countDescriptors();
  try {
    act(folder);
    assertEquals(countDescriptors(), before, "descriptors");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function open(path: string, io = libcFileIo): Store {
  return Store.open(path, { report: () => {}, io });
}

function assertRefused(path: string, words: RegExp, io = libcFileIo): void {
  const fault = assertThrows(() => open(path, io), FatalError) as FatalError;
  assertMatch(fault.message, words);
}

Deno.test("Store.open() makes a file of mode 0600, and finds it again", () => {
  inFolder((folder) => {
    const path = `${folder}/cache`;
    const store = open(path);
    store.put("k", latin1("v"), NOW);
    store.close();
    for (const name of ["cache", "cache.lock"]) {
      assertEquals((Deno.statSync(`${folder}/${name}`).mode ?? 0) & 0o777, 0o600);
    }
    const again = open(path);
    assertEquals(again.get("k", NOW), latin1("v"));
    again.close();
  });
});

Deno.test("Store.open() refuses symbolic links, whole or dangling, to the file or its lock", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/target`, "", { mode: 0o600 });
    Deno.symlinkSync(`${folder}/target`, `${folder}/a`);
    Deno.symlinkSync(`${folder}/nowhere`, `${folder}/b`);
    Deno.symlinkSync(`${folder}/target`, `${folder}/c.lock`);
    assertRefused(`${folder}/a`, /a": it is a symbolic link$/);
    assertRefused(`${folder}/b`, /b": it is a symbolic link$/);
    assertRefused(`${folder}/c`, /c\.lock": it is a symbolic link$/);
    assertEquals(Deno.statSync(`${folder}/target`).size, 0);
  });
});

Deno.test("Store.open() refuses folders, FIFOs, devices and files that are missing a folder", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/folder`);
    assertRefused(`${folder}/folder`, /Cannot open cache file ".*": Is a directory$/);
    const made = new Deno.Command("mkfifo", { args: ["-m", "600", `${folder}/fifo`] }).outputSync();
    assertEquals(made.success, true);
    assertRefused(`${folder}/fifo`, /it is not a regular file$/);
    assertRefused(`${folder}/none/cache`, /No such file or directory$/);
  });
});

Deno.test("Store.open() refuses files with several names and files that others may read", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/one`, "", { mode: 0o600 });
    Deno.linkSync(`${folder}/one`, `${folder}/two`);
    assertRefused(`${folder}/two`, /it has 2 names/);
    Deno.writeTextFileSync(`${folder}/open`, "");
    Deno.chmodSync(`${folder}/open`, 0o640);
    assertRefused(`${folder}/open`, /its mode 0640 lets others in$/);
  });
});

Deno.test("Store.open() refuses a file of another owner", () => {
  inFolder((folder) => {
    open(`${folder}/cache`).close();
    const other = { ...libcFileIo, effectiveUserId: () => libcFileIo.effectiveUserId() + 1 };
    assertRefused(`${folder}/cache`, /it belongs to user id \d+, not to \d+$/, other);
  });
});

Deno.test("Store.open() refuses a second owner by process id, and takes over from a dead one", () => {
  inFolder((folder) => {
    const path = `${folder}/cache`;
    const store = open(path);
    assertRefused(path, new RegExp(`: process ${Deno.pid} uses it \\(this one\\)$`));
    store.put("k", latin1("v"), NOW);
    store.close();
    Deno.writeTextFileSync(`${path}.lock`, "4194304\n");
    const again = open(path);
    assertEquals(again.get("k", NOW), latin1("v"));
    assertEquals(Deno.readTextFileSync(`${path}.lock`), `${Deno.pid}\n`);
    again.close();
  });
});

Deno.test("Store.open() still refuses a second owner after a compaction replaced the file", () => {
  inFolder((folder) => {
    const path = `${folder}/cache`;
    const store = Store.open(path, { report: () => {}, compactBytesMin: 100 });
    for (let i = 0; i < 9; i++) store.put("k", latin1(`value ${i}`), NOW);
    while (store.stats().compactions === 0) store.flush();
    assertRefused(path, /uses it/);
    assertEquals(store.get("k", NOW), latin1("value 8"));
    store.close();
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
      "cache",
      "cache.lock",
    ]);
  });
});

Deno.test("Store.open() refuses a folder where others may put files, unless it is sticky", () => {
  inFolder((folder) => {
    for (const mode of [0o770, 0o707, 0o777]) {
      Deno.chmodSync(folder, mode);
      assertRefused(
        `${folder}/cache`,
        new RegExp(
          `^Cannot use cache file ".*": others may put files into its folder ".*" ` +
            `\\(mode 0${mode.toString(8)}, not sticky\\)$`,
        ),
      );
    }
    Deno.chmodSync(folder, 0o1777);
    open(`${folder}/cache`).close();
    Deno.chmodSync(folder, 0o755);
    open(`${folder}/cache`).close();
  });
});

Deno.test("Store.open() gives what it makes to the user whom the process will become", () => {
  if (libcFileIo.effectiveUserId() !== 0) return;
  inFolder((folder) => {
    const path = `${folder}/cache`;
    const ownerId = 65_534;
    assertThrows(
      () => Store.open(path, { report: () => {}, ownerId }),
      FatalError,
      `user id ${ownerId}, who is to own it, may not write to its folder`,
    );
    assertEquals([...Deno.readDirSync(folder)], []);
    Deno.chownSync(folder, ownerId, null);
    const store = Store.open(path, { report: () => {}, ownerId });
    for (let i = 0; i < 9; i++) store.put("k", latin1(`value ${i}`), NOW);
    store.compact();
    while (store.stats().compactions === 0) store.work();
    store.close();
    for (const name of ["cache", "cache.lock"]) {
      assertEquals(Deno.statSync(`${folder}/${name}`).uid, ownerId, name);
    }
    // Ours is another's from there on.
    assertRefused(path, /it belongs to user id 65534, not to 0$/);
    Store.open(path, { report: () => {}, ownerId }).close();
  });
});

Deno.test("Store works in the folder that it opened, whatever becomes of its path", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/a`, { mode: 0o700 });
    const store = Store.open(`${folder}/a/cache`, { report: () => {} });
    store.put("k", latin1("v"), NOW);
    Deno.renameSync(`${folder}/a`, `${folder}/b`);
    Deno.mkdirSync(`${folder}/a`, { mode: 0o700 });
    store.compact();
    while (store.stats().compactions === 0) store.work();
    store.close();
    assertEquals([...Deno.readDirSync(`${folder}/a`)], []);
    const again = open(`${folder}/b/cache`);
    assertEquals(again.get("k", NOW), latin1("v"));
    again.close();
  });
});
