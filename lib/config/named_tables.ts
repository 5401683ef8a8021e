/**
 * The tables of which there may be many: `[instance.NAME]`, one more service of a role, and
 * `[[listener]]`, proxying without a caller of Postfix's.
 *
 * Nothing starts a listener, and that is said once for each.
 *
 * @module
 */

import { type FindingList, type Place, quote } from "./findings.ts";
import type { Assignment, Instance, OwnAssignment } from "./layers.ts";
import { nearestName } from "./near_miss.ts";
import { instanceKeys, LISTENER_KEYS } from "./own_keys.ts";
import { ROLE_NAMES, type RoleName } from "./parameters.ts";
import { readOwnValue } from "./own_values.ts";
import type { TomlEntry, TomlTable } from "./toml_source.ts";

/** What may stand in a file name, in master.cf and behind the `@` of a unit. */
const INSTANCE_NAME = /^[\w@:.,+][\w@:.,+-]*$/;
const NOT_OBEYED = "Accepted, but nothing obeys it yet";

interface InstanceTable {
  readonly place: Place;
  role: RoleName | undefined;
  /** A role was given that is none, which has been told. */
  badRole: boolean;
  readonly entries: TomlEntry[];
}

interface ListenerTable {
  readonly place: Place;
  readonly values: Map<string, unknown>;
}

/** Takes what stands below `instance` and `listener`. */
export class NamedTables {
  readonly #findings: FindingList;
  readonly #instances = new Map<string, InstanceTable>();
  readonly #listeners = new Map<string, ListenerTable>();

  constructor(findings: FindingList) {
    this.#findings = findings;
  }

