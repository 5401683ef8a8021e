/**
 * `postern install`: from the one file to an installation.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import { ROLE_NAMES, type RoleName } from "../../config/parameters.ts";
import type { Settings } from "../../config/settings.ts";
import { exampleText } from "../config/example.ts";
import { loadServices, type Version } from "../doctor/ground.ts";
import { readInputFile } from "../input_file.ts";
import { print } from "../output.ts";
import { findOpenSsl, VERSION } from "../version.ts";
import { readRegular, replaceFile } from "./disk.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { type InstalledFile, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { importFrom, type MasterCfPlan, planMasterCf } from "./postfix.ts";
import { missingFolders, planFiles, type Step, take, tell } from "./steps.ts";
import { hasUnit, SHIPPED_FACTS, type UnitFacts } from "./units.ts";
import { wantedFiles } from "./wanted.ts";
import { demandListed, demandWhole, sha256Of } from "./whole_file.ts";

/** What the command line says. */
export interface InstallRequest {
  /** The executable that is copied. */
  readonly source: string;
  readonly role: RoleName | undefined;
  /** Absolute. */
  readonly prefix: string;
  /** Folder of main.cf and master.cf, when Postfix is to be changed. */
  readonly postfixFolder: string | undefined;
  /** A list of checksums. */
  readonly sums: string | undefined;
  readonly dryRun: boolean;
}

/** Installs, or tells what it would do. */
export async function install(request: InstallRequest): Promise<void> {
  const { prefix, postfixFolder, dryRun } = request;
  const executable = await readExecutable(request);
  const layout = layoutOf(prefix);
  const roles = request.role === undefined ? ROLE_NAMES : [request.role];
  const version = await openSslVersion();
  const old = readManifest(layout.manifest);
  const settings = settingsText(layout, postfixFolder, version);
  const loaded = loadServices({ text: settings, name: layout.settings }, version);
  const facts = factsOf(layout, loaded);
  const files = wantedFiles({ layout, roles, executable, settings, facts });
  const fileSteps = await planFiles(files, old);
  const master: MasterCfPlan = postfixFolder === undefined
    ? { steps: [], edited: old?.masterCf }
    : planMasterCf(postfixFolder, loaded, { roles, version, old: old?.masterCf });
  const steps = [...fileSteps, ...master.steps];
  // Files of Postfix's are changed, not installed.
  const changed = new Set(master.steps);
  // First, so that whatever is done can be noted.
  const manifestFolders = missingFolders(layout.manifest);
  const all: Step[] = [
    ...manifestFolders.map((path): Step => ({ kind: "folder", path })),
    ...steps.filter(({ kind, path }) => kind !== "folder" || !manifestFolders.includes(path)),
  ];
  if (dryRun) {
    print(`${all.map(tell).join("\n")}\nmanifest ${layout.manifest}\n`);
    print("Nothing was changed: this was a dry run\n");
    return;
  }
  const done: Step[] = [];
  try {
    for (const step of all) {
      take(step);
      done.push(step);
      print(`${tell(step)}\n`);
    }
  } finally {
    // Also what was done before a fault can be undone.
    const taken = done.filter((step) => !changed.has(step));
    const isEdited = master.steps.some((step) => done.includes(step));
    await saveManifest(layout.manifest, taken, {
      old,
      masterCf: isEdited ? master.edited : old?.masterCf,
    });
  }
  const withPostfix = postfixFolder !== undefined;
  print(
    `manifest ${layout.manifest}\n${nextSteps(layout, { roles, services: loaded, withPostfix })}`,
  );
}

async function readExecutable({ source, sums }: InstallRequest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = readRegular(Deno.realPathSync(source));
  if (bytes === undefined) throw new FatalError(`Cannot read "${source}": there is no such file`);
  demandWhole(bytes, source);
  if (sums !== undefined) {
    const hint = "Name the file of checksums that was published with the executable";
    const list = new TextDecoder().decode(readInputFile(sums, { what: "checksums", hint }).bytes);
    const name = source.slice(source.lastIndexOf("/") + 1);
    demandListed(await sha256Of(bytes), { sums: list, name, sumsPath: sums });
  }
  return bytes;
}

async function openSslVersion(): Promise<Version> {
  const openSsl = await findOpenSsl();
  return "number" in openSsl ? { openSslVersionNumber: openSsl.number } : {};
}

/** The settings that are there, or those that will be. */
function settingsText(layout: Layout, postfixFolder: string | undefined, version: Version): string {
  const present = readRegular(layout.settings);
  if (present !== undefined) return new TextDecoder().decode(present);
  return postfixFolder === undefined ? exampleText() : importFrom(postfixFolder, version);
}

/** What the units say; where the settings have errors, what they say as they are shipped. */
function factsOf(layout: Layout, [first]: readonly Settings[]): UnitFacts {
  const parameters = first?.parameters;
  return {
    executable: layout.executable,
    settingsFolder: layout.settings.slice(0, layout.settings.lastIndexOf("/")),
    queueDirectory: parameters?.queue_directory ?? SHIPPED_FACTS.queueDirectory,
    dataDirectory: parameters?.data_directory ?? SHIPPED_FACTS.dataDirectory,
    mailOwner: parameters?.mail_owner ?? SHIPPED_FACTS.mailOwner,
  };
}

/** Writes what has been done over what was done before. */
async function saveManifest(
  path: string,
  done: readonly Step[],
  before: { readonly old: Manifest | undefined; readonly masterCf: Manifest["masterCf"] },
): Promise<void> {
  const { old, masterCf } = before;
  const files = new Map<string, InstalledFile>(old?.files.map((file) => [file.path, file]));
  const folders = new Set(old?.folders);
  for (const step of done) {
    if (step.kind === "folder") folders.add(step.path);
    if (step.kind !== "write") continue;
    files.set(step.path, { path: step.path, sha256: await sha256Of(step.bytes) });
  }
  if (folders.size === 0 && files.size === 0) return;
  if (missingFolders(path).length > 0) return;
  const text = writeManifest({
    version: VERSION,
    folders: [...folders],
    files: [...files.values()],
    ...(masterCf !== undefined && { masterCf }),
  });
  replaceFile(path, new TextEncoder().encode(text), { mode: 0o644 });
}

function nextSteps(
  layout: Layout,
  { roles, services, withPostfix }: {
    readonly roles: readonly RoleName[];
    readonly services: readonly Settings[];
    readonly withPostfix: boolean;
  },
): string {
  const units = [...roles.map((role) => `postern-${role}`), ...instanceUnits(services, roles)];
  const started = units.map((unit) => `${unit}.socket ${unit}.service`).join(" ");
  const only = roles.length === 1 ? ` --role ${roles[0]}` : "";
  const commands = [
    "systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload",
    `${layout.executable} config check --config ${layout.settings}`,
    ...(withPostfix ? ["postfix reload"] : []),
    `systemctl enable --now ${started}`,
    `${layout.executable} doctor --config ${layout.settings}${only}`,
  ];
  return `Next, as root:\n${commands.map((line) => `    ${line}\n`).join("")}`;
}

/** Those of the instances. */
function instanceUnits(services: readonly Settings[], roles: readonly RoleName[]): string[] {
  return services.flatMap((service) =>
    service.instance !== undefined && roles.includes(service.role) && hasUnit(service)
      ? [`postern-${service.role}@${service.instance}`]
      : []
  );
}
