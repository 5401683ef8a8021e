/**
 * Changes of the file system, each whole or not at all.
 *
 * A file is written under another name in its folder, handed to the disk, and renamed.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { describeFileFault } from "../file_fault.ts";

/** Who owns a file and what they may do. */
export interface FileRights {
  /** Permission bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** The bytes of a regular file; `undefined` if there is none. Other things are refused. */
export function readRegular(path: string): Uint8Array<ArrayBuffer> | undefined {
  return orRefuse(`Cannot read "${path}"`, () => {
    try {
      if (!Deno.lstatSync(path).isFile) throw new Error("it is no regular file");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    return Deno.readFileSync(path);
  });
}

/** Puts a file in the place of whatever file is there. */
export function replaceFile(path: string, bytes: Uint8Array, rights: FileRights): void {
  orRefuse(`Cannot write "${path}"`, () => {
    const dir = path.slice(0, path.lastIndexOf("/")) || "/";
    // Only its maker may read it, and it is no other file's name.
    const unfinished = Deno.makeTempFileSync({ dir, prefix: ".postern-" });
    try {
      {
        using file = Deno.openSync(unfinished, { write: true });
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        file.syncSync();
      }
      const { mode, uid, gid } = rights;
      if (uid !== undefined && gid !== undefined) Deno.chownSync(unfinished, uid, gid);
      Deno.chmodSync(unfinished, mode);
      Deno.renameSync(unfinished, path);
    } catch (error) {
      Deno.removeSync(unfinished);
      throw error;
    }
  });
}

/** Makes one folder, mode 0755; it is not there. */
export function makeFolder(path: string): void {
  orRefuse(`Cannot make the folder "${path}"`, () => {
    Deno.mkdirSync(path);
    Deno.chmodSync(path, 0o755);
  });
}

/** Removes a file. */
export function removeFile(path: string): void {
  orRefuse(`Cannot remove "${path}"`, () => Deno.removeSync(path));
}

/** Removes a folder if nothing is in it; whether it is gone. */
export function removeEmptyFolder(path: string): boolean {
  if (!isThere(path)) return true;
  if ([...Deno.readDirSync(path)].length > 0) return false;
  orRefuse(`Cannot remove the folder "${path}"`, () => Deno.removeSync(path));
  return true;
}

/** Whether there is anything called `path`. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function orRefuse<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    throw new FatalError(`${what}: ${describeFileFault(cause)}`, {
      hint: "Most installations need root; what was done before this is in the manifest, and " +
        "`postern uninstall` takes it back",
      exitCode: EXIT.unavailable,
      cause,
    });
  }
}
