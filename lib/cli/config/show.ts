/**
 * `postern config show`: settings in the manner of postconf(1).
 *
 * What a line looks like is postconf's: `name = value`, and `name =` for an empty value. Where the two
 * roles differ a line begins with the role's table, as in `[tlsproxy] name = value`; our own keys begin
 * with theirs, as in `[cache] max_entries = 20000`.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../../base/errors.ts";
import type { DescribedSetting } from "../../config/describe.ts";
import { ROLE_NAMES, type RoleName } from "../../config/parameters.ts";
import type { ServiceName } from "../../config/services.ts";
import { formatFinding } from "../../config/settings.ts";
import { defineCommand } from "../command.ts";
import { CONFIG, INSTANCE, misuse, OVERRIDES, ROLE, switchOption } from "../options.ts";
import { print, printError } from "../output.ts";
import { chooseInstance } from "../service_choice.ts";
import { findFaults, readSettingsText, type SettingsText } from "../settings_file.ts";
import { findOpenSsl } from "../version.ts";
import {
  allNames,
  describeUnknown,
  type ListedKey,
  type ListedParameter,
  listKeys,
  listParameters,
  parentOf,
} from "./listing.ts";
import { settingsJson } from "./show_json.ts";

/** `postern config show`. */
export const CONFIG_SHOW = defineCommand({
  words: ["config", "show"],
  summary: "show settings and defaults, as postconf does",
  about: `\
Shows the parameters that the roles read, whatever else FILE sets, and postern's own keys: all of
them, or the NAMEs. As in postconf(1), values are shown as they would stand in main.cf, before
$name is expanded. An unknown NAME is a warning, and the exit code is 0 nevertheless; it is 78 when
FILE has errors, which are said as \`postern config check\` says them.

    name = value              a parameter
    [tlsproxy] name = value   what this role sees, where the other one sees something else
    [cache] name = value      one of postern's own keys; its NAME is cache.name

With --instance, what that service sees: values of [instance.NAME.parameters] go before those of its
role, and the keys of [instance.NAME] are listed with it.

With --json: "parameters" has an object for each of them (two where the roles differ), with name,
roles, kind, default, value, expanded, source (default, file, role, instance, option), line, since,
deprecated, obeyed, help; "keys" has one for each of postern's own keys.`,
  options: {
    onlySet: switchOption("-n", "only what FILE and -o set"),
    onlyDefaults: switchOption("-d", "defaults; FILE is not read"),
    expand: switchOption("-x", "values after $name is expanded"),
    json: switchOption("--json", "everything there is to say about each of them, as JSON"),
    config: CONFIG,
    role: ROLE,
    instance: INSTANCE,
    overrides: OVERRIDES,
  },
  operands: [{
    name: "NAME",
    help: "a parameter, or one of postern's own keys as cache.max_entries",
    optional: true,
    many: true,
    words: allNames,
  }],
  example: "postern config show -x --config postern.toml smtpd_tls_session_cache_database",
  run: (options, names) => showSettings(options, names),
});

interface ShowOptions {
  readonly onlySet: boolean;
  readonly onlyDefaults: boolean;
  readonly expand: boolean;
  readonly json: boolean;
  readonly config: string | undefined;
  readonly role: RoleName | undefined;
  readonly instance: string | undefined;
  readonly overrides: readonly string[];
}

