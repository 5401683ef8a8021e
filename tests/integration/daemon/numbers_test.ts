import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../../lib/base/bytes.ts";
import { certificatePems, writeCertificates } from "../../support/certificates.ts";
import { type Metrics, readMetrics } from "../../support/metrics.ts";
import {
  type Postern,
  posternBinary,
  startPostern,
  type TomlValue,
  toToml,
} from "../../support/postern.ts";
import {
  countDescriptorsOf,
  residentKbOf,
  runChecked,
  startProcess,
} from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";
import { Crowd, type Kept } from "./_crowd.ts";

const SESSIONS_MAX = 30;
const AT_ONCE = 12;
/** Sessions over and above those that there may be. */
const REFUSED = 16;

/** Both roles, the one asking the other, and where they show their numbers. */
class Roles implements AsyncDisposable {
  tlsmgr!: Postern;
  tlsproxy!: Postern;
  readonly folder: TempFolder;
  readonly #stack: AsyncDisposableStack;

  private constructor(folder: TempFolder, stack: AsyncDisposableStack) {
    this.folder = folder;
    this.#stack = stack;
  }

  static async start(log: Record<string, TomlValue> = {}): Promise<Roles> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TempFolder.make("numbers"));
    await Deno.mkdir(folder.file("private"));
    await certificatePems();
    const certificates = await writeCertificates(folder.path);
    const later = new AsyncDisposableStack();
    const roles = new Roles(folder, later);
    const common = { queue_directory: folder.path, data_directory: folder.path };
    roles.tlsmgr = stack.use(
      await startPostern({
        role: "tlsmgr",
        socket: folder.file("private/tlsmgr"),
        settingsPath: folder.file("tlsmgr.toml"),
        settings: {
          ...common,
          smtpd_tls_session_cache_database: `btree:${folder.path}/smtpd_scache`,
          smtpd_tls_loglevel: 1,
        },
        service: { metrics: roles.metricsSocket("tlsmgr") },
      }),
    );
    roles.tlsproxy = stack.use(
      await startPostern({
        role: "tlsproxy",
        socket: roles.socket,
        settingsPath: folder.file("tlsproxy.toml"),
        settings: {
          ...common,
          log,
          smtpd_tls_security_level: "may",
          smtpd_tls_loglevel: 1,
          smtpd_tls_cert_file: certificates.rsaCertificate,
          smtpd_tls_key_file: certificates.rsaKey,
          smtpd_tls_eccert_file: certificates.ecCertificate,
          smtpd_tls_eckey_file: certificates.ecKey,
        },
        service: {
          workers: 2,
          max_sessions: SESSIONS_MAX,
          metrics: roles.metricsSocket("tlsproxy"),
        },
      }),
    );
    later.use(stack.move());
    return roles;
  }

  get socket(): string {
    return this.folder.file("tlsproxy.sock");
  }

  metricsSocket(role: "tlsmgr" | "tlsproxy"): string {
    return this.folder.file(`${role}.metrics`);
  }

  metrics(role: "tlsmgr" | "tlsproxy"): Promise<Metrics> {
    return readMetrics(this.metricsSocket(role));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Some at the same time, fewer than there may be. */
async function repeat(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const OFFERS = ["TLSv1.2 ticket", "TLSv1.2 id", "TLSv1.3"] as const;
const RESUMED = {
  "TLSv1.2 ticket": "ticket",
  "TLSv1.2 id": "session id",
  "TLSv1.3": "psk",
} as const;

/** Full handshakes, and ones that resume them. */
async function makeSessions(crowd: Crowd, rounds: number): Promise<void> {
  await repeat(rounds, async (index) => {
    const offer = OFFERS[index % OFFERS.length];
    const options = Crowd.offers(offer);
    let kept: Kept | undefined;
    const closedBy = index % 2 === 0 ? "peer" as const : "client" as const;
    try {
      kept = await crowd.complete("full", options, { closedBy, keep: true });
      if (kept === undefined) return;
      const again = { ...options, session: kept.pointer };
      await crowd.complete(RESUMED[offer], again, { closedBy });
    } finally {
      kept?.[Symbol.dispose]();
    }
  });
}

/** Sessions that one service has made and another one does not find. */
async function missSessions(crowd: Crowd, rounds: number): Promise<void> {
  const options = Crowd.offers("TLSv1.2 id");
  for (let i = 0; i < rounds; i++) {
    using kept = await crowd.complete("full", options, { closedBy: "peer", keep: true });
    const again = { ...options, session: kept!.pointer };
    await crowd.complete("full", again, { closedBy: "peer", serverId: "submission" });
    crowd.tally.add("missed not in cache");
  }
}

/** All that can go wrong. */
async function makeFailures(crowd: Crowd, rounds: number): Promise<void> {
  const fatalAlert = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);
  const acts: (() => Promise<unknown>)[] = [
    () => crowd.failWith("not TLS", utf8("EHLO client.example\r\n")),
    () => crowd.failWith("protocol error", fatalAlert),
    () => crowd.alertServer(fatalAlert),
    () =>
      crowd.failBecauseOf("no shared cipher", { version: 0x303, ciphers: "DHE-DSS-AES128-SHA" }),
    () => crowd.leaveHandshake(),
    () => crowd.refused("client role", 2),
    () => crowd.refused("bad request", 1 | 2),
    () => crowd.probe(),
    () => crowd.abandon("before the request"),
    () => crowd.abandon("before the descriptor"),
  ];
  await repeat(rounds * acts.length, (index) => acts[index % acts.length]());
}

/** More sessions than there may be. */
async function fillUp(crowd: Crowd, refused: number): Promise<void> {
  const open = [];
  for (let i = 0; i < SESSIONS_MAX; i++) {
    open.push(await crowd.open("full", Crowd.offers("TLSv1.3")));
  }
  for (let i = 0; i < refused; i++) await crowd.refused("too many sessions");
  for (const session of open) {
    session.close("peer");
    await session.ended();
  }
}

function linesOf({ log }: Postern, role: string): string[] {
  return log.split("\n").filter((line) => line.startsWith(`postfix/${role}[`));
}

function countBy(texts: readonly string[], pattern: RegExp): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const key = match.slice(1).join(" ");
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** The numbers when all sessions have ended: the last ones do after their clients have seen it. */
function metricsAfter({ tally }: Crowd, roles: Roles): Promise<Metrics> {
  const ended = sum(tally.of("end"));
  return waitUntil("the ends of all sessions", async () => {
    const seen = await roles.metrics("tlsproxy");
    return seen.sum("postern_tlsproxy_sessions_total") === ended ? seen : undefined;
  });
}

Deno.test("a thousand mixed sessions: numbers, log and clients tell the same", async () => {
  await using roles = await Roles.start();
  const crowd = new Crowd(roles.socket);
  const { tally } = crowd;

  // One that lasts, and goes on after a reload.
  const long = await crowd.open("full", Crowd.offers("TLSv1.3"));
  await crowd.talk(long, { fromPeer: 1000, toPeer: 2000 });
  await makeSessions(crowd, 180);
  await makeFailures(crowd, 20);
  roles.tlsproxy.signal("SIGHUP");
  await roles.tlsproxy.waitForLog(/reload: the new settings are in force/);
  await makeSessions(crowd, 105);
  await makeFailures(crowd, 18);
  const open = await waitUntil("the bytes of the session that lasts", async () => {
    const seen = await roles.metrics("tlsproxy");
    return seen.sum("postern_tlsproxy_bytes_total", { direction: "to_peer" }) ===
        tally.bytesToPeer && seen;
  });
  assertEquals(open.table("postern_tlsproxy_sessions", "state"), { relaying: 1 });
  long.close("client");
  await long.ended();
  await waitUntil("the end of the threads before the reload", async () => {
    return (await roles.metrics("tlsproxy")).sum("postern_service_threads") === 2;
  });
  await fillUp(crowd, REFUSED);
  await Promise.all([crowd.stayStill(), crowd.stayStill(), crowd.stayStill()]);
  assertEquals(tally.counts.connection, 1000);

  const metrics = await metricsAfter(crowd, roles);

  // With what the clients saw.
  assertEquals(
    metrics.table("postern_tlsproxy_sessions_total", "outcome", "reason"),
    tally.of("end"),
  );
  assertEquals(
    metrics.table("postern_tlsproxy_handshakes_total", "protocol", "cipher", "resumed"),
    tally.of("handshake"),
  );
  assertEquals(metrics.table("postern_tlsproxy_connections_total", "outcome"), {
    accepted: tally.counts.connection - REFUSED,
    refused: REFUSED,
  });
  assertEquals(metrics.table("postern_tlsproxy_bytes_total", "direction"), {
    from_peer: tally.bytesFromPeer,
    to_peer: tally.bytesToPeer,
  });
  assertEquals(metrics.table("postern_tlsproxy_sessions", "state"), {});
  const handshakes = sum(tally.of("handshake"));
  assertEquals(metrics.sum("postern_tlsproxy_handshake_seconds_count"), handshakes);
  assertEquals(metrics.table("postern_reloads_total", "outcome"), { done: 1 });

  // With the log.
  const lines = linesOf(roles.tlsproxy, "tlsproxy");
  const established = /TLS connection established from \S+: (\S+) with cipher (\S+) /;
  assertEquals(
    countBy(lines, established),
    metrics.table("postern_tlsproxy_handshakes_total", "protocol", "cipher"),
  );
  const counted = (pattern: RegExp) => sum(countBy(lines, pattern));
  assertEquals(counted(/: CONNECT /), tally.counts.request);
  assertEquals(counted(/: DISCONNECT /), tally.counts.request);
  const failed = metrics.sum("postern_tlsproxy_sessions_total", { outcome: "failed" });
  assertEquals(counted(/: TLS handshake failed /), failed);
  const lost = metrics.sum("postern_tlsproxy_sessions_total", {
    ...{ outcome: "refused", reason: "too many sessions" },
  });
  assertEquals(counted(/max_sessions\): refusing /), lost);
  const repeats = /last message repeated (\d+) times/;
  const folded = lines.map((line) => Number(repeats.exec(line)?.[1] ?? 0));
  assertEquals(
    metrics.sum("postern_log_lines_total"),
    lines.length - folded.filter((count) => count > 0).length,
  );
  assertEquals(
    metrics.sum("postern_log_lines_folded_total"),
    folded.reduce((total, count) => total + count, 0),
  );
  assertEquals(metrics.sum("postern_log_lines_lost_total"), 0);

  // With the other role.
  const there = await roles.metrics("tlsmgr");
  assertEquals(
    there.table("postern_tlsmgr_requests_total", "type", "status"),
    metrics.table("postern_tlsproxy_tlsmgr_questions_total", "type", "outcome"),
  );
  const resumedById = metrics.sum("postern_tlsproxy_handshakes_total", { resumed: "session id" });
  assertEquals(there.sum("postern_tlsmgr_cache_lookups_total", { result: "hit" }), resumedById);
});

