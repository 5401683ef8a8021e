/**
 * The two servers under load: Postfix's own daemons in a private instance, and postern's two roles.
 *
 * Settings are equal: one RSA-2048 and one ECDSA P-256 certificate, sessions cached, tickets on, TLS log
 * level 0. Postfix's daemons get limits that keep them from ending while they are measured (they would
 * leave after 100 requests, or 100 idle seconds); postern gets room for as many entries as Postfix takes,
 * which has no limit. For the figures of one event loop postern's tlsproxy has one worker, as Postfix's is
 * one process as long as it keeps up.
 *
 * @module
 */

import { type Postern, startPostern } from "../../tests/support/postern.ts";
import { type PostfixInstance, preparePostfix } from "../../tests/support/postfix.ts";
import { tlsSettings } from "../../tests/support/postfix_config.ts";
import { waitUntil } from "../../tests/support/wait.ts";
import { cpuSecondsOf, type Memory, memoryOf, reapedSecondsOf, startOn } from "./accounting.ts";
import type { Front } from "./commands.ts";

/** The two daemons. */
export type Role = "tlsmgr" | "tlsproxy";

/** Options of both servers. */
export interface ServerOptions {
  /** Where they may run. */
  readonly processors: readonly number[];
  /** postern: `[service.tlsproxy] workers`; 0 is its default. */
  readonly workers: number;
}

/** Somebody who does TLS for others; disposing of it ends it. */
export interface TlsServer extends AsyncDisposable {
  /** The head of its column. */
  readonly name: string;
  /** How its sessions begin. */
  readonly front: Front;
  /** Whether it serves an RSA certificate beside the one with ECDSA. */
  readonly rsa: boolean;
  /** Processor seconds so far of whoever serves the role. */
  cpuSeconds(role: Role): Promise<number>;
  memory(role: Role): Promise<Memory>;
}

/** A server with both roles. */
export interface Server extends TlsServer {
  /** Where its tlsmgr listens. */
  readonly tlsmgr: string;
  /** Ends its tlsmgr as a crash would, and has another one serve in its place. */
  crashTlsmgr(): Promise<void>;
}

/** Postfix has no such limit. */
const SESSIONS_MAX = 20_000;

const SETTINGS = {
  smtpd_tls_loglevel: "0",
  tlsproxy_tls_loglevel: "0",
};

const POSTFIX_SETTINGS = {
  ...SETTINGS,
  max_use: "100000000",
  max_idle: "10000s",
  // As many processes as it likes.
  default_process_limit: "1000",
};

/** Postfix's daemons in an instance of their own. */
export class PostfixServer implements Server {
  readonly name = "Postfix";
  readonly rsa = true;
  readonly front: Front;
  readonly #instance: PostfixInstance;
  #master = 0;

  private constructor(instance: PostfixInstance) {
    this.#instance = instance;
    this.front = { by: "tlsproxy", socket: instance.socketPath("tlsproxy") };
  }

