/**
 * What `postern config show` lists: settings as the roles see them, roles that agree in one entry.
 *
 * @module
 */
import {
  type DescribedOwnKey,
  type DescribedSetting,
  describeOwnKeys,
  describeSettings,
  ownText,
} from "../../config/describe.ts";
import { tomlString } from "../../config/import/toml_text.ts";
import { isForeignName } from "../../config/foreign_names.ts";
import { nearestName } from "../../config/near_miss.ts";
import { instanceKeys, NOT_INHERITED, OWN_TABLES, type OwnKey } from "../../config/own_keys.ts";
import {
  type Parameter,
  parameterRow,
  PARAMETERS,
  ROLE_NAMES,
  type RoleName,
} from "../../config/parameters.ts";

/** What to list. */
export interface ListingRequest {
  /** Text of the settings file; empty for defaults only. */
  readonly text: string;
  /** Its path; empty if there is none. */
  readonly file: string;
  readonly roles: readonly RoleName[];
  /** An `[instance.NAME]`; `roles` is its role alone then. */
  readonly instance?: string;
  /** `name=value` of each `-o`. */
  readonly overrides: readonly string[];
  readonly openSslVersionNumber?: number;
}

/** A parameter with one value, and the roles that see this value. */
export interface ListedParameter extends Omit<DescribedSetting, "role"> {
  readonly roles: readonly RoleName[];
  /** Whether other roles see something else: then the roles need to be named. */
  readonly differs: boolean;
  /** The default before expansion; absent with the row. */
  readonly initial?: string;
  /** Absent for another program's parameter and for the operator's own names. */
  readonly row?: Parameter;
}

/** One of our own keys. */
export interface ListedKey {
  /** `cache.smtp.max_entries`. */
  readonly name: string;
  readonly table: string;
  readonly key: string;
  readonly row: OwnKey;
  /** The default, as TOML. */
  readonly initial: string;
  /** What holds, as TOML. */
  readonly text: string;
  readonly set: boolean;
  /**
   * What holds because this key is absent: the table `cache` for `cache.smtp`, `service.ROLE` for
   * `instance.NAME`, or a parameter.
   */
  readonly follows?: string;
  readonly source: "default" | "file";
  readonly line?: number;
}

/**
 * All parameters that `request.roles` read, and what the file sets besides, sorted by name. Roles are
 * one entry if `sameAs` says the same text for them; names of `asked` are listed even if none of the
 * roles reads them.
 */
export function listParameters(
  request: ListingRequest,
  sameAs: (setting: DescribedSetting) => string,
  asked: readonly string[] = [],
): readonly ListedParameter[] {
  const { roles, ...rest } = request;
  const initials = new Map(
    describeSettings({ ...rest, text: "", file: "", overrides: [], role: roles[0] })
      .map(({ name, canonical }) => [name, canonical]),
  );
  const settings = new Map<string, DescribedSetting[]>();
  for (const role of roles) {
    for (const setting of describeSettings({ ...rest, role })) {
      const readers: readonly RoleName[] = parameterRow(setting.name)?.roles ?? roles;
      const readByNone = !roles.some((one) => readers.includes(one));
      if (!readers.includes(role) && !(readByNone && asked.includes(setting.name))) continue;
      settings.set(setting.name, [...settings.get(setting.name) ?? [], setting]);
    }
  }
  const names = [...settings.keys()].sort();
  return names.flatMap((name) => {
    const initial = initials.get(name);
    return agree(settings.get(name) ?? [], sameAs)
      .map((entry) => initial === undefined ? entry : { ...entry, initial });
  });
}

function agree(
  settings: readonly DescribedSetting[],
  sameAs: (setting: DescribedSetting) => string,
): ListedParameter[] {
  const entries = new Map<string, { first: DescribedSetting; roles: RoleName[] }>();
  for (const setting of settings) {
    const key = sameAs(setting);
    const entry = entries.get(key) ?? { first: setting, roles: [] };
    entry.roles.push(setting.role);
    entries.set(key, entry);
  }
  return [...entries.values()].map(({ first: { role: _, ...first }, roles }) => {
    const row = parameterRow(first.name);
    return { ...first, roles, differs: entries.size > 1, ...(row !== undefined && { row }) };
  });
}

/** All our own keys that concern one of the roles, table by table. */
export function listKeys(request: ListingRequest): readonly ListedKey[] {
  const { roles, ...rest } = request;
  const described = describeOwnKeys(request.text, request.instance);
  const parameters = new Map(
    describeSettings({ ...rest, role: roles[0] }).map(({ name, expanded }) => [name, expanded]),
  );
  const listed: ListedKey[] = [];
  for (const own of described) {
    const { table, key, place } = own;
    const row = (OWN_TABLES.get(table) ?? instanceKeys(roles[0]))[key];
    const service = ROLE_NAMES.find((role) => table === `service.${role}`);
    if (row === undefined || (service !== undefined && !roles.includes(service))) continue;
    const parent = parentOf(own, roles[0]);
    const above = described.find((other) => other.table === parent && other.key === key);
    const parameter = row.initialFrom === undefined ? undefined : parameters.get(row.initialFrom);
    listed.push({
      ...{ name: nameOf(own), table, key, row, set: own.set },
      initial: ownText(row),
      ...holding(own, { row, above, parameter }),
      ...(place !== undefined && { line: place.line }),
    });
  }
  return listed;
}

function nameOf({ table, key }: DescribedOwnKey): string {
  return `${table}.${key}`;
}

/** What holds for a key, and where it comes from. */
function holding(
  own: DescribedOwnKey,
  from: { row: OwnKey; above: DescribedOwnKey | undefined; parameter: string | undefined },
): Pick<ListedKey, "text" | "source" | "follows"> {
  const { row, above, parameter } = from;
  const sourceOf = ({ set }: DescribedOwnKey) => set ? "file" : "default";
  if (!own.set && above !== undefined) {
    return { text: above.text, source: sourceOf(above), follows: above.table };
  }
  if (!own.set && parameter !== undefined && row.initialFrom !== undefined) {
    return { text: tomlString(parameter), source: "default", follows: row.initialFrom };
  }
  return { text: own.text, source: sourceOf(own) };
}

/** The table whose key holds where that of `table` is absent; `role` is that of an instance. */
export function parentOf(
  { table, key }: Pick<DescribedOwnKey, "table" | "key">,
  role: RoleName,
): string | undefined {
  if (table.startsWith("cache.")) return "cache";
  const isOwn = NOT_INHERITED.some((name) => name === key);
  return table.startsWith("instance.") && !isOwn ? `service.${role}` : undefined;
}

/** Names of all parameters and of all our own keys. */
export function allNames(): readonly string[] {
  const own = [...OWN_TABLES].flatMap(([table, rows]) =>
    Object.keys(rows).map((key) => `${table}.${key}`)
  );
  return [...Object.keys(PARAMETERS), ...own];
}

/** What to say about a name that is not listed. */
export function describeUnknown(name: string): string {
  if (isForeignName(name)) {
    return `${name}: another Postfix program's parameter, and the settings do not set it`;
  }
  const names = allNames();
  const near = nearestName(name, names) ?? names.find((known) => known.endsWith(`.${name}`));
  return `${name}: unknown parameter${near === undefined ? "" : `; did you mean ${near}?`}`;
}
