/**
 * `postern uninstall`: takes back what an installation has done, and nothing else.
 *
 * A file that was changed since is somebody's work: it stays, and is named.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { print } from "../output.ts";
import { readRegular, removeEmptyFolder, removeFile } from "./disk.ts";
import { layoutOf } from "./layout.ts";
import { readManifest } from "./manifest.ts";
import { planUndo } from "./postfix.ts";
import { take, tell } from "./steps.ts";
import { sha256Of } from "./whole_file.ts";

/** What the command line says. */
export interface UninstallRequest {
  /** Absolute. */
  readonly prefix: string;
  readonly dryRun: boolean;
}

/** Uninstalls, or tells what it would do. */
export async function uninstall({ prefix, dryRun }: UninstallRequest): Promise<void> {
  const { manifest: path } = layoutOf(prefix);
  const manifest = readManifest(path);
  if (manifest === undefined) {
    throw new FatalError(`Cannot uninstall: there is no manifest "${path}"`, {
      hint: "Give the --prefix of the installation; files that were copied by hand are not known",
      exitCode: EXIT.noInput,
    });
  }
  const undo = manifest.masterCf === undefined ? undefined : planUndo(manifest.masterCf);
  for (const step of undo?.steps ?? []) {
    if (!dryRun) take(step);
    print(`${tell(step)}\n`);
  }
  const backup = undo?.backup === undefined ? [] : [undo.backup];
  for (const file of backup) remove(file, dryRun);
  for (const { path: file, sha256 } of manifest.files) {
    const bytes = readRegular(file);
    if (bytes === undefined) print(`gone     ${file}\n`);
    else if (await sha256Of(bytes) === sha256) remove(file, dryRun);
    else print(`keep     ${file}: it was changed by hand\n`);
  }
  remove(path, dryRun);
  for (const folder of manifest.folders.toReversed()) {
    if (dryRun) print(`remove   ${folder}, if nothing else is in it\n`);
    else if (removeEmptyFolder(folder)) print(`remove   ${folder}\n`);
    else print(`keep     ${folder}: something else is in it\n`);
  }
  if (dryRun) print("Nothing was changed: this was a dry run\n");
  else if (undo !== undefined) print("Next, as root:\n    postfix reload\n");
}

function remove(path: string, dryRun: boolean): void {
  if (!dryRun) removeFile(path);
  print(`remove   ${path}\n`);
}
