/**
 * SIGKILL for the compiled tlsmgr while clients change its cache; then it starts again, and every change
 * that it had acknowledged must be there.
 *
 * @module
 */

import { AttrClient, type Attribute } from "../attr_client.ts";
import { type Postern, startPostern } from "../postern.ts";
import type { Random } from "../random.ts";
import { TempFolder } from "../temp_folder.ts";
import { waitUntil } from "../wait.ts";
import { Ledger, Loss } from "./ledger.ts";

const CLIENTS = 12;
const KEYS_A_CLIENT = 6;
const SUCCESS = "0";
const FAILURE = "4294967295";

/** What kills came to. */
export interface KillCounts {
  kills: number;
  /** Changes that were acknowledged before a kill. */
  acknowledged: number;
  /** Lives in which a compaction had put a fresh file in the place of the old one. */
  compacted: number;
}

/** One client changes its own keys, so that the order of changes of a key is known. */
async function change(client: AttrClient, random: Random, { ledger, index, serial, isOver }: {
  ledger: Ledger;
  index: number;
  serial: () => number;
  isOver: () => boolean;
}): Promise<void> {
  while (!isOver()) {
    const key = `client ${index} key ${random(KEYS_A_CLIENT)}`;
    const isDelete = random(5) === 0;
    // Of a length that goes with its number, so that a value is either right or wrong.
    const n = serial();
    const value = isDelete ? undefined : btoa(`${n} `.padEnd(20 + (n * 7919) % 6000, "v"));
    ledger.note(key, value);
    const reply = await client.ask(request(isDelete ? "delete" : "update", key, value));
    const [[, status]] = reply.attributes;
    // A delete of what is not there fails, and nothing is there then.
    if (status !== SUCCESS && !(isDelete && status === FAILURE)) {
      throw new Loss(`tlsmgr answered status ${status} to a change of ${key}`);
    }
    ledger.promise(key);
  }
}

function request(name: string, key: string, value?: string): Attribute[] {
  const list: Attribute[] = [["request", name], ["cache_type", "smtp"], ["cache_id", key]];
  if (value !== undefined) list.push(["session", value]);
  return list;
}

/** Checks every key and takes what is found as the beginning of the next round. */
async function checkAll(socket: string, ledger: Ledger, about: string): Promise<void> {
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  for (const key of ledger.keys) {
    const { attributes } = await client.ask(request("lookup", key));
    const value = attributes[0][1] === SUCCESS ? attributes[1][1] : undefined;
    ledger.check(key, value, about);
    ledger.settle(key, value);
  }
}

/** Starts, changes, kills and checks, `kills` times in a row on the same file. */
export async function killService(
  kills: number,
  { random, sync, progress }: {
    random: Random;
    /** `[cache] sync`. */
    sync: string;
    progress?: (counts: KillCounts) => void;
  },
): Promise<KillCounts> {
  await using folder = await TempFolder.make("kill");
  const socket = folder.file("tlsmgr");
  const settings = {
    data_directory: folder.path,
    smtp_tls_session_cache_database: "btree:${data_directory}/cache",
    cache: { sync, compact_min_bytes: 100_000, compact_ratio: 1.0 },
  };
  const ledger = new Ledger();
  const counts: KillCounts = { kills: 0, acknowledged: 0, compacted: 0 };
  let inode: number | null = null;
  let n = 0;
  for (;;) {
    await using processes = new AsyncDisposableStack();
    const tlsmgr = await startPostern({
      role: "tlsmgr",
      socket,
      settingsPath: folder.file("postern.toml"),
      settings,
    });
    processes.use(tlsmgr);
    await checkAll(socket, ledger, `after kill ${counts.kills}`);
    const { ino } = await Deno.stat(folder.file("cache.postern"));
    if (inode !== null && ino !== inode) counts.compacted++;
    inode = ino;
    if (counts.kills === kills) return counts;
    const goal = ledger.promised + 1 + random(400);
    await runClients(tlsmgr, random, { ledger, socket, goal, serial: () => n++ });
    counts.kills++;
    counts.acknowledged = ledger.promised;
    progress?.(counts);
  }
}

/** Lets clients work until `goal` changes are acknowledged, and kills in the middle of it. */
async function runClients(tlsmgr: Postern, random: Random, { ledger, socket, goal, serial }: {
  ledger: Ledger;
  socket: string;
  goal: number;
  serial: () => number;
}): Promise<void> {
  let isKilled = false;
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => AttrClient.connectTo(socket, "tlsmgr_protocol")),
  );
  const kill = (): boolean => {
    if (!isKilled && ledger.promised >= goal) {
      tlsmgr.signal("SIGKILL");
      isKilled = true;
    }
    return isKilled;
  };
  await Promise.all(clients.map(async (client, index) => {
    try {
      await change(client, random, { ledger, index, serial, isOver: kill });
    } catch (error) {
      if (!isKilled || error instanceof Loss) throw error;
    } finally {
      client[Symbol.dispose]();
    }
  }));
  await waitUntil("the end of tlsmgr", () => !tlsmgr.alive);
}
