/**
 * Reading a settings file: a path, or `-` for standard input, in; settings and findings out.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import {
  type Finding,
  formatFinding,
  type Loaded,
  loadSettings,
  type Settings,
} from "../config/settings.ts";
import type { ServiceName } from "../config/services.ts";
import { readInputFile } from "./input_file.ts";

/** The file that is read when no other is named. */
export const DEFAULT_SETTINGS_FILE = "/etc/postern/postern.toml";

/** A text and the name it goes by in messages. */
export interface SettingsText {
  /** Absolute path, or `standard input`. */
  readonly name: string;
  readonly text: string;
}

/** What to load, and for whom. */
export interface SettingsRequest extends ServiceName {
  /** What master(8) calls the service. */
  readonly serviceName?: string;
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
  const { name, bytes } = readInputFile(path ?? DEFAULT_SETTINGS_FILE, {
    what: "settings file",
    hint: "Check the path after --config, and the permissions of the file and its folders",
    ...(path === undefined && { hintIfMissing: "Name your settings file with --config FILE" }),
  });
  return { name, text: decode(bytes, name) };
}

/** Settings of one service from `source`, with a line for each finding. */
export function loadSettingsText(source: SettingsText, request: SettingsRequest): LoadedSettings {
  const { settings, findings } = load(source, request);
  return { settings, lines: findings.map(formatFinding) };
}

/** What is wrong with `source` for any of `services`, in the order of the file; each fault once. */
export function findFaults(
  source: SettingsText,
  request: Omit<SettingsRequest, keyof ServiceName> & {
    readonly services: readonly ServiceName[];
  },
): readonly Finding[] {
  const { services, ...rest } = request;
  const faults = new Map<string, Finding>();
  for (const service of services) {
    for (const finding of load(source, { ...rest, ...service }).findings) {
      faults.set(formatFinding(finding), finding);
    }
  }
  const lineOf = ({ line }: Finding) => line ?? Number.MAX_SAFE_INTEGER;
  return [...faults.values()].toSorted((a, b) =>
    lineOf(a) - lineOf(b) || (a.column ?? 0) - (b.column ?? 0)
  );
}

function load(source: SettingsText, request: SettingsRequest): Loaded {
  const { text, name: file } = source;
  return loadSettings({ text, file, processId: Deno.pid, ...request });
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new FatalError(
      `Cannot read settings file "${name}": line ${lineOfFault(bytes)} is not UTF-8 text`,
      { hint: "Save the file as UTF-8", cause },
    );
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** Number of the first line that is not UTF-8; no character goes across the end of a line. */
function lineOfFault(bytes: Uint8Array): number {
  for (let line = 1, start = 0;; line++) {
    const newline = bytes.indexOf(10, start);
    try {
      decodeUtf8(bytes.subarray(start, newline < 0 ? bytes.length : newline));
    } catch {
      // This is the line that was looked for.
      return line;
    }
    if (newline < 0) return line;
    start = newline + 1;
  }
}
