/**
 * What each request does: one row a request.
 *
 * A row is given a complete request and an answer that says failure with all fields empty, and fills in
 * what it has. Order and names of attributes are the protocol's (proto/tlsmgr.ts), bytes and connections
 * the service's. Statuses and the wording of faults are Postfix's (tlsmgr.c: tlsmgr_service).
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { type AttrFault, describeAttrFault, FAULT_TEXT_MAX } from "../attr/faults.ts";
import {
  type AskKind,
  type AskName,
  SEED_BYTES_MAX,
  TICKET_KEY_NAME_BYTES,
  TLSMGR_STATUS,
  type TlsmgrAnswer,
  type TlsmgrAsk,
} from "../proto/tlsmgr.ts";
import type { SessionCaches } from "./caches.ts";
import type { SessionCache } from "./session_cache.ts";
import type { FillRandom, TicketKeys } from "./ticket_keys.ts";

/** What Postfix calls the connection in its log. */
export const STREAM = "tlsmgr socket";

/** What requests work on. */
export interface RequestHall {
  readonly caches: SessionCaches;
  readonly ticketKeys: TicketKeys;
  /** Fills with random bytes; false when the generator failed. */
  readonly fillRandom: FillRandom;
  /** Unix seconds. */
  nowS(): number;
  /** Takes a line about a fault of a client. */
  fault(text: string): void;
}

type Run = (ask: TlsmgrAsk, answer: TlsmgrAnswer, hall: RequestHall) => void;

const RUNS: Readonly<Record<AskName, Run>> = {
  seed(ask, answer, hall) {
    if (ask.size < 1 || ask.size > SEED_BYTES_MAX) {
      return hall.fault(`bogus seed length "${ask.size}" in "seed" request`);
    }
    const bytes = seedRoomOf(ask.size);
    answer.status = TLSMGR_STATUS.err;
    if (!hall.fillRandom(bytes)) return hall.fault("cannot make a seed: the generator failed");
    answer.status = TLSMGR_STATUS.ok;
    answer.seed.set(bytes);
    bytes.fill(0);
  },

  policy(ask, answer, hall) {
    const cache = findCache(ask, hall);
    if (cache === undefined) return;
    answer.status = TLSMGR_STATUS.ok;
    answer.cachable = cache.enabled ? 1 : 0;
    answer.timeout = cache.timeoutS;
  },

  lookup(ask, answer, hall) {
    const cache = findCache(ask, hall);
    if (!cache?.enabled) return;
    const session = cache.find(ask.cacheId, hall.nowS());
    answer.status = statusOf(session !== undefined);
    if (session !== undefined) answer.session.point(session);
  },

  update(ask, answer, hall) {
    const cache = findCache(ask, hall);
    if (!cache?.enabled) return;
    answer.status = statusOf(cache.store(ask.cacheId, ask.session, hall.nowS()));
  },

  delete(ask, answer, hall) {
    const cache = findCache(ask, hall);
    if (!cache?.enabled) return;
    answer.status = statusOf(cache.remove(ask.cacheId));
  },

  tktkey(ask, answer, hall) {
    const nameBytes = ask.keyName.dataBytes;
    if (nameBytes !== 0 && nameBytes !== TICKET_KEY_NAME_BYTES) {
      return hall.fault(`invalid session ticket key name length: ${nameBytes}`);
    }
    const key = nameBytes === 0
      ? hall.ticketKeys.current()
      : hall.ticketKeys.find(ask.keyName.data());
    answer.status = statusOf(key !== undefined);
    if (key !== undefined) answer.keyBuffer.set(key);
  },
};

/** Reused, as everything on the way of a request; emptied after each use. */
const seedRoom = new Uint8Array(SEED_BYTES_MAX);
/** Its beginnings by their length, as far as somebody has asked: clients ask for one length for ever. */
const seedRooms: (Bytes | undefined)[] = new Array(SEED_BYTES_MAX + 1);

function seedRoomOf(size: number): Bytes {
  return seedRooms[size] ??= seedRoom.subarray(0, size);
}

/**
 * Carries out a request and fills in the answer, which is a failure also for lists that are no complete
 * request. Never throws because of what was asked.
 *
 * @returns What the list counts as when its answer is printed.
 */
export function carryOut(ask: TlsmgrAsk, answer: TlsmgrAnswer, hall: RequestHall): AskKind {
  answer.reset(TLSMGR_STATUS.fail);
  // A list of nothing, too long to be a string, is one whose first attribute is not "request".
  const isEmpty = ask.kind === "empty";
  const fault = isEmpty ? NO_REQUEST : ask.fault;
  if (fault !== undefined) hall.fault(describeAttrFault(fault, STREAM));
  if (ask.complete && isName(ask.kind)) RUNS[ask.kind](ask, answer, hall);
  return isEmpty ? "nameless" : ask.kind;
}

const NO_REQUEST: AttrFault = { kind: "missing", name: "request" };

/** Whether a request changes a cache, so that its answer is a promise about the disk. */
export function isChange(kind: AskKind): boolean {
  return kind === "update" || kind === "delete";
}

function isName(kind: AskKind): kind is AskName {
  return Object.hasOwn(RUNS, kind);
}

function findCache(ask: TlsmgrAsk, hall: RequestHall): SessionCache | undefined {
  const cache = hall.caches.get(ask.cacheType);
  if (cache === undefined) {
    const type = ask.cacheType.slice(0, FAULT_TEXT_MAX);
    hall.fault(`bogus cache type "${type}" in "${ask.kind}" request`);
  }
  return cache;
}

function statusOf(done: boolean): number {
  return done ? TLSMGR_STATUS.ok : TLSMGR_STATUS.err;
}