Deno.test("numbers and events in the log tell the same: ends, bytes, what was agreed on", async () => {
  await using roles = await Roles.start({ format: "json" });
  const crowd = new Crowd(roles.socket);
  await makeSessions(crowd, 15);
  await missSessions(crowd, 3);
  await makeFailures(crowd, 2);
  const metrics = await metricsAfter(crowd, roles);
  const events = roles.tlsproxy.log.split("\n").filter((line) => line.includes('"event"'))
    .map((line) => JSON.parse(line));
  const tableOf = (event: string, ...fields: string[]) => {
    const table: Record<string, number> = {};
    for (const one of events.filter((each) => each.event === event)) {
      const key = fields.map((field) => one[field] ?? "none").join(" ");
      table[key] = (table[key] ?? 0) + 1;
    }
    return table;
  };
  assertEquals(
    metrics.table("postern_tlsproxy_sessions_total", "outcome", "reason"),
    tableOf("session", "outcome", "reason"),
  );
  const agreed = ["protocol", "cipher", "group", "resumed"];
  assertEquals(
    metrics.table("postern_tlsproxy_handshakes_total", ...agreed),
    tableOf("handshake", ...agreed),
  );
  const { none: _, ...missed } = tableOf("handshake", "not_resumed_because");
  assertEquals(
    metrics.table("postern_tlsproxy_resumption_refusals_total", "reason"),
    missed,
  );
  assertEquals(missed, crowd.tally.of("missed"));
  const total = (field: string) =>
    events.filter(({ event }) => event === "session")
      .reduce((bytes, each) => bytes + each[field], 0);
  assertEquals(metrics.table("postern_tlsproxy_bytes_total", "direction"), {
    from_peer: total("bytes_from_peer"),
    to_peer: total("bytes_to_peer"),
  });
});

