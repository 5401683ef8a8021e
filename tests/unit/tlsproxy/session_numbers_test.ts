import { assertEquals } from "@std/assert";
import { ManualClock } from "../../../lib/base/clock.ts";
import type { MetricName } from "../../../lib/daemon/numbers/metric_table.ts";
import { NumberBoard } from "../../../lib/daemon/numbers/number_board.ts";
import { TLSMGR_STATUS } from "../../../lib/proto/tlsmgr.ts";
import { countQuestions, SessionNumbers } from "../../../lib/tlsproxy/session_numbers.ts";
import { END_REASONS, Story, unreadStory } from "../../../lib/tlsproxy/session_story.ts";

/** The series of a metric that are not 0, by their label values. */
function valuesOf(board: NumberBoard, name: MetricName): Record<string, number> {
  const family = board.collect().find((one) => one.name === name);
  if (family === undefined || family.type === "histogram") return {};
  const shown = family.samples.filter(({ value }) => value !== 0);
  return Object.fromEntries(
    shown.map(({ labels, value }) => [Object.values(labels).join("|"), value]),
  );
}

function setUp() {
  const board = new NumberBoard(new ManualClock());
  const numbers = new SessionNumbers(board.own);
  const of = (name: MetricName) => valuesOf(board, name);
  return { board, numbers, of };
}

/** A story whose handshake has succeeded. */
function shaken(facts: Partial<Story> = {}): Story {
  const story = new Story(1, 0);
  return Object.assign(story, {
    ...{ stage: "relay", handedOverMs: 1000, shakenMs: 1004 },
    ...{ version: 0x304, cipherId: 0x1301, groupId: 29 },
    ...facts,
  });
}

Deno.test("SessionNumbers shows where each session stands until it has ended", () => {
  const { numbers, of } = setUp();
  const states = () => of("postern_tlsproxy_sessions");
  numbers.arrived("accepted");
  numbers.arrived("refused");
  assertEquals(states(), { "handing off": 2 });
  numbers.handedOver();
  assertEquals(states(), { "handing off": 1, handshaking: 1 });
  const story = shaken();
  numbers.shaken(story);
  assertEquals(states(), { "handing off": 1, relaying: 1 });
  story.end("completed", "closed by peer");
  numbers.ended(story);
  const refused = new Story(2, 0);
  refused.refuse("too many sessions");
  numbers.ended(refused);
  assertEquals(states(), {});
  assertEquals(of("postern_tlsproxy_connections_total"), { accepted: 1, refused: 1 });
  assertEquals(of("postern_tlsproxy_sessions_total"), {
    "completed|closed by peer": 1,
    "refused|too many sessions": 1,
  });
});

Deno.test("SessionNumbers counts a connection that was closed unread as arrived and ended", () => {
  const { numbers, of } = setUp();
  numbers.arrived("closed unread");
  numbers.countEnd(unreadStory(1, 0));
  assertEquals(of("postern_tlsproxy_sessions"), {});
  assertEquals(of("postern_tlsproxy_connections_total"), { "closed unread": 1 });
  assertEquals(of("postern_tlsproxy_sessions_total"), { "refused|too many connections": 1 });
});

Deno.test("SessionNumbers has a series for each reason with each of its outcomes", () => {
  const { numbers, of } = setUp();
  const pairs = Object.entries(END_REASONS).flatMap(([reason, outcomes]) =>
    outcomes.map((outcome) => [outcome, reason] as const)
  );
  for (const [outcome, reason] of pairs) {
    numbers.countEnd(Object.assign(new Story(1, 0), { outcome, reason }));
  }
  const wanted = Object.fromEntries(pairs.map((pair) => [pair.join("|"), 1]));
  assertEquals(of("postern_tlsproxy_sessions_total"), wanted);
});

