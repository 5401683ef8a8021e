/**
 * Services of one file that would stand in each other's way.
 *
 * @module
 */

import { type Evaluation, placeOf } from "./evaluation.ts";
import { type FindingList, quote } from "./findings.ts";
import type { OwnAssignment } from "./layers.ts";
import { CACHE_NAMES } from "./own_keys.ts";
import { type ServiceName, serviceTitle } from "./services.ts";

/** What no two services can have at a time, and who has it. */
export class RivalChecks {
  readonly #findings: FindingList;
  readonly #own: readonly OwnAssignment[];
  readonly #takenBy = new Map<string, ServiceName>();

  /** @param own what the file sets of our own keys, for places */
  constructor(own: readonly OwnAssignment[], findings: FindingList) {
    this.#own = own;
    this.#findings = findings;
  }

  /**
   * Compares `service` with those before it. Only instances are remarked on: they come last, and no file
   * is without the plain services, whether they run or not.
   */
  add(service: ServiceName, { parameters, assigned }: Evaluation, socket: string): void {
    const table = `instance.${service.instance}`;
    const given = this.#own.find((own) => own.table === table && own.key === "socket");
    this.#take(service, { what: "socket", path: socket }, {
      key: given === undefined ? table : `${table}.socket`,
      ...(given !== undefined && { place: given.place }),
    });
    if (service.role !== "tlsmgr") return;
    for (const cache of CACHE_NAMES) {
      const name = `${cache}_tls_session_cache_database` as const;
      const database = parameters[name] ?? "";
      if (database === "" || database.startsWith("memory:")) continue;
      if (parameters[`${cache}_tls_session_cache_timeout`] === 0) continue;
      const assignment = assigned.get(name);
      // All types of tables mean our own file, so they are no difference.
      const path = database.replace(/^[a-z]+:/, "");
      const where = assignment === undefined ? { key: table } : placeOf(assignment);
      this.#take(service, { what: "cache", path }, where);
    }
  }

  #take(
    service: ServiceName,
    { what, path }: { readonly what: string; readonly path: string },
    where: Parameters<FindingList["add"]>[1],
  ): void {
    const thing = `${what} ${path}`;
    const other = this.#takenBy.get(thing);
    if (other === undefined) this.#takenBy.set(thing, service);
    // Two caches of one service in one file are told where its values are checked.
    if (other === undefined || service.instance === undefined || other === service) return;
    const title = serviceTitle(service);
    const message = `The ${what} of ${title} is that of ${serviceTitle(other)} too: ${quote(path)}`;
    const hint = "only one of them can run; give the instance another one";
    this.#findings.add({ severity: "warning", message, hint }, where);
  }
}