Deno.test("the numbers of both roles are what promtool takes for good ones", async () => {
  await using roles = await Roles.start();
  const crowd = new Crowd(roles.socket);
  await makeSessions(crowd, 3);
  await makeFailures(crowd, 1);
  for (const role of ["tlsproxy", "tlsmgr"] as const) {
    const { text, samples } = await roles.metrics(role);
    const file = await roles.folder.write(`${role}.prom`, text);
    const output = await runChecked("sh", ["-c", `promtool check metrics < "${file}" 2>&1`]);
    assertEquals(output.stdout, "");
    assert(samples.length > 50);
    assertEquals(samples.filter(({ value }) => Number.isNaN(value)), []);
  }
});

/**
 * Waits until a process shows the size that the system says it has. It lets go of the pages of its
 * program's file soon after it is ready, and that may be between the two looks.
 */
async function seesItsSize(pid: number, read: () => Promise<Metrics>): Promise<void> {
  let seen = "";
  await waitUntil("the same size twice", async () => {
    const shownKb = (await read()).sum("process_resident_memory_bytes") / 1024;
    const residentKb = await residentKbOf(pid);
    seen = `${shownKb} and ${residentKb} kB`;
    return Math.abs(shownKb - residentKb) < residentKb / 4;
  }, { explain: () => seen });
}

