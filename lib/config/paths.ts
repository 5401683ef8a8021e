/**
 * Which file a path of the settings means.
 *
 * Two rules of Postfix's. A relative path stands below `queue_directory`, where its daemons work
 * (event_server.c, multi_server.c). And a file that tlsmgr writes does not go into a folder that
 * belongs to somebody else than `mail_owner`: it goes to `data_directory` under the same base name,
 * with two warnings (global/data_redirect.c). So the relative name of a cache file ends in
 * `data_directory` wherever the queue directory belongs to root, as it does by default.
 *
 * Pure: who owns a folder is asked through a function of the caller's.
 *
 * @module
 */

/** Parameters and facts that the rules need. */
export interface FileGround {
  readonly queueDirectory: string;
  readonly dataDirectory: string;
  /** Name of the account, for the warnings. */
  readonly mailOwner: string;
  /** Who may own a folder with written files: the uid of `mailOwner`, or of a process not run by root. */
  readonly ownerUid: number;
  /** The uid that owns a folder; `undefined` when the folder cannot be examined. */
  folderOwner(path: string): number | undefined;
}

/** A file that is going to be written, and what there is to tell about its place. */
export interface WrittenFile {
  /** Absolute when the directories are. */
  readonly path: string;
  /** Texts of the warnings to log, in order; none when the path is as the settings say. */
  readonly warnings: readonly string[];
}

/** The file that `path` means to a daemon that works in `queueDirectory`; empty stays empty. */
export function resolvePath(path: string, queueDirectory: string): string {
  if (path === "" || path.startsWith("/")) return path;
  return join(queueDirectory, path);
}

/**
 * The file to write for `path`. `what` is how the warnings call it: a `table` is shown as
 * `type:name`, a `file` by its path. A folder that cannot be examined is left to whoever opens the
 * file.
 */
export function redirectIntoDataDirectory(
  path: string,
  what: { readonly kind: "file" | "table"; readonly shown: string },
  ground: FileGround,
): WrittenFile {
  const { queueDirectory, mailOwner } = ground;
  const resolved = resolvePath(path, queueDirectory);
  const shownFolder = folderOf(path);
  const owner = ground.folderOwner(folderOf(resolved));
  if (owner === undefined || owner === ground.ownerUid) return { path: resolved, warnings: [] };
  const data = resolvePath(ground.dataDirectory, queueDirectory);
  return {
    path: join(data, baseOf(path)),
    warnings: [
      `request to update ${what.kind} ${what.shown} in non-${mailOwner} directory ${shownFolder}`,
      `redirecting the request to ${mailOwner}-owned data_directory ${ground.dataDirectory}`,
    ],
  };
}

/** `path` without the slashes it ends with, in one pass; of the root nothing is left. */
export function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

function join(folder: string, name: string): string {
  return `${withoutEndSlashes(folder)}/${name}`;
}

/** As dirname(3): `.` for a name without a slash, `/` for the root. */
function folderOf(path: string): string {
  const trimmed = withoutEndSlashes(path);
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return trimmed === "" && path !== "" ? "/" : ".";
  return withoutEndSlashes(trimmed.slice(0, slash)) || "/";
}

/** As basename(3). */
function baseOf(path: string): string {
  return withoutEndSlashes(path).replace(/^.*\//s, "");
}
