/**
 * A systemd that is played by the Python script beside this file, for one service.
 *
 * @module
 */

import { supportPath } from "../../support/paths.ts";
import { posternBinary } from "../../support/postern.ts";
import { type RunningProcess, startProcess } from "../../support/process.ts";

/** A socket that systemd opens. */
export interface UnitSocket {
  name: string;
  /** `bound` has a name and does not listen. */
  kind: "stream" | "datagram" | "tcp" | "bound";
  path?: string;
}

/** What systemd does for the service. */
export interface UnitPlan {
  /** Address of the notification socket: a path, or `@name`. */
  notify?: string;
  sockets?: UnitSocket[];
  env?: Record<string, string>;
  /** How many descriptors are kept from one run to the next. @default {0} */
  store?: number;
  /** Whether standard error is the journal. */
  journal?: boolean;
}

/** Something that has happened. */
export interface UnitEvent {
  /** The sockets are open. */
  prepared?: true;
  notify?: string;
  /** The names of the descriptors that are kept now. */
  stored?: string[];
  log?: string;
  started?: number;
  ended?: number;
}

/** The service manager of one test. */
export class Systemd implements AsyncDisposable {
  readonly #process: RunningProcess;

  private constructor(process: RunningProcess) {
    this.#process = process;
  }

  /** Opens the sockets; `args` are what the service is going to be started with. */
  static async prepare(plan: UnitPlan, args: readonly string[]): Promise<Systemd> {
    const script = supportPath("../integration/daemon/_systemd.py");
    const text = JSON.stringify({ ...plan, command: [posternBinary(), ...args] });
    const process = startProcess("python3", [script, text]);
    await process.waitFor("open sockets", () => process.stdout.includes("\n"));
    return new Systemd(process);
  }

  /** Everything that has happened so far. */
  get events(): UnitEvent[] {
    return this.#process.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  /** All notifications, in order. */
  get notifications(): string[] {
    return this.events.flatMap(({ notify }) => notify ?? []);
  }

  /** All log lines, in order. */
  get lines(): string[] {
    return this.events.flatMap(({ log }) => log ?? []);
  }

  /** Starts the service; its process id. */
  async start(): Promise<number> {
    const before = this.events.filter(({ started }) => started !== undefined).length;
    await this.#process.write("start\n");
    return await this.#process.waitFor(
      "the start",
      () => this.events.filter(({ started }) => started !== undefined)[before]?.started,
    );
  }

  /** Tells the service that its sockets are for another process. */
  async addressTo(pid: number): Promise<void> {
    await this.#process.write(`listen_pid ${pid}\n`);
  }

  /** The names of the descriptors that are kept. */
  get stored(): string[] {
    return this.events.findLast(({ stored }) => stored !== undefined)?.stored ?? [];
  }

  /** Puts a descriptor into the store that the service has not sent. */
  async put(name: string, kind: "file" | "memory" | "pipe"): Promise<void> {
    const before = this.events.length;
    await this.#process.write(`put ${name} ${kind}\n`);
    await this.#process.waitFor(
      "the store",
      () => this.events.slice(before).some(({ stored }) => stored !== undefined),
    );
  }

  /** Sends a signal to the service. */
  async signal(name: Deno.Signal): Promise<void> {
    await this.#process.write(`signal ${name}\n`);
  }

  /** Waits for the end of the service's `n`th run, counted from 1; its exit code. */
  async ended(n = 1): Promise<number> {
    const ends = () => this.events.flatMap(({ ended }) => ended ?? []);
    await this.#process.waitFor(`the end of run ${n}`, () => ends().length >= n);
    return ends()[n - 1];
  }

  /** Waits until so many notifications contain `text`. */
  async notified(text: string, count = 1): Promise<void> {
    await this.#process.waitFor(
      `${count} notifications with ${text}`,
      () => this.notifications.filter((one) => one.includes(text)).length >= count,
    );
  }

  /** Waits for a log line that matches. */
  logged(pattern: RegExp): Promise<string> {
    return this.#process.waitFor(
      `a log line like ${pattern}`,
      () => this.lines.find((line) => pattern.test(line)),
    );
  }

  /** The service is killed, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.closeInput();
    await this.#process.ended();
  }
}
