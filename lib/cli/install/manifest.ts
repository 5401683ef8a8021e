/**
 * What an installation has put where: kept below the prefix, so that `postern uninstall` is exact.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";

/** A file that was written, and what it held. */
export interface InstalledFile {
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** master.cf of a Postfix whose entries were commented out. */
export interface EditedMasterCf {
  readonly path: string;
  /** A copy of it as it was. */
  readonly backup: string;
}

/** The manifest. */
export interface Manifest {
  /** Version of postern. */
  readonly version: string;
  /** Folders that were made, outer ones first. */
  readonly folders: readonly string[];
  readonly files: readonly InstalledFile[];
  readonly masterCf?: EditedMasterCf;
}

/** Form of the file; another number is from a later version. */
const FORM = 1;

/** The text of the file. */
export function writeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ form: FORM, ...manifest }, undefined, 2)}\n`;
}

/** Reads the manifest at `path`; `undefined` if there is none. Throws {@linkcode FatalError}. */
export function readManifest(path: string): Manifest | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new FatalError(`Cannot read the manifest "${path}": ${(error as Error).message}`, {
      hint: "Run the command as the user who installed postern, mostly root",
      cause: error,
    });
  }
  const manifest = parse(text);
  if (manifest !== undefined) return manifest;
  throw new FatalError(`Cannot read the manifest "${path}": it is not one of this version's`, {
    hint: "Use the postern that was installed last, or remove the file and what it names by hand",
  });
}

function parse(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { form, version, folders, files, masterCf } = (value ?? {}) as Record<string, unknown>;
  if (form !== FORM || typeof version !== "string") return undefined;
  if (!Array.isArray(folders) || !folders.every(isPath)) return undefined;
  if (!Array.isArray(files) || !files.every(isFile)) return undefined;
  if (masterCf === undefined) return { version, folders, files };
  const { path, backup } = (masterCf ?? {}) as Record<string, unknown>;
  if (!isPath(path) || !isPath(backup)) return undefined;
  return { version, folders, files, masterCf: { path, backup } };
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/");
}

function isFile(value: unknown): value is InstalledFile {
  const { path, sha256 } = (value ?? {}) as Record<string, unknown>;
  return isPath(path) && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
}
