/**
 * Which services of a settings file a command line means with --role and --instance.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { formatFinding, quote } from "../config/findings.ts";
import { nearestName } from "../config/near_miss.ts";
import { ROLE_NAMES, type RoleName } from "../config/parameters.ts";
import { listServices, type ServiceName } from "../config/services.ts";
import { misuse } from "./options.ts";
import { printError } from "./output.ts";
import { findFaults, type SettingsText } from "./settings_file.ts";

/** What the command line says; `undefined`: nothing. */
export interface ServiceWish {
  readonly role: RoleName | undefined;
  readonly instance: string | undefined;
}

/**
 * All services that `source` describes, those of one role, or one instance. Throws
 * {@linkcode FatalError} for an instance that is not there (bad settings), or is one of another role
 * (wrong command line).
 */
export function chooseServices(source: SettingsText, wish: ServiceWish): readonly ServiceName[] {
  const { role, instance } = wish;
  if (instance !== undefined) return [chooseInstance(source, { role, instance })];
  return listServices(source.text).filter((service) => role === undefined || service.role === role);
}

/** The instance; `role`, if it is given, must be its own. Throws {@linkcode FatalError}. */
export function chooseInstance(
  source: SettingsText,
  { role, instance }: { readonly role: RoleName | undefined; readonly instance: string },
): ServiceName {
  const services = listServices(source.text);
  const found = services.find((service) => service.instance === instance);
  if (found === undefined) throw unknownInstance(source, instance, services);
  if (role === undefined || role === found.role) return found;
  throw misuse(
    `--role ${role} contradicts --instance ${instance}, which is one of ${found.role} in ` +
      source.name,
    "Leave --role out",
  );
}

/** The errors of the file are said first: one of them may be why the instance is none. */
function unknownInstance(
  source: SettingsText,
  instance: string,
  services: readonly ServiceName[],
): FatalError {
  const plain = ROLE_NAMES.map((role) => ({ role }));
  const errors = findFaults(source, { services: plain, overrides: [] })
    .filter(({ severity }) => severity === "error");
  printError(errors.map((error) => `${formatFinding(error)}\n`).join(""));
  const names = services.flatMap((service) => service.instance ?? []);
  const near = nearestName(instance, names);
  const known = names.length === 0 ? "There is none in the file" : `There are ${names.join(", ")}`;
  return new FatalError(`Cannot find the instance ${quote(instance)} in ${source.name}`, {
    hint: near === undefined ? known : `Did you mean ${near}? ${known}`,
    exitCode: EXIT.config,
  });
}
