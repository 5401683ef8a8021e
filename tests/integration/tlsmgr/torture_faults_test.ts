/**
 * System calls of the executable fail, by the hand of strace(1): the role goes on answering, says once
 * what is wrong, and loses nothing that it could write.
 */

import { assert, assertEquals } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { posternBinary, startPostern, type TomlValue, toToml } from "../../support/postern.ts";
import { type RunningProcess, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { entryRequest } from "./_bed.ts";

const SESSIONS = 300;
/** 40 keys share the sessions, so that most of the file dies and compactions come. */
const KEYS = 40;

function sessionOf(n: number): string {
  return btoa(`session ${n} `.padEnd(2000, "s"));
}

async function canTrace(): Promise<boolean> {
  try {
    return (await new Deno.Command("strace", { args: ["true"] }).output()).success;
  } catch {
    // It is not installed.
    return false;
  }
}

const ignore = !await canTrace();

function settingsOf(folder: TempFolder, sync: string): Record<string, TomlValue> {
  return {
    data_directory: folder.path,
    smtpd_tls_session_cache_database: "btree:${data_directory}/cache",
    cache: { sync, compact_min_bytes: 100_000, compact_ratio: 1.0 },
  };
}

/** The role under strace. Ends both, the role first: without its tracer it would live on. */
class Traced implements AsyncDisposable {
  readonly strace: RunningProcess;
  readonly pid: number;

  constructor(strace: RunningProcess, pid: number) {
    this.strace = strace;
    this.pid = pid;
  }

  async stop(): Promise<number> {
    Deno.kill(this.pid, "SIGTERM");
    return await this.strace.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using strace = this.strace;
    if (strace.alive) Deno.kill(this.pid, "SIGKILL");
  }
}

/** Starts the role under strace with the faults of a case. */
async function startTraced(folder: TempFolder, { inject, sync }: Case): Promise<Traced> {
  const service = { user: "", tlsmgr: { socket: folder.file("tlsmgr"), socket_mode: "0600" } };
  const text = toToml({ ...settingsOf(folder, sync), service });
  const config = await folder.write("postern.toml", text);
  const calls = inject.map((rule) => rule.split(":")[0]).join(",");
  const strace = startProcess("strace", [
    ...["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`],
    ...inject.flatMap((rule) => ["-e", `inject=${rule}`]),
    ...[posternBinary(), "--role", "tlsmgr", "--config", config],
  ]);
  try {
    await strace.waitFor("readiness", () => /\bready\b/.test(strace.stderr));
    const children = await Deno.readTextFile(`/proc/${strace.pid}/task/${strace.pid}/children`);
    return new Traced(strace, Number(children.trim().split(" ")[0]));
  } catch (error) {
    await strace[Symbol.asyncDispose]();
    throw error;
  }
}

interface Case {
  title: string;
  inject: readonly string[];
  sync: string;
  /** What the role says, once for each time that it comes to an end. */
  warning: RegExp;
  isRepeated?: boolean;
}

const CASES: readonly Case[] = [
  {
    title: "a disk that is full for a while",
    inject: ["pwrite64:error=ENOSPC:when=20..40"],
    sync: "never",
    warning: /Cannot write cache file ".*": No space left on device; serving from memory/g,
  },
  {
    title: "writes that fail now and then",
    inject: ["pwrite64:error=EIO:when=10+50"],
    sync: "interval",
    warning: /Cannot write cache file ".*": Input\/output error; serving from memory/g,
    isRepeated: true,
  },
  {
    title: "a sync that fails",
    // strace counts the calls of each thread for itself.
    inject: ["fdatasync:error=EIO:when=30"],
    sync: "always",
    warning: /Cannot sync cache file ".*": its entries go into a fresh file/g,
    isRepeated: true,
  },
  {
    title: "renames that fail",
    inject: ["rename,renameat,renameat2:error=EIO:when=1..2"],
    sync: "never",
    warning: /Cannot compact cache file ".*": Input\/output error/g,
  },
];

/** Stores and finds sessions; each is found at once, whatever the disk does. */
async function useCache(socket: string): Promise<void> {
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  for (let n = 0; n < SESSIONS; n++) {
    const id = `key ${n % KEYS}`;
    const { attributes } = await client.ask(entryRequest("update", id, sessionOf(n)));
    assertEquals(attributes, [["status", "0"]], `session ${n}`);
    const found = await client.ask(entryRequest("lookup", id));
    assertEquals(found.attributes[1], ["session", sessionOf(n)], `session ${n}`);
  }
}

for (const row of CASES) {
  Deno.test({
    name: `tlsmgr gets along with ${row.title}`,
    ignore,
    async fn() {
      await using folder = await TempFolder.make("fault");
      const socket = folder.file("tlsmgr");
      {
        await using traced = await startTraced(folder, row);
        await useCache(socket);
        const { stderr } = traced.strace;
        const warnings = stderr.match(row.warning)?.length ?? 0;
        assert(row.isRepeated ? warnings > 0 : warnings === 1, stderr);
        assertEquals(await traced.stop(), 0);
      }
      await using tlsmgr = await startPostern({
        role: "tlsmgr",
        socket,
        settingsPath: folder.file("postern.toml"),
        settings: settingsOf(folder, row.sync),
      });
      using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
      for (let n = SESSIONS - KEYS; n < SESSIONS; n++) {
        const found = await client.ask(entryRequest("lookup", `key ${n % KEYS}`));
        assertEquals(found.attributes[1], ["session", sessionOf(n)], `session ${n}`);
      }
      const problems = tlsmgr.problems().filter((line) => line.includes("cache file"));
      assertEquals(problems, []);
    },
  });
}
