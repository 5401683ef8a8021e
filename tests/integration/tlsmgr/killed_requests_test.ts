/**
 * The end of the process in the middle of updates and deletes of several clients, again and again: what
 * was acknowledged holds.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { AttrClient, Attribute } from "../../support/attr_client.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed, STATUS } from "./_bed.ts";

const CACHES = ["smtpd", "smtp", "lmtp"] as const;
const DATABASES = {
  smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
  smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
  lmtp_tls_session_cache_database: "btree:${data_directory}/lmtp_scache",
};
const CLIENTS = 6;
/** Few, so that most updates replace something, and most deletes find something. */
const IDS_PER_CLIENT = 12;

/** What may be found under an id: its session in base64, or nothing. */
type Content = string | undefined;

/** What one id must hold: what was acknowledged last, or what was on the way when the process ended. */
interface Expectation {
  acknowledged: Content;
  /** Absent when nothing is on the way. */
  onTheWay: { content: Content } | undefined;
}

/** All ids of all clients. An id belongs to one client, which waits for each answer. */
class Expectations {
  readonly #all = new Map<string, Expectation>();

  of(cache: string, id: string): Expectation {
    const key = `${cache} ${id}`;
    let found = this.#all.get(key);
    if (found === undefined) {
      found = { acknowledged: undefined, onTheWay: undefined };
      this.#all.set(key, found);
    }
    return found;
  }

  /** Asserts that everything is found in the restarted process, and takes what is there as settled. */
  async settle(bed: Bed): Promise<void> {
    using client = await bed.connect();
    for (const [key, expectation] of this.#all) {
      const [cache, id] = key.split(" ");
      const [status, session] = (await client.ask(entry("lookup", cache, id))).attributes;
      const found = status[1] === STATUS.ok ? session[1] : undefined;
      const { acknowledged, onTheWay } = expectation;
      const isRight = found === acknowledged ||
        (onTheWay !== undefined && found === onTheWay.content);
      assert(isRight, `${key}: ${shown(found)} instead of ${shown(acknowledged)}`);
      expectation.acknowledged = found;
      expectation.onTheWay = undefined;
    }
  }
}

function shown(content: Content): string {
  return content === undefined ? "nothing" : atob(content).slice(0, 40);
}

function entry(request: string, cache: string, id: string, session?: string): Attribute[] {
  const list: Attribute[] = [["request", request], ["cache_type", cache], ["cache_id", id]];
  if (session !== undefined) list.push(["session", session]);
  return list;
}

/** Updates and deletes until the connection ends; throws when it ends although `isEnding` does not hold. */
async function work(client: AttrClient, options: {
  name: string;
  random: Random;
  expectations: Expectations;
  isEnding: () => boolean;
  acknowledged: () => void;
}): Promise<void> {
  const { name, random, expectations, isEnding } = options;
  for (let turn = 0;; turn++) {
    const cache = CACHES[random(CACHES.length)];
    const id = `${name}.${random(IDS_PER_CLIENT)}`;
    const expectation = expectations.of(cache, id);
    const content = random(4) === 0
      ? undefined
      : btoa(`${name} ${turn} ${"x".repeat(random(3000))}`);
    const request = content === undefined ? "delete" : "update";
    expectation.onTheWay = { content };
    const reply = await client.ask(entry(request, cache, id, content)).catch((error) => {
      if (!isEnding()) throw error;
    });
    if (reply === undefined) return;
    const isThere = content !== undefined || expectation.acknowledged !== undefined;
    assertEquals(reply.attributes, [["status", isThere ? STATUS.ok : STATUS.err]]);
    expectation.acknowledged = content;
    expectation.onTheWay = undefined;
    options.acknowledged();
  }
}

/** Ways to end a process. */
const ENDS = {
  /** A crash. */
  kill: (bed: Bed) => bed.kill(),
  /** An orderly end. */
  async stop(bed: Bed) {
    const { tlsmgr } = bed;
    assertEquals(await tlsmgr.stop(), 0, tlsmgr.log);
  },
  /** An orderly end that is cut short. */
  async hurry(bed: Bed) {
    bed.tlsmgr.signal("SIGTERM");
    bed.tlsmgr.signal("SIGKILL");
    await waitUntil("the end of tlsmgr", () => !bed.tlsmgr.alive);
  },
} as const;

for (
  const [name, ends] of [
    ["SIGKILL, again and again", ["kill", "kill", "kill", "kill"]],
    ["SIGKILL after orderly ends", ["stop", "kill", "stop", "hurry", "kill"]],
  ] as const
) {
  Deno.test(`tlsmgr keeps every acknowledged change of ${CLIENTS} clients: ${name}`, async () => {
    await using bed = await Bed.start(DATABASES);
    const random = seededRandom(name.length);
    const expectations = new Expectations();
    for (const [round, end] of ends.entries()) {
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => bed.connect()));
      const goal = 100 + random(300);
      let acknowledged = 0;
      let ended: Promise<void> | undefined;
      await Promise.all(clients.map((client, index) =>
        work(client, {
          name: `client${index}.${round % 2}`,
          random,
          expectations,
          isEnding: () => ended !== undefined,
          acknowledged: () => {
            if (++acknowledged === goal) ended = ENDS[end](bed);
          },
        })
      ));
      await ended;
      for (const client of clients) client[Symbol.dispose]();
      assert(acknowledged >= goal);
      await bed.startAgain();
      await expectations.settle(bed);
    }
  });
}