async function showSettings(options: ShowOptions, names: readonly string[]): Promise<ExitCode> {
  const { onlySet, onlyDefaults, expand, json, overrides } = options;
  if (onlySet && onlyDefaults) throw misuse("-n does not go with -d", "Write one of -n and -d");
  if (onlyDefaults && overrides.length > 0) {
    throw misuse("-o does not go with -d", "Leave -d out to see values");
  }
  if (onlyDefaults && options.instance !== undefined) {
    throw misuse("--instance does not go with -d", "An instance has the defaults of its role");
  }
  const source = onlyDefaults ? { name: "", text: "" } : readSource(options.config);
  const services = whose(source, options);
  const roles = services.map(({ role }) => role);
  const [{ instance }] = services;
  const openSsl = await findOpenSsl();
  const version = "number" in openSsl && { openSslVersionNumber: openSsl.number };
  const faulty = tellErrors(source, { services, overrides, ...version });

  const { name: file, text } = source;
  const sameAs = json
    ? allOf
    : ({ canonical, expanded, fault }: DescribedSetting) => expand ? fault ?? expanded : canonical;
  const ofInstance = instance !== undefined && { instance };
  const request = { text, file, roles, overrides, ...ofInstance, ...version };
  const all = listParameters(request, sameAs, names);
  const parameters = all.filter(({ layer }) => !onlySet || layer !== "default");
  const allKeys = listKeys(request);
  const keys = allKeys.filter(({ set }) => !onlySet || set);
  const chosen = choose({ parameters, keys }, names);
  tellUnknown(names, [...all, ...allKeys]);
  print(
    json
      ? settingsJson(chosen, { file, ...ofInstance })
      : settingLines(chosen, { expand, all: names.length === 0, role: roles[0] }),
  );
  if (!faulty) return EXIT.ok;
  throw new FatalError(`Cannot rely on what is shown: the settings in ${file} have errors`, {
    hint: "Correct the lines above; no service starts with these settings",
  });
}

/** An instance, a role's plain service, or those of both roles. */
function whose(
  source: SettingsText,
  { role, instance }: Pick<ShowOptions, "role" | "instance">,
): readonly ServiceName[] {
  if (instance !== undefined) return [chooseInstance(source, { role, instance })];
  return (role === undefined ? ROLE_NAMES : [role]).map((one) => ({ role: one }));
}

function readSource(config: string | undefined): SettingsText {
  try {
    return readSettingsText(config);
  } catch (error) {
    if (!(error instanceof FatalError) || error.exitCode !== EXIT.noInput) throw error;
    throw new FatalError(error.message, {
      hint: `${error.hint}; \`postern config show -d\` shows the defaults without a file`,
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

/** Says the errors of the file, if it has some. */
function tellErrors(source: SettingsText, request: Parameters<typeof findFaults>[1]): boolean {
  const errors = findFaults(source, request).filter(({ severity }) => severity === "error");
  printError(errors.map((error) => `${formatFinding(error)}\n`).join(""));
  return errors.length > 0;
}

function tellUnknown(
  names: readonly string[],
  listed: readonly { readonly name: string }[],
): void {
  const known = new Set([...allNames(), ...listed.map(({ name }) => name)]);
  const unknown = names.filter((name) => !known.has(name));
  printError(unknown.map((name) => `postern: warning: ${describeUnknown(name)}\n`).join(""));
}

/** Two roles are one entry of the JSON text only if everything in it is the same. */
function allOf({ layer, canonical, expanded, fault, place }: DescribedSetting): string {
  return JSON.stringify([layer, canonical, expanded, fault, place]);
}

interface Listing {
  readonly parameters: readonly ListedParameter[];
  readonly keys: readonly ListedKey[];
}

/** Those of `names`, in their order; all of them if there are no names. */
function choose({ parameters, keys }: Listing, names: readonly string[]): Listing {
  if (names.length === 0) return { parameters, keys };
  const named = <T extends { readonly name: string }>(all: readonly T[]) =>
    names.flatMap((wanted) => all.filter(({ name }) => name === wanted));
  return { parameters: named(parameters), keys: named(keys) };
}

function settingLines(
  { parameters, keys }: Listing,
  { expand, all, role }: { expand: boolean; all: boolean; role: RoleName },
): string {
  const lines = parameters.flatMap((parameter) => {
    const { name, roles, differs, canonical, expanded, fault } = parameter;
    if (expand && fault !== undefined) {
      printError(`postern: warning: ${name}: ${fault}\n`);
      return [];
    }
    const line = `${name} =${blankAnd(expand ? expanded : canonical)}`;
    return differs ? roles.map((role) => `[${role}] ${line}`) : [line];
  });
  for (const { table, key, text, set } of keys) {
    // In a list of everything, what only repeats [cache] or [service.ROLE] tells nothing.
    const repeats = all && !set && parentOf({ table, key }, role) !== undefined;
    if (!repeats) lines.push(`[${table}] ${key} = ${text}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** An empty value leaves no blank at the end of the line, as postconf prints it. */
function blankAnd(value: string): string {
  return value === "" ? "" : ` ${value}`;
}
