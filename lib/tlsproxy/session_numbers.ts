/**
 * What a service thread counts of its sessions.
 *
 * A session costs a dozen additions, most of them at its end; what is counted by protocol, cipher and
 * group is found by their numbers. Bytes are counted when a session ends, and every ten seconds for those
 * that last longer.
 *
 * @module
 */
import type { Counter, Gauge, Histogram, Numbers } from "../daemon/numbers/numbers.ts";
import { ASK_NAMES, type AskName, TLSMGR_STATUS } from "../proto/tlsmgr.ts";
import { MISSED, type Missed, RESUMED } from "../tls/agreed.ts";
import {
  END_REASONS,
  type EndReason,
  type Outcome,
  type SessionStory,
  type Stage,
} from "./session_story.ts";

/** Between two looks at the bytes of sessions that last, milliseconds. */
export const FOLD_INTERVAL_MS = 10_000;

/** What became of a connection when it came. */
export type Arrival = "accepted" | "refused" | "closed unread";

/** Bytes of a session that have been counted before its end. */
interface Counted {
  fromPeer: number;
  toPeer: number;
}

const NOTHING: Counted = { fromPeer: 0, toPeer: 0 };

/** The numbers of one thread's sessions. */
export class SessionNumbers {
  readonly #numbers: Numbers;
  readonly #arrivals: Readonly<Record<Arrival, Counter>>;
  readonly #open: Readonly<Record<Stage, Gauge>>;
  readonly #ends: Readonly<Record<EndReason, ReadonlyMap<Outcome, Counter>>>;
  readonly #missed: ReadonlyMap<Missed, Counter>;
  readonly #handshakeTimes: Histogram;
  readonly #fromPeer: Counter;
  readonly #toPeer: Counter;
  /** Handshakes by what was agreed on; see {@linkcode keyOf}. */
  readonly #handshakes = new Map<number, Counter>();
  /** Only sessions that have lasted for a while. */
  readonly #counted = new Map<SessionStory, Counted>();

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
    const arrival = (outcome: Arrival) =>
      numbers.counter("postern_tlsproxy_connections_total", { outcome });
    this.#arrivals = {
      accepted: arrival("accepted"),
      refused: arrival("refused"),
      "closed unread": arrival("closed unread"),
    };
    const open = (state: string) => numbers.gauge("postern_tlsproxy_sessions", { state });
    this.#open = {
      "hand-off": open("handing off"),
      handshake: open("handshaking"),
      relay: open("relaying"),
    };
    this.#ends = countersOfEnds(numbers);
    this.#missed = new Map(
      MISSED.filter((reason) => reason !== "").map((reason) => [
        reason,
        numbers.counter("postern_tlsproxy_resumption_refusals_total", { reason }),
      ]),
    );
    this.#handshakeTimes = numbers.histogram("postern_tlsproxy_handshake_seconds");
    const bytes = (direction: string) =>
      numbers.counter("postern_tlsproxy_bytes_total", { direction });
    this.#fromPeer = bytes("from_peer");
    this.#toPeer = bytes("to_peer");
  }

  /** A connection has come; unless it is closed unread, {@linkcode ended} follows. */
  arrived(arrival: Arrival): void {
    this.#arrivals[arrival].add();
    if (arrival !== "closed unread") this.#open["hand-off"].add();
  }

  /** The descriptor of the remote peer has come. */
  handedOver(): void {
    this.#open["hand-off"].add(-1);
    this.#open.handshake.add();
  }

  /** The handshake has succeeded. */
  shaken(story: SessionStory): void {
    this.#open.handshake.add(-1);
    this.#open.relay.add();
    this.#handshakeTimes.observe((story.shakenMs - story.handedOverMs) / 1000);
    (this.#handshakes.get(keyOf(story)) ?? this.#meet(story)).add();
    this.#missed.get(story.missed)?.add();
  }

  /** The session has ended, after {@linkcode arrived}. */
  ended(story: SessionStory): void {
    this.#open[story.stage].add(-1);
    this.countEnd(story);
    if (story.stage !== "relay") return;
    const counted = this.#counted.get(story);
    this.#addBytes(story, counted ?? NOTHING);
    if (counted !== undefined) this.#counted.delete(story);
  }

  /** Counts what became of a session, and no more. */
  countEnd({ outcome, reason }: SessionStory): void {
    this.#ends[reason].get(outcome)?.add();
  }

  /** Counts the bytes of a session that goes on. */
  fold(story: SessionStory): void {
    const counted = this.#counted.get(story) ?? { ...NOTHING };
    this.#addBytes(story, counted);
    counted.fromPeer = story.bytesFromPeer;
    counted.toPeer = story.bytesToPeer;
    this.#counted.set(story, counted);
  }

  #addBytes(story: SessionStory, counted: Counted): void {
    this.#fromPeer.add(story.bytesFromPeer - counted.fromPeer);
    this.#toPeer.add(story.bytesToPeer - counted.toPeer);
  }

  /** The first handshake of its kind. */
  #meet(story: SessionStory): Counter {
    const { protocol, cipher, group, resumed } = story;
    const counter = this.#numbers.counter("postern_tlsproxy_handshakes_total", {
      ...{ protocol, cipher, resumed },
      group: group === "" ? "none" : group,
    });
    this.#handshakes.set(keyOf(story), counter);
    return counter;
  }
}

/** What was agreed on as one number: 16 bits each of cipher and group, 16 of protocol and kind. */
function keyOf({ version, cipherId, groupId, resumed }: SessionStory): number {
  const kind = (version & 0xff) * RESUMED.length + RESUMED.indexOf(resumed);
  return (kind * 0x10000 + (cipherId & 0xffff)) * 0x10000 + (groupId & 0xffff);
}

function countersOfEnds(
  numbers: Numbers,
): Readonly<Record<EndReason, ReadonlyMap<Outcome, Counter>>> {
  const ends: Partial<Record<EndReason, ReadonlyMap<Outcome, Counter>>> = {};
  for (const [reason, outcomes] of Object.entries(END_REASONS)) {
    ends[reason as EndReason] = new Map(
      outcomes.map((outcome) => [
        outcome,
        numbers.counter("postern_tlsproxy_sessions_total", { outcome, reason }),
      ]),
    );
  }
  return ends as Record<EndReason, ReadonlyMap<Outcome, Counter>>;
}

/** Counts questions to tlsmgr, as its client tells of them. */
export function countQuestions(
  numbers: Numbers,
): (name: AskName, status: number | undefined) => void {
  const of = (type: AskName, outcome: string) =>
    numbers.counter("postern_tlsproxy_tlsmgr_questions_total", { type, outcome });
  const counters = new Map(
    ASK_NAMES.map((name) => [name, {
      ok: of(name, "ok"),
      err: of(name, "err"),
      fail: of(name, "fail"),
      none: of(name, "no answer"),
    }]),
  );
  return (name, status) => {
    const { ok, err, fail, none } = counters.get(name)!;
    if (status === undefined) none.add();
    else if (status === TLSMGR_STATUS.ok) ok.add();
    else (status === TLSMGR_STATUS.err ? err : fail).add();
  };
}
