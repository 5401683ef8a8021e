/**
 * From master.cf's entries to tables: where a service listens, as whom it runs, its own overrides.
 *
 * The entry with a role's own name becomes `[service.ROLE]` and `[ROLE]`, one with another name
 * `[instance.NAME]`. Columns without a counterpart, and options that we do not have, are comments in
 * the text and warnings: nothing is lost without a word.
 *
 * @module
 */

import { type FindingList, quote } from "../findings.ts";
import { LOG_KEYS } from "../own_keys.ts";
import type { RoleName } from "../parameters.ts";
import { withoutEndSlashes } from "../paths.ts";
import type { MasterEntry } from "./master_cf.ts";
import type { MainFacts } from "./plan.ts";
import { tomlKey, tomlString } from "./toml_text.ts";
import type { Source, TomlWriter } from "./toml_writer.ts";

/** What the entries need to know of main.cf and of the conversion. */
export interface ServiceGround extends MainFacts {
  /** Name of master.cf. */
  readonly file: string;
  /** Whether an override of this name is converted. */
  keeps(name: string): boolean;
}

/** Process limits that the two insist on (tlsmgr.c, tlsproxy.c). */
const PROCESS_LIMITS: Readonly<Record<RoleName, string>> = { tlsmgr: "1", tlsproxy: "0" };
/** What master(8) gives its sockets; the folder around them says who may come in. */
const SOCKET_MODE = "0666";

/** Writes all tables for `entries`. */
export function writeServices(
  entries: readonly MasterEntry[],
  ground: ServiceGround,
  out: { writer: TomlWriter; findings: FindingList },
): void {
  const converted = new Services(ground, out.writer, out.findings);
  const local = entries.filter((entry) => converted.admit(entry));
  const roles = local.filter((entry) => converted.isRole(entry));
  converted.privileges(roles);
  for (const entry of roles) converted.role(entry);
  for (const entry of local) if (!roles.includes(entry)) converted.instance(entry);
  converted.verbosity(local);
  if (local.length > 0) return;
  const message = "Found no service: master.cf has no tlsmgr and no tlsproxy that listens on a " +
    "UNIX-domain socket";
  out.findings.add({ severity: "warning", message });
}

class Services {
  readonly #ground: ServiceGround;
  readonly #writer: TomlWriter;
  readonly #findings: FindingList;

  constructor(ground: ServiceGround, writer: TomlWriter, findings: FindingList) {
    this.#ground = ground;
    this.#writer = writer;
    this.#findings = findings;
  }

  isRole({ name, role }: MasterEntry): boolean {
    return name === this.#ground.serviceNames[role];
  }

