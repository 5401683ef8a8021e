/**
 * From the operand FILE to a file that was looked through.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { findOwner, Inspection } from "../../store/inspect.ts";
import { FILE_SUFFIX } from "../../tlsmgr/database.ts";
import { describeFileFault } from "../file_fault.ts";
import { misuse } from "../options.ts";
import { printError } from "../output.ts";
import { Progress } from "../progress.ts";

/** The path of the cache file that `operand` names. Throws for a cache that has no file. */
export function findPath(operand: string): string {
  const typed = /^([a-z][a-z0-9_]*):(.*)$/s.exec(operand);
  if (typed === null) {
    const whole = operand + FILE_SUFFIX;
    return !operand.endsWith(FILE_SUFFIX) && exists(whole) ? whole : operand;
  }
  const [, type, name] = typed;
  if (type === "memory") {
    throw misuse(`Cannot look into ${operand}: it is in memory only`, "There is no file to name");
  }
  if (!name.startsWith("/")) {
    throw misuse(
      `Cannot tell which file ${operand} is: it stands below data_directory`,
      `Write the whole path, for example ${type}:/var/lib/postfix/${name || "smtpd_scache"}`,
    );
  }
  return name + FILE_SUFFIX;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    // Whatever keeps it out of sight: the name as it was given is tried, and that says why.
    return false;
  }
}

/** A file that was looked through, and who uses it. */
export interface InspectedFile {
  readonly inspection: Inspection;
  /** Process id. */
  readonly owner: number | undefined;
}

/** Looks through the file of `operand`; the caller closes the inspection. */
export function inspectFile(operand: string): InspectedFile {
  const path = findPath(operand);
  const inspection = Inspection.open(path);
  try {
    const owner = findOwner(path);
    using progress = new Progress(`Reading ${path}`, inspection.fileBytes);
    while (inspection.step()) progress.show(inspection.doneBytes);
    return { inspection, owner };
  } catch (fault) {
    inspection.close();
    throw fault;
  }
}

/** Tells people, beside the output, that the file may have changed since. */
export function noteOwner({ inspection, owner }: InspectedFile): void {
  if (owner === undefined) return;
  printError(`postern: note: process ${owner} uses ${inspection.path}; this is how it stood\n`);
}

/**
 * The path of the file of `operand`, for a command that changes it. Refuses a missing file, one of another
 * user, and one that is in use; the lock itself is taken later, by who opens it.
 */
export function findOwnPath(operand: string): string {
  const path = findPath(operand);
  const uid = ownerOf(path);
  if (uid !== Deno.uid()) {
    throw new FatalError(`Cannot change cache file "${path}": it belongs to user id ${uid}`, {
      hint: `Run the command as that user, for example with sudo -u '#${uid}'`,
    });
  }
  const owner = findOwner(path);
  if (owner === undefined) return path;
  throw new FatalError(`Cannot change cache file "${path}": process ${owner} uses it`, {
    hint: "Stop that service first",
    exitCode: EXIT.unavailable,
  });
}

/** User id. */
function ownerOf(path: string): number {
  try {
    const { uid } = Deno.lstatSync(path);
    if (uid !== null) return uid;
  } catch (error) {
    throw new FatalError(`Cannot change cache file "${path}": ${describeFileFault(error)}`, {
      hint: "Give the path of a cache file, or the value of the parameter that names it",
      exitCode: EXIT.noInput,
    });
  }
  throw new FatalError(`Cannot change cache file "${path}": its owner is unknown`);
}