Deno.test("SessionNumbers counts handshakes by all that was agreed on", () => {
  const { board, numbers } = setUp();
  const kinds = [0x303, 0x304].flatMap((version) =>
    [0x1301, 0xc02b].flatMap((cipherId) =>
      [0, 29].flatMap((groupId) =>
        (["full", "session id", "ticket", "psk"] as const).map((resumed) => (
          { version, cipherId, groupId, resumed }
        ))
      )
    )
  );
  for (const kind of kinds) numbers.shaken(shaken(kind));
  for (const kind of kinds) numbers.shaken(shaken(kind));
  const family = board.collect().find(({ name }) => name === "postern_tlsproxy_handshakes_total");
  const samples = family?.type === "counter" ? family.samples : [];
  const byResumed = (word: string) =>
    samples.filter(({ labels }) => labels.resumed === word)
      .reduce((sum, { value }) => sum + value, 0);
  assertEquals(["full", "session id", "ticket", "psk"].map(byResumed), [16, 16, 16, 16]);
  const byProtocol = samples.filter(({ labels }) => labels.protocol === "TLSv1.3");
  assertEquals(byProtocol.reduce((sum, { value }) => sum + value, 0), 32);
  assertEquals(samples.filter(({ labels }) => labels.group === "none").length > 0, true);
});

Deno.test("SessionNumbers counts why a session that was offered was not resumed", () => {
  const { numbers, of } = setUp();
  for (const missed of ["", "not in cache", "unknown ticket key", "not in cache"] as const) {
    numbers.shaken(shaken({ missed }));
  }
  assertEquals(of("postern_tlsproxy_resumption_refusals_total"), {
    "not in cache": 2,
    "unknown ticket key": 1,
  });
});

Deno.test("SessionNumbers measures handshakes from the handed-over socket, in seconds", () => {
  const { board, numbers } = setUp();
  numbers.shaken(shaken({ handedOverMs: 500, shakenMs: 750 }));
  numbers.shaken(shaken({ handedOverMs: 500, shakenMs: 60_500 }));
  const family = board.collect().find(({ name }) => name === "postern_tlsproxy_handshake_seconds");
  const [sample] = family?.type === "histogram" ? family.samples : [];
  assertEquals(sample.sum, 60.25);
  const upTo = (bound: number) => sample.buckets.find(({ le }) => le === bound)!.count;
  assertEquals([upTo(0.1), upTo(0.25), upTo(10), upTo(Infinity)], [0, 1, 1, 2]);
});

Deno.test("SessionNumbers counts each byte once, of sessions that last and of others", () => {
  const { numbers, of } = setUp();
  const bytes = () => of("postern_tlsproxy_bytes_total");
  const [long, short] = [shaken(), shaken()];
  const moved = long.moved = { bytesFromNet: 100, bytesToNet: 1 };
  numbers.fold(long);
  assertEquals(bytes(), { from_peer: 100, to_peer: 1 });
  numbers.fold(long);
  assertEquals(bytes(), { from_peer: 100, to_peer: 1 });
  Object.assign(moved, { bytesFromNet: 150, bytesToNet: 5 });
  numbers.fold(long);
  short.moved = { bytesFromNet: 1000, bytesToNet: 2000 };
  numbers.ended(short);
  Object.assign(moved, { bytesFromNet: 151, bytesToNet: 7 });
  numbers.ended(long);
  assertEquals(bytes(), { from_peer: 1151, to_peer: 2007 });
});

Deno.test("countQuestions() counts what tlsmgr answered, and that it did not", () => {
  const { board, of } = setUp();
  const count = countQuestions(board.own);
  count("lookup", TLSMGR_STATUS.ok);
  count("lookup", TLSMGR_STATUS.err);
  count("lookup", TLSMGR_STATUS.err);
  count("tktkey", TLSMGR_STATUS.fail);
  count("update", undefined);
  assertEquals(of("postern_tlsproxy_tlsmgr_questions_total"), {
    "lookup|ok": 1,
    "lookup|err": 2,
    "tktkey|fail": 1,
    "update|no answer": 1,
  });
});
