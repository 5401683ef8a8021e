/**
 * The steps of an installation and of its undoing: decided by looking, told, then taken.
 *
 * What is told for a dry run is what would be done, from the same list.
 *
 * @module
 */
import { type FileRights, isThere, makeFolder, readRegular, replaceFile } from "./disk.ts";
import type { Manifest } from "./manifest.ts";
import type { WantedFile } from "./wanted.ts";
import { sha256Of } from "./whole_file.ts";

/** One step. */
export type Step =
  | { readonly kind: "folder"; readonly path: string }
  | {
    readonly kind: "write";
    readonly path: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly rights: FileRights;
    /** Whether a file is there already. */
    readonly replaces: boolean;
    /** What it is, where the path does not say it. */
    readonly remark?: string;
  }
  | { readonly kind: "keep"; readonly path: string; readonly why: string };

/** Decides about each file; folders come before what is in them. */
export async function planFiles(
  files: readonly WantedFile[],
  old: Manifest | undefined,
): Promise<Step[]> {
  const steps: Step[] = [];
  const folders = new Set<string>();
  for (const file of files) {
    const step = await decide(file, old);
    if (step.kind === "write") {
      for (const folder of missingFolders(file.path)) {
        if (!folders.has(folder)) steps.push({ kind: "folder", path: folder });
        folders.add(folder);
      }
    }
    steps.push(step);
  }
  return steps;
}

async function decide(file: WantedFile, old: Manifest | undefined): Promise<Step> {
  const { path, bytes, kind, mode } = file;
  const keep = (why: string): Step => ({ kind: "keep", path, why });
  const write: Step = { kind: "write", path, bytes, rights: { mode }, replaces: false };
  const current = readRegular(path);
  if (current === undefined) return write;
  const sha256 = await sha256Of(current);
  if (sha256 === await sha256Of(bytes)) return keep("it is the same");
  if (kind === "settings") return keep("settings that are there are never changed");
  const known = old?.files.find((installed) => installed.path === path);
  if (kind === "executable" || known?.sha256 === sha256) return { ...write, replaces: true };
  return keep(known === undefined ? "somebody else put it there" : "it was changed by hand");
}

/** Folders above `path` that are not there, outer ones first. */
export function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (
    let folder = parentOf(path);
    folder !== "" && !isThere(folder);
    folder = parentOf(folder)
  ) missing.unshift(folder);
  return missing;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** A line about a step. */
export function tell(step: Step): string {
  switch (step.kind) {
    case "folder":
      return `folder   ${step.path}`;
    case "write": {
      const { path, bytes, rights, replaces, remark } = step;
      const mode = rights.mode.toString(8).padStart(4, "0");
      const word = replaces ? "replace " : "write   ";
      const more = remark === undefined ? "" : `: ${remark}`;
      return `${word} ${path} (${bytes.length} bytes, mode ${mode})${more}`;
    }
    case "keep":
      return `keep     ${step.path}: ${step.why}`;
  }
}

/** Takes a step. */
export function take(step: Step): void {
  if (step.kind === "folder") makeFolder(step.path);
  if (step.kind === "write") replaceFile(step.path, step.bytes, step.rights);
}