Deno.test("the process shows what the system knows of it, and until when its certificates are good", async () => {
  await using roles = await Roles.start();
  const metrics = await roles.metrics("tlsproxy");
  const { pid } = roles.tlsproxy;
  await seesItsSize(pid, () => roles.metrics("tlsproxy"));
  const descriptors = await roles.tlsproxy.countDescriptors();
  assert(Math.abs(metrics.sum("process_open_fds") - descriptors) <= 2);
  const started = Deno.statSync(`/proc/${pid}`).mtime!.getTime() / 1000;
  assert(Math.abs(metrics.sum("process_start_time_seconds") - started) < 5);
  assert(metrics.sum("process_cpu_seconds_total") > 0);
  assertEquals(metrics.sum("postern_watchdog_limit_seconds"), 10);
  await waitUntil("a look of the watchdog at threads that wait", async () => {
    return (await roles.metrics("tlsproxy")).sum("postern_watchdog_margin_seconds") === 10;
  });
  assertEquals(metrics.sum("postern_service_threads"), 2);
  assertEquals(metrics.sum("postern_tlsproxy_contexts"), 2);
  assertEquals(metrics.sum("postern_build_info"), 1);
  for (const name of ["rsa.pem", "ec.pem"]) {
    const shown = metrics.samples.filter(({ name: metric, labels }) =>
      metric === "postern_tlsproxy_certificate_expiry_timestamp_seconds" &&
      labels.certificate.includes(name)
    );
    const args = ["x509", "-noout", "-enddate", "-in", roles.folder.file(name)];
    const { stdout } = await runChecked("openssl", args);
    const end = Date.parse(stdout.trim().replace("notAfter=", ""));
    assertEquals(shown.map(({ value }) => value), [end / 1000]);
  }
});

Deno.test({
  name:
    "a process that has given its rights away, and is shut in, shows what the system knows of it",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using folder = await TempFolder.make("jail");
    const { stdout } = await runChecked("id", ["-u", "games"]);
    for (const name of ["data", "private", "public"]) {
      await Deno.mkdir(folder.file(name), { mode: 0o700 });
      await Deno.chown(folder.file(name), Number(stdout), null);
    }
    const settings = {
      queue_directory: folder.path,
      data_directory: folder.file("data"),
      service: {
        user: "games",
        chroot: true,
        tlsmgr: { metrics: folder.file("public/metrics") },
      },
    };
    const config = await folder.write("tlsmgr.toml", toToml(settings));
    const args = ["--role", "tlsmgr", "--config", config];
    await using tlsmgr = startProcess(posternBinary(), args);
    await tlsmgr.waitFor("readiness", () => /: ready: /.test(tlsmgr.stderr));
    assertEquals(await Deno.readLink(`/proc/${tlsmgr.pid}/root`), await Deno.realPath(folder.path));
    const metrics = await readMetrics(folder.file("public/metrics"));
    await seesItsSize(tlsmgr.pid, () => readMetrics(folder.file("public/metrics")));
    const descriptors = await countDescriptorsOf(tlsmgr.pid);
    assert(Math.abs(metrics.sum("process_open_fds") - descriptors) <= 2);
    assert(metrics.sum("process_start_time_seconds") > 0);
    assert(metrics.sum("process_cpu_seconds_total") > 0);
    assert(metrics.sum("process_max_fds") > 0);
  },
});
