/**
 * Reading a settings file: a path, or `-` for standard input, in; settings and findings out.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { concat } from "../base/bytes.ts";
import { formatFinding, loadSettings, type RoleName, type Settings } from "../config/settings.ts";
import { describeFileFault } from "./file_fault.ts";

/** The file that is read when no other is named. */
export const DEFAULT_SETTINGS_FILE = "/etc/postern/postern.toml";

/** The word for standard input in place of a path. */
export const STANDARD_INPUT = "-";

/** More than any settings file needs; a device or a wrong file ends here. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** A text and the name it goes by in messages. */
export interface SettingsText {
  /** Absolute path, or `standard input`. */
  readonly name: string;
  readonly text: string;
}

/** What to load, and for whom. */
export interface SettingsRequest {
  readonly role: RoleName;
  /** `name=value` of each `-o`. */
  readonly overrides: readonly string[];
  /** As `OpenSSL_version_num()`, where it is known. */
  readonly openSslVersionNumber?: number;
}

/** Settings if there are any, and a line for each finding. */
export interface LoadedSettings {
  readonly settings: Settings | undefined;
  readonly lines: readonly string[];
}

/** Reads the file that `--config` names, or the default one. Throws {@linkcode FatalError}. */
export function readSettingsText(path: string | undefined): SettingsText {
  if (path === STANDARD_INPUT) {
    return { name: "standard input", text: decode(readAll(Deno.stdin), "standard input") };
  }
  const name = absolute(path ?? DEFAULT_SETTINGS_FILE);
  try {
    if (Deno.statSync(name).isDirectory) throw unreadable(name, "it is a folder");
    using file = Deno.openSync(name);
    return { name, text: decode(readAll(file), `"${name}"`) };
  } catch (error) {
    if (error instanceof FatalError) throw error;
    const missing = error instanceof Deno.errors.NotFound;
    const hint = missing && path === undefined
      ? "Name your settings file with --config FILE"
      : undefined;
    throw unreadable(name, describeFileFault(error), hint);
  }
}

/** Settings of `request.role` from `source`, with a line for each finding. */
export function loadSettingsText(source: SettingsText, request: SettingsRequest): LoadedSettings {
  const { settings, findings } = loadSettings({
    text: source.text,
    file: source.name,
    processId: Deno.pid,
    ...request,
  });
  return { settings, lines: findings.map(formatFinding) };
}

/** Checks a file for each of `roles`: a line for each finding, and whether any is an error. */
export function checkSettings(
  request: Omit<SettingsRequest, "role"> & {
    readonly roles: readonly RoleName[];
    readonly config: string | undefined;
  },
): { readonly name: string; readonly lines: readonly string[]; readonly failed: boolean } {
  const { roles, config, ...rest } = request;
  const source = readSettingsText(config);
  // What concerns both roles is said once.
  const lines = new Set<string>();
  let failed = false;
  for (const role of roles) {
    const loaded = loadSettingsText(source, { ...rest, role });
    for (const line of loaded.lines) lines.add(line);
    failed ||= loaded.settings === undefined;
  }
  return { name: source.name, lines: [...lines], failed };
}

function unreadable(name: string, why: string, hint?: string): FatalError {
  return new FatalError(`Cannot read settings file "${name}": ${why}`, {
    hint: hint ?? "Check the path after --config, and the permissions of the file and its folders",
    exitCode: EXIT.noInput,
  });
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function readAll(from: { readSync(into: Uint8Array): number | null }): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = new Uint8Array(65_536);
    const count = from.readSync(chunk);
    if (count === null) return concat(...chunks);
    size += count;
    if (size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`);
    chunks.push(chunk.subarray(0, count));
  }
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FatalError(`Cannot read settings file ${name}: it is not UTF-8 text`, {
      hint: "Save the file as UTF-8",
      cause,
    });
  }
}
