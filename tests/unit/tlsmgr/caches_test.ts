import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { toLatin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { Store } from "../../../lib/store/store.ts";
import { opensslVersionNumber } from "../../../lib/tls/version.ts";
import { sanitiseTimeout, SessionCaches } from "../../../lib/tlsmgr/caches.ts";
import { SessionCache } from "../../../lib/tlsmgr/session_cache.ts";
import { MemoryIo } from "../store/_memory_io.ts";
import { base64Value, ListLog, makeCache, NO_LIMITS, settingsFrom } from "./_setup.ts";

const NOW = 1_000_000;

function textOf(cache: SessionCache, id: string, nowS: number): string | undefined {
  const text = cache.find(id, nowS);
  return text === undefined ? undefined : toLatin1(text);
}

for (const [given, meant] of [[-5, 0], [0, 0], [1, 120], [119, 120], [120, 120], [3600, 3600]]) {
  Deno.test(`sanitiseTimeout() takes ${given} for ${meant}`, () => {
    assertEquals(sanitiseTimeout(given), meant);
  });
}

Deno.test("SessionCache.find() gives the text that was stored, for the timeout to the second", () => {
  const cache = makeCache("smtpd", { timeoutS: 120 });
  assertEquals(cache.store("id", base64Value("aGVsbG8="), NOW), true);
  assertEquals(textOf(cache, "id", NOW + 120), "aGVsbG8=");
  assertEquals(textOf(cache, "id", NOW + 121), undefined);
});

Deno.test("SessionCache.store() replaces an entry and restarts its age", () => {
  const cache = makeCache("smtpd", { timeoutS: 120 });
  cache.store("id", base64Value("YQ=="), NOW);
  cache.store("id", base64Value("Yg=="), NOW + 100);
  assertEquals(textOf(cache, "id", NOW + 220), "Yg==");
});

Deno.test("SessionCache keeps empty sessions and an empty id", () => {
  const cache = makeCache("smtpd");
  assertEquals(cache.store("", base64Value(""), NOW), true);
  assertEquals(textOf(cache, "", NOW), "");
  assertEquals(cache.remove(""), true);
  assertEquals(cache.find("", NOW), undefined);
});

Deno.test("SessionCache.find() removes an entry that has expired", () => {
  const cache = makeCache("smtpd", { timeoutS: 120 });
  cache.store("id", base64Value("YQ=="), NOW);
  cache.flush();
  cache.find("id", NOW + 121);
  assertEquals(cache.changed, false, "its expiry is written down already");
  assertEquals(cache.remove("id"), false);
});

Deno.test("SessionCache.remove() removes an entry whatever its age, once", () => {
  const cache = makeCache("smtpd");
  cache.store("id", base64Value("YQ=="), NOW);
  assertEquals(cache.remove("id"), true);
  assertEquals(cache.remove("id"), false);
});

Deno.test("SessionCache.store() turns away a session above the limit and keeps the old one", () => {
  const cache = makeCache("smtpd", { entryBytesMax: 5 });
  assertEquals(cache.store("id", base64Value("aGVsbG8="), NOW), true);
  cache.flush();
  assertEquals(cache.store("id", base64Value("aGVsbG9o"), NOW), false);
  assertEquals(cache.changed, false);
  assertEquals(textOf(cache, "id", NOW), "aGVsbG8=");
});

Deno.test("SessionCache.changed says whether a flush is wanted", () => {
  const cache = makeCache("smtpd");
  cache.find("id", NOW);
  cache.remove("id");
  assertEquals(cache.changed, false);
  cache.store("id", base64Value("YQ=="), NOW);
  assertEquals(cache.changed, true);
  cache.flush();
  assertEquals(cache.changed, false);
});

Deno.test("SessionCache without a database, or with a timeout of 0, is not enabled", () => {
  assertEquals(makeCache("smtpd").enabled, true);
  assertEquals(makeCache("smtpd", { database: false }).enabled, false);
  assertEquals(makeCache("smtpd", { timeoutS: 0 }).enabled, false);
});

Deno.test("SessionCache.scanSome() visits all entries in slices and removes the expired ones", () => {
  const cache = makeCache("smtpd", { timeoutS: 120 });
  for (let i = 0; i < 1200; i++) cache.store(`id ${i}`, base64Value("YQ=="), NOW + i % 2);
  assertEquals(cache.scanSome(NOW + 121), false);
  cache.startScan();
  let slices = 1;
  while (cache.scanSome(NOW + 121)) slices++;
  assertEquals(slices, 3);
  for (let i = 0; i < 1200; i++) assertEquals(cache.remove(`id ${i}`), i % 2 === 1);
});

Deno.test("SessionCache.startScan() does nothing for a cache that is off", () => {
  const trace: string[] = [];
  makeCache("smtpd", { trace, timeoutS: 0 }).startScan();
  assertEquals(trace, []);
});

Deno.test("SessionCache logs operations in Postfix's words", () => {
  const trace: string[] = [];
  const cache = makeCache("smtp", { trace, timeoutS: 120 });
  cache.store("id", base64Value("aGVsbG8="), NOW);
  cache.find("id", NOW);
  cache.find("id", NOW + 121);
  cache.startScan();
  assertEquals(trace, [
    "put smtp session id=id [data 5 bytes]",
    `write smtp TLS cache entry id: time=${NOW} [data 5 bytes]`,
    "lookup smtp session id=id",
    "read smtp TLS cache entry id: [data 5 bytes]",
    "lookup smtp session id=id",
    "delete smtp session id=id",
    "tlsmgr_cache_run_event: start TLS smtp session cache cleanup",
  ]);
});

Deno.test("SessionCache logs the beginning of a long id only", () => {
  const trace: string[] = [];
  makeCache("smtp", { trace }).find("x".repeat(100_000), NOW);
  assertEquals(trace[0].length < 1000, true);
});

/** Runs `test` with a folder that is removed afterwards. */
function withFolder(test: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "postern-caches-" });
  try {
    test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function openIn(folder: string, text: string, log = new ListLog()): SessionCaches {
  return SessionCaches.open(settingsFrom(`data_directory = "${folder}"\n${text}`), log);
}

const DATABASE = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;

Deno.test("SessionCaches.open() keeps entries in a file of ours that outlives it", () =>
  withFolder((folder) => {
    const first = openIn(folder, DATABASE);
    first.get("smtpd")?.store("id", base64Value("aGVsbG8="), NOW);
    first.close();
    assertEquals(
      [...Deno.readDirSync(folder)].map((entry) => entry.name).sort(),
      ["scache.postern", "scache.postern.lock"],
    );
    const second = openIn(folder, DATABASE);
    assertEquals(textOf(second.get("smtpd") as SessionCache, "id", NOW), "aGVsbG8=");
    second.close();
  }));

Deno.test("SessionCaches.open() empties the file when entries are not to persist", () =>
  withFolder((folder) => {
    const text = `${DATABASE}[cache.smtpd]\npersist = false\n`;
    const first = openIn(folder, text);
    first.get("smtpd")?.store("id", base64Value("aGVsbG8="), NOW);
    first.close();
    const second = openIn(folder, text);
    assertEquals(second.get("smtpd")?.find("id", NOW), undefined);
    second.close();
  }));

Deno.test("SessionCaches.open() opens nothing for a timeout of 0 or without a database", () =>
  withFolder((folder) => {
    const caches = openIn(folder, `${DATABASE}smtpd_tls_session_cache_timeout = 0\n`);
    const seen = [...caches].map((cache) => [cache.label, cache.enabled, cache.timeoutS]);
    assertEquals(seen, [["smtpd", false, 0], ["smtp", false, 3600], ["lmtp", false, 3600]]);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("SessionCaches.open() raises short timeouts", () => {
  const caches = SessionCaches.open(
    settingsFrom("smtpd_tls_session_cache_timeout = 5\n"),
    new ListLog(),
  );
  assertEquals(caches.get("smtpd")?.timeoutS, 120);
});

Deno.test("SessionCaches.open() takes the limit of an entry from the cache's own table", () =>
  withFolder((folder) => {
    const text = `${DATABASE}[cache.smtpd]\nmax_entry_bytes = 4\n`;
    const caches = openIn(folder, text);
    assertEquals(caches.get("smtpd")?.store("id", base64Value("aGVsbG8="), NOW), false);
    caches.close();
  }));

Deno.test("SessionCaches.open() refuses two names for one file, and keeps neither open", () =>
  withFolder((folder) => {
    const text = `${DATABASE}smtp_tls_session_cache_database = "hash:${folder}/./scache"\n`;
    const error = assertThrows(() => openIn(folder, text), FatalError);
    assertStringIncludes(error.message, "scache.postern");
    assertMatch(error.hint ?? "", /each cache a file of its own/);
    openIn(folder, DATABASE).close();
  }));

Deno.test("SessionCaches.open() refuses a folder that is missing, in one sentence", () => {
  const text = `smtpd_tls_session_cache_database = "btree:/nonexistent/folder/scache"\n`;
  const error = assertThrows(
    () => SessionCaches.open(settingsFrom(text), new ListLog()),
    FatalError,
  );
  assertMatch(error.message, /^Cannot open .*"\/nonexistent\/folder\/scache\.postern/);
  assertMatch(error.hint ?? "", /folder/);
});

Deno.test("SessionCaches.open() logs what it opens when the log level shows it", () =>
  withFolder((folder) => {
    const log = new ListLog();
    openIn(folder, `${DATABASE}smtpd_tls_loglevel = 2\n`, log).close();
    assertEquals(log.lines, [`open smtpd TLS cache btree:${folder}/scache`]);
    const silent = new ListLog();
    openIn(folder, `${DATABASE}smtpd_tls_loglevel = 1\n`, silent).close();
    assertEquals(silent.lines, []);
  }));

for (const database of [DATABASE, 'smtpd_tls_session_cache_database = "memory:"\n']) {
  const where = database === DATABASE ? "in a file" : "in memory";

  Deno.test(`SessionCaches.open() keeps a cache ${where} to its quotas`, () =>
    withFolder((folder) => {
      const caches = openIn(folder, `${database}[cache]\nmax_entries = 2\n`);
      const cache = caches.get("smtpd") as SessionCache;
      for (const id of ["a", "b"]) cache.store(id, base64Value("aGVsbG8="), NOW);
      cache.find("a", NOW);
      cache.store("c", base64Value("aGVsbG8="), NOW);
      assertEquals(["a", "b", "c"].map((id) => textOf(cache, id, NOW) !== undefined), [
        true,
        false,
        true,
      ]);
      caches.close();
    }));

  Deno.test(`SessionCaches.open() evicts the oldest ${where} where it is told to`, () =>
    withFolder((folder) => {
      const text = `${database}[cache.smtpd]\nmax_entries = 2\neviction = "oldest"\n`;
      const caches = openIn(folder, text);
      const cache = caches.get("smtpd") as SessionCache;
      for (const id of ["a", "b"]) cache.store(id, base64Value("aGVsbG8="), NOW);
      cache.find("a", NOW);
      cache.store("c", base64Value("aGVsbG8="), NOW);
      assertEquals(cache.find("a", NOW), undefined);
      caches.close();
    }));

  Deno.test(`SessionCaches.open() limits the bytes of a cache ${where}`, () =>
    withFolder((folder) => {
      const caches = openIn(folder, `${database}[cache]\nmax_bytes = 10000\n`);
      const cache = caches.get("smtpd") as SessionCache;
      const session = base64Value("A".repeat(3000));
      for (const id of ["a", "b", "c", "d"]) assertEquals(cache.store(id, session, NOW), true);
      assertEquals(cache.find("a", NOW), undefined);
      assertEquals(cache.store("e", base64Value("A".repeat(12_000)), NOW), false);
      caches.close();
    }));
}

Deno.test("SessionCaches.open() compacts by the ratio and from the length in the settings", () =>
  withFolder((folder) => {
    const bytesAfter = (text: string) => {
      const caches = openIn(folder, `${DATABASE}[cache]\npersist = false\n${text}`);
      const cache = caches.get("smtpd") as SessionCache;
      for (let n = 0; n < 100; n++) {
        cache.store("id", base64Value("A".repeat(1000)), NOW);
        caches.flush();
        caches.work();
      }
      caches.close();
      return Deno.statSync(`${folder}/scache.postern`).size;
    };
    assertEquals(bytesAfter("compact_min_bytes = 1000000\n") > 100_000, true);
    assertEquals(bytesAfter("compact_min_bytes = 1000\ncompact_ratio = 50.0\n") > 20_000, true);
    assertEquals(bytesAfter("compact_min_bytes = 1000\ncompact_ratio = 2.0\n") < 10_000, true);
  }));

Deno.test("SessionCaches.open() drops sessions of another OpenSSL, and only these", () =>
  withFolder((folder) => {
    const other = `A1B2&s=smtpd&l=${opensslVersionNumber + 16}`;
    const ids = [`A1B2&s=smtpd&l=${opensslVersionNumber}`, "smtp&[mx]:25&&&&1234", "plain", other];
    const first = openIn(folder, DATABASE);
    for (const id of ids) first.get("smtpd")?.store(id, base64Value("aGVsbG8="), NOW);
    first.close();
    const log = new ListLog();
    const second = openIn(folder, DATABASE, log);
    const there = ids.filter((id) => second.get("smtpd")?.find(id, NOW) !== undefined);
    assertEquals(there, ids.slice(0, 3));
    assertEquals(log.lines, [
      `Cache file "${folder}/scache.postern": dropped 1 entries that nobody can use`,
    ]);
    second.close();
  }));

Deno.test("SessionCache.find() leaves an entry that the disk does not give", () => {
  const io = new MemoryIo();
  const store = Store.open("c", { report: () => {}, io });
  const cache = new SessionCache({
    label: "smtpd",
    timeoutS: 120,
    database: { shown: "btree:c", store },
    entryBytesMax: 0,
    trace: undefined,
    adjustment: NO_LIMITS,
  });
  cache.store("id", base64Value("aGVsbG8="), NOW);
  cache.flush();
  io.fault = (call) => call === "pread" ? -ERRNO.EIO : undefined;
  assertEquals(cache.find("id", NOW), undefined);
  io.fault = () => undefined;
  assertEquals(textOf(cache, "id", NOW), "aGVsbG8=");
  cache.close();
});