  /** Whether the entry can be converted at all. */
  admit(entry: MasterEntry): boolean {
    if (entry.type === "unix") return true;
    this.#writer.gap();
    this.#remark(
      entry,
      `Not converted: a service of type ${entry.type} has no counterpart`,
    );
    this.#writer.comment(`  ${entry.text}`);
    return false;
  }

  /** What `[service]` says for both roles. */
  privileges(roles: readonly MasterEntry[]): void {
    const asRoot = roles.filter(({ unprivileged }) => !unprivileged);
    const confined = roles.filter((entry) => this.#isConfined(entry));
    if (asRoot.length === 0 && confined.length === 0) return;
    const [first] = [...asRoot, ...confined];
    this.#writer.table(["service"], this.#sourceOf(first));
    if (asRoot.length > 0) {
      this.#remark(asRoot[0], "Note: unpriv is n, so it stays root");
      this.#noteWidening(asRoot, roles, "unpriv n");
      this.#writer.ownKey("user", "", this.#sourceOf(asRoot[0]));
    }
    if (confined.length > 0) {
      this.#noteWidening(confined, roles, "chroot y");
      this.#writer.ownKey("chroot", true, this.#sourceOf(confined[0]));
    }
  }

  /** `[service]` is for both roles, a line of master.cf for one. */
  #noteWidening(some: readonly MasterEntry[], all: readonly MasterEntry[], what: string): void {
    if (some.length === all.length) return;
    this.#remark(some[0], `Widened: ${what} is for this service alone in master.cf, not so here`);
  }

  role(entry: MasterEntry): void {
    this.#writer.table(["service", entry.role], this.#sourceOf(entry));
    this.#socket(entry);
    this.#columns(entry);
    const overrides = this.#overrides(entry);
    if (overrides.size === 0) return;
    this.#writer.table([entry.role], this.#sourceOf(entry));
    this.#assign(overrides, entry);
  }

  instance(entry: MasterEntry): void {
    const source = this.#sourceOf(entry);
    const path = ["instance", entry.name];
    this.#writer.table(path, source);
    this.#writer.ownKey("role", entry.role, source);
    this.#socket(entry);
    if (!entry.unprivileged) this.#remark(entry, "Left out: unpriv n; here [service] user decides");
    if (this.#isConfined(entry)) {
      this.#remark(entry, "Left out: chroot y; here [service] chroot decides");
    }
    this.#columns(entry);
    const overrides = this.#overrides(entry);
    if (overrides.size === 0) return;
    this.#writer.table([...path, "parameters"], source);
    this.#assign(overrides, entry);
  }

  /** `[log] verbose` is for the whole program; the most verbose entry decides. */
  verbosity(entries: readonly MasterEntry[]): void {
    const counts = entries.map(({ options }) =>
      options.filter(({ kind }) => kind === "verbose").length
    );
    const most = Math.max(0, ...counts);
    if (most === 0) return;
    const entry = entries[counts.indexOf(most)];
    const verbose = Math.min(most, LOG_KEYS.verbose.max);
    this.#writer.table(["log"], this.#sourceOf(entry));
    if (Math.min(...counts) < most) {
      this.#remark(
        entry,
        "Widened: -v is for this service alone in master.cf, and here it is for all",
      );
    }
    if (most > LOG_KEYS.verbose.max) {
      this.#remark(entry, `Cut down: ${most} times -v; ${verbose} is the most here`);
    }
    this.#writer.ownKey("verbose", verbose, this.#sourceOf(entry));
  }

  #isConfined({ chroot }: MasterEntry): boolean {
    return chroot === "default" ? this.#ground.chrootByDefault : chroot;
  }

  #socket(entry: MasterEntry): void {
    const { queueDirectory } = this.#ground;
    if (queueDirectory === undefined || queueDirectory === "") {
      this.#remark(entry, "Left out: the socket; queue_directory cannot be expanded");
      return;
    }
    const queue = withoutEndSlashes(queueDirectory);
    const source = this.#sourceOf(entry);
    const folder = entry.isPrivate ? "private" : "public";
    this.#writer.ownKey("socket", `${queue}/${folder}/${entry.name}`, source);
    this.#writer.ownKey("socket_mode", SOCKET_MODE, source);
  }

  #columns(entry: MasterEntry): void {
    const { role, wakeup, processLimit } = entry;
    if (!/^(?:-|0?\??)$/.test(wakeup)) {
      this.#remark(entry, `Left out: wakeup ${wakeup}; the service keeps running`);
    }
    if (processLimit !== PROCESS_LIMITS[role]) {
      this.#remark(
        entry,
        `Left out: maxproc ${processLimit}; there is one process, and Postfix's ${role} insists ` +
          `on ${PROCESS_LIMITS[role]}`,
      );
    }
    for (const option of entry.options) {
      if (option.kind !== "dropped") continue;
      this.#remark(entry, `Left out: the option ${quote(option.text)}; it has no counterpart`);
    }
  }

  /** Values by name; the last one of a name counts. */
  #overrides(entry: MasterEntry): Map<string, string> {
    const overrides = new Map<string, string>();
    for (const option of entry.options) {
      if (option.kind !== "parameter") continue;
      if (!this.#ground.keeps(option.name)) {
        this.#remark(
          entry,
          `Left out: -o ${tomlKey(option.name)}; neither tlsmgr nor tlsproxy reads it`,
        );
        continue;
      }
      const earlier = overrides.get(option.name);
      if (earlier !== undefined && earlier !== option.value) {
        const name = tomlKey(option.name);
        this.#remark(
          entry,
          `Left out: -o ${name} = ${tomlString(earlier)}; a later -o has the same name`,
        );
      }
      overrides.delete(option.name);
      overrides.set(option.name, option.value);
    }
    return overrides;
  }

  #assign(overrides: ReadonlyMap<string, string>, entry: MasterEntry): void {
    for (const [name, text] of overrides) {
      this.#writer.parameter(name, text, this.#sourceOf(entry));
    }
  }

  #sourceOf({ line }: MasterEntry): Source {
    return { file: this.#ground.file, line };
  }

  /** A comment in the text, and a warning. */
  #remark(entry: MasterEntry, text: string): void {
    this.#writer.comment(`${entry.name} in line ${entry.line} of master.cf: ${text}`);
    const place = { line: entry.line, column: 1 };
    this.#findings.add({ severity: "warning", message: text }, { place, key: entry.name });
  }
}
