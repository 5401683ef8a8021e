/**
 * The services that a settings file describes: one of each role, and one an `[instance.NAME]`.
 *
 * @module
 */

import { FindingList } from "./findings.ts";
import { type Layers, sortEntries } from "./layers.ts";
import { ROLE_NAMES, type RoleName } from "./parameters.ts";
import { readToml } from "./toml_source.ts";

/** One service: a role alone, or one of its instances. */
export interface ServiceName {
  readonly role: RoleName;
  /** The NAME of `[instance.NAME]`; absent for the role's plain service. */
  readonly instance?: string;
}

/**
 * The plain services, then the instances in the order of the file. An instance that has no valid role
 * is none; loading says so. Never throws because of what the text says.
 */
export function listServices(text: string): readonly ServiceName[] {
  return servicesOf(sortEntries(readToml(text), new FindingList("")));
}

/** The same of what has been read. */
export function servicesOf({ instances }: Pick<Layers, "instances">): readonly ServiceName[] {
  return [
    ...ROLE_NAMES.map((role) => ({ role })),
    ...[...instances.values()].map(({ role, name }) => ({ role, instance: name })),
  ];
}

/** What people are told: `tlsproxy`, or `instance edge of tlsproxy`. */
export function serviceTitle({ role, instance }: ServiceName): string {
  return instance === undefined ? role : `instance ${instance} of ${role}`;
}
