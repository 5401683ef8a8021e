/**
 * A running tlsmgr role in a folder of its own, and the words of its protocol.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { AttrClient, type Attribute } from "../../support/attr_client.ts";
import { type Postern, startPostern, type TomlValue } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";

/** The statuses as they are on the wire. */
export const STATUS = { ok: "0", err: "4294967295", fail: "4294967294" } as const;

/** A session cache in an append file; the settings of most tests. */
export const WITH_DATABASE = {
  smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
} as const;

/** A request about the smtpd cache. */
export function entryRequest(name: string, id: string, session?: string): Attribute[] {
  const list: Attribute[] = [["request", name], ["cache_type", "smtpd"], ["cache_id", id]];
  if (session !== undefined) list.push(["session", session]);
  return list;
}

/** The request that needs nothing, and its reply. */
export const POLICY: Attribute[] = [["request", "policy"], ["cache_type", "lmtp"]];
export const POLICY_REPLY: Attribute[] = [["status", "0"], ["cachable", "0"], ["timeout", "3600"]];

/** Everything that a test needs. */
export class Bed implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly socket: string;
  /** The process that was started last, running or not. */
  tlsmgr!: Postern;
  readonly #processes = new AsyncDisposableStack();
  readonly #settings: Record<string, TomlValue>;
  readonly #service: Record<string, TomlValue>;

  private constructor(
    folder: TempFolder,
    settings: Record<string, TomlValue>,
    service: Record<string, TomlValue>,
  ) {
    this.folder = folder;
    this.socket = folder.file("tlsmgr");
    this.#settings = { data_directory: folder.path, ...settings };
    this.#service = service;
  }

  /** Starts the role with these settings, and with these keys of `[service.tlsmgr]`. */
  static async start(
    settings: Record<string, TomlValue> = WITH_DATABASE,
    service: Record<string, TomlValue> = {},
  ): Promise<Bed> {
    const folder = await TempFolder.make("mgr");
    const bed = new Bed(folder, settings, service);
    try {
      await bed.startAgain();
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
    return bed;
  }

  /** Starts the role anew; the one before has ended. */
  async startAgain(): Promise<void> {
    this.tlsmgr = await startPostern({
      role: "tlsmgr",
      socket: this.socket,
      settingsPath: this.folder.file("postern.toml"),
      settings: this.#settings,
      service: this.#service,
    });
    this.#processes.use(this.tlsmgr);
  }

  /** A client that has seen the announcement. */
  connect(): Promise<AttrClient> {
    return AttrClient.connectTo(this.socket, "tlsmgr_protocol");
  }

  /** Asserts that an honest client is served, on a connection of its own. */
  async assertServes(): Promise<void> {
    using client = await this.connect();
    assertEquals((await client.ask(POLICY)).attributes, POLICY_REPLY);
  }

  /** Waits until the process has no more than `count` descriptors, as it had before. */
  async descriptorsBackTo(count: number): Promise<void> {
    await waitUntil(
      `${count} descriptors`,
      async () => await this.tlsmgr.countDescriptors() === count,
      { explain: async () => `${await this.tlsmgr.countDescriptors()} are open` },
    );
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    this.tlsmgr.signal("SIGKILL");
    await waitUntil("the end of tlsmgr", () => !this.tlsmgr.alive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _folder = this.folder;
    await this.#processes.disposeAsync();
  }
}
