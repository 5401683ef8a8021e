/**
 * What tells one content of a file from another without reading it.
 *
 * A path is followed to the file that it leads to, so that a link that is turned to another file counts
 * as a change, and so does a file that takes the place of another one.
 *
 * @module
 */

/** A path, and what its file looks like. */
export type FileMark = readonly [path: string, mark: string];

/** What a mark says of a file that cannot be seen begins with this. */
const UNSEEN = "unseen: ";

/** The mark of `path` at this moment; waits for the disk. */
export function markFile(path: string): FileMark {
  try {
    return [path, markOf(Deno.statSync(path))];
  } catch (error) {
    return [path, unseen(error)];
  }
}

/** As {@linkcode markFile}, for those who must not wait. */
export async function lookAtFile(path: string): Promise<string> {
  try {
    return markOf(await Deno.stat(path));
  } catch (error) {
    return unseen(error);
  }
}

/** Why nothing can be read from `path`; `undefined`: something can. */
export async function findReadFault(path: string): Promise<string | undefined> {
  try {
    (await Deno.open(path)).close();
    return undefined;
  } catch (error) {
    return whyUnseen(unseen(error));
  }
}

/** Why a file could not be seen; `undefined` for the mark of one that could. */
export function whyUnseen(mark: string): string | undefined {
  return mark.startsWith(UNSEEN) ? mark.slice(UNSEEN.length) : undefined;
}

function markOf({ dev, ino, size, mtime, ctime, mode, uid, gid }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime(), mode, uid, gid].join();
}

function unseen(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `${UNSEEN}it is not there`;
  if (error instanceof Deno.errors.PermissionDenied) return `${UNSEEN}permission denied`;
  return UNSEEN + (error instanceof Error ? error.message : String(error));
}