  table(table: TomlTable): void {
    const { path, place, array } = table;
    const [top, name, third] = path;
    if (top === "listener") {
      if (array && path.length === 2) this.#listener(path, place);
      else this.#error(`Unknown table: [${path.join(".")}]`, "write [[listener]]", table);
    } else if (array || name === undefined) {
      this.#error("Unknown table: [instance]", "write [instance.NAME]", table);
    } else {
      this.#instance(path, place);
      if (path.length === 2 || (path.length === 3 && third === "parameters")) return;
      this.#error(
        `Unknown table: [${path.join(".")}]`,
        `parameters go below [instance.${name}.parameters]`,
        table,
      );
    }
  }

  entry(entry: TomlEntry): void {
    const { path, place } = entry;
    if (path[0] === "listener") this.#listenerKey(entry);
    else if (path.length === 2) {
      const hint = "write [instance.NAME]";
      this.#error(`Cannot take ${quote(path[1])} below [instance]: no such key`, hint, entry);
    } else if (path.length !== 3) {
      this.#error(
        `Cannot take ${quote(path.join("."))}: not a key of an instance`,
        `parameters go below [instance.${path[1]}.parameters]`,
        entry,
      );
    } else this.#instanceKey(this.#instance(path, place), entry);
  }

  /** All instances with a role, and their own keys. `parametersOf` gives what is set below one. */
  finish(parametersOf: (name: string) => ReadonlyMap<string, Assignment>): {
    instances: ReadonlyMap<string, Instance>;
    own: readonly OwnAssignment[];
  } {
    const instances = new Map<string, Instance>();
    const own: OwnAssignment[] = [];
    for (const [name, { role, badRole, entries, place }] of this.#instances) {
      if (role !== undefined) {
        instances.set(name, { name, role, parameters: parametersOf(name) });
        own.push(...this.#ownKeys(name, role, entries));
      } else if (!badRole) {
        const message = "Cannot tell what the instance is: it has no role";
        const hint = `write ${ROLE_NAMES.map((known) => `role = "${known}"`).join(" or ")}`;
        this.#error(message, hint, { path: ["instance", name], place });
      }
    }
    this.#checkListeners(instances);
    return { instances, own };
  }

  #error(
    message: string,
    hint: string,
    { path, place }: { readonly path: readonly string[]; readonly place: Place },
  ): void {
    this.#findings.add({ severity: "error", message, hint }, { place, key: path.join(".") });
  }

  #noteIdle(path: readonly string[], place: Place): void {
    this.#findings.add({ severity: "warning", message: NOT_OBEYED }, {
      place,
      key: path.join("."),
    });
  }

  #instance(path: readonly string[], place: Place): InstanceTable {
    const known = this.#instances.get(path[1]);
    if (known !== undefined) return known;
    const table = { place, role: undefined, badRole: false, entries: [] };
    this.#instances.set(path[1], table);
    this.#checkName(path, place);
    return table;
  }

  /** The name is the last part of a path, and stands in names of units. */
  #checkName([, name]: readonly string[], place: Place): void {
    if (INSTANCE_NAME.test(name) && name !== "." && name !== "..") return;
    const message = `Cannot call an instance ${quote(name)}: it names a socket and a unit`;
    const hint = "use letters, digits and ._-+@:, only, and no - at the start";
    this.#error(message, hint, { path: ["instance", name], place });
  }

  #instanceKey(table: InstanceTable, entry: TomlEntry): void {
    if (entry.path[2] !== "role") {
      table.entries.push(entry);
      return;
    }
    const text = entry.value.type === "string" ? entry.value.text : "";
    table.role = ROLE_NAMES.find((role) => role === text);
    if (table.role !== undefined) return;
    table.badRole = true;
    const hint = `one of ${ROLE_NAMES.join(", ")}`;
    this.#error("Cannot read the role of an instance", hint, entry);
  }

  #ownKeys(name: string, role: RoleName, entries: readonly TomlEntry[]): OwnAssignment[] {
    const rows = instanceKeys(role);
    return entries.flatMap((entry) => {
      const key = entry.path[2];
      if (Object.hasOwn(rows, key)) {
        const { value, place } = entry;
        return [{ table: `instance.${name}`, rows: `service.${role}`, key, value, place }];
      }
      const message = `Cannot take ${quote(key)} below [instance.${name}]: no such key`;
      this.#error(message, `role, or a key of [service.${role}]`, entry);
      return [];
    });
  }

  #listener(path: readonly string[], place: Place): ListenerTable {
    const known = this.#listeners.get(path[1]);
    if (known !== undefined) return known;
    const table = { place, values: new Map() };
    this.#listeners.set(path[1], table);
    this.#noteIdle(path.slice(0, 2), place);
    return table;
  }

  #listenerKey(entry: TomlEntry): void {
    const { path, place, value } = entry;
    const key = path[2];
    if (path.length === 2) {
      this.#error("Unknown table: [listener]", "write [[listener]]", entry);
    } else if (path.length !== 3 || !Object.hasOwn(LISTENER_KEYS, key)) {
      const near = nearestName(key, Object.keys(LISTENER_KEYS));
      this.#error(
        `Cannot take ${quote(path.slice(2).join("."))} below [[listener]]: no such key`,
        near !== undefined
          ? `did you mean ${near}`
          : `known there: ${Object.keys(LISTENER_KEYS).join(", ")}`,
        entry,
      );
    } else {
      const row = LISTENER_KEYS[key as keyof typeof LISTENER_KEYS];
      const reading = readOwnValue(value, row);
      for (const problem of reading.problems) {
        this.#findings.add(problem, { place, key: path.join(".") });
      }
      this.#listener(path, place).values.set(key, reading.value ?? row.initial);
    }
  }

  #checkListeners(instances: ReadonlyMap<string, Instance>): void {
    for (const [number, { place, values }] of this.#listeners) {
      const at = { path: ["listener", number], place };
      for (const key of ["accept", "connect"]) {
        if ((values.get(key) ?? "") !== "") continue;
        const hint = `write ${key} = "host:port", or the path of a socket`;
        this.#error(`Cannot use a listener without ${quote(key)}`, hint, at);
      }
      const instance = values.get("instance");
      if (typeof instance !== "string" || instance === "" || instances.has(instance)) continue;
      this.#error(
        `Cannot find the instance of a listener: ${quote(instance)}`,
        `write [instance.${instance}], or leave the key out`,
        at,
      );
    }
  }
}