  static async start(options: ServerOptions): Promise<PostfixServer> {
    const instance = await preparePostfix({ name: "bench", settings: POSTFIX_SETTINGS });
    const server = new PostfixServer(instance);
    try {
      await startOn(options.processors, () => instance.start());
      server.#master = await masterOf(instance);
    } catch (error) {
      await instance[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get tlsmgr(): string {
    return this.#instance.socketPath("tlsmgr");
  }

  async cpuSeconds(role: Role): Promise<number> {
    const pids = await this.#instance.pidsOf(role);
    return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), reapedSecondsOf(this.#master));
  }

  async memory(role: Role): Promise<Memory> {
    return memoryOf(await this.#instance.pidsOf(role));
  }

  crashTlsmgr(): Promise<void> {
    return this.endProcesses("tlsmgr", "SIGKILL");
  }

  /** Ends a role's processes; master(8) starts another one when somebody connects. */
  async endProcesses(role: Role, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    for (const pid of await this.#instance.pidsOf(role)) Deno.kill(pid, signal);
    await waitUntil(`the end of ${role}`, async () => {
      return (await this.#instance.pidsOf(role)).length === 0;
    });
  }

  /** Has master(8) forget that processes ended early, which makes it wait before it starts another. */
  async reload(): Promise<void> {
    const { maillog } = this.#instance;
    const before = (await maillog.lines()).length;
    Deno.kill(this.#master, "SIGHUP");
    await waitUntil("master to reload", async () => {
      return (await maillog.lines()).slice(before).some((line) => line.includes("reload"));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#instance[Symbol.asyncDispose]();
  }
}

/** The process id of an instance's master(8), which writes it into a file. */
async function masterOf(instance: PostfixInstance): Promise<number> {
  return Number((await Deno.readTextFile(`${instance.folders.queue}/pid/master.pid`)).trim());
}

/** postern's roles, alone in a folder laid out as Postfix's. */
export class PosternServer implements Server {
  readonly name = "postern";
  readonly rsa = true;
  readonly front: Front;
  readonly #instance: PostfixInstance;
  readonly #options: ServerOptions;
  readonly #roles = new Map<Role, Postern>();

  private constructor(instance: PostfixInstance, options: ServerOptions) {
    this.#instance = instance;
    this.#options = options;
    this.front = { by: "tlsproxy", socket: instance.socketPath("tlsproxy") };
  }

  static async start(options: ServerOptions): Promise<PosternServer> {
    const instance = await preparePostfix({ name: "bench", settings: SETTINGS });
    const server = new PosternServer(instance, options);
    try {
      for (const role of ["tlsmgr", "tlsproxy"] as const) await server.startRole(role);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get tlsmgr(): string {
    return this.#instance.socketPath("tlsmgr");
  }

  /** Starts a role that does not run. */
  async startRole(role: Role): Promise<void> {
    const { folders, layout, options } = this.#instance;
    const { workers, processors } = this.#options;
    const started = await startOn(processors, () =>
      startPostern({
        role,
        socket: this.#instance.socketPath(role),
        user: "postfix",
        settingsPath: `${folders.root}/${role}.toml`,
        ...(role === "tlsproxy" && { service: { workers, max_sessions: SESSIONS_MAX } }),
        settings: {
          queue_directory: folders.queue,
          data_directory: folders.data,
          ...tlsSettings(layout, options),
          cache: { max_entries: 0, max_bytes: 0 },
        },
      }));
    this.#roles.set(role, started);
  }

  /** Ends a role that runs. */
  async stopRole(role: Role): Promise<void> {
    await this.#roles.get(role)?.[Symbol.asyncDispose]();
    this.#roles.delete(role);
  }

  pidOf(role: Role): number {
    return this.#roles.get(role)!.pid;
  }

  /** The settings file of a role that has been started. */
  settingsPath(role: Role): string {
    return `${this.#instance.folders.root}/${role}.toml`;
  }

  cpuSeconds(role: Role): Promise<number> {
    return Promise.resolve(cpuSecondsOf(this.pidOf(role)));
  }

  memory(role: Role): Promise<Memory> {
    return Promise.resolve(memoryOf([this.pidOf(role)]));
  }

  async crashTlsmgr(): Promise<void> {
    const tlsmgr = this.#roles.get("tlsmgr")!;
    tlsmgr.signal("SIGKILL");
    await waitUntil("the end of tlsmgr", () => !tlsmgr.alive);
    await this.startRole("tlsmgr");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const role of ["tlsproxy", "tlsmgr"] as const) await this.stopRole(role);
    } finally {
      await this.#instance[Symbol.asyncDispose]();
    }
  }
}

/** Both servers with the same options. */
export interface Pair extends AsyncDisposable {
  readonly postfix: PostfixServer;
  readonly postern: PosternServer;
}

export async function startPair(options: ServerOptions): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const postfix = stack.use(await PostfixServer.start(options));
  const postern = stack.use(await PosternServer.start(options));
  const kept = stack.move();
  return { postfix, postern, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
