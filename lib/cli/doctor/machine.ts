/**
 * What the checks ask of the machine beside files: who listens, what is open to whom, how much is free.
 *
 * Deno's own calls do not show /proc, so it is read through the calls of the store. Where the machine
 * does not tell, the answer is `undefined`, and the check that asked says nothing.
 *
 * @module
 */
import { toLatin1 } from "../../base/bytes.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { accountOf, isGroup } from "../../daemon/accounts.ts";
import { libcFileIo } from "../../store/file_io.ts";

/** Who listens on a socket. */
export interface Listener {
  /** Process id and name of the executable, of those that may be seen; another user's are hidden. */
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
}

/** An account with its own group, and those that /etc/group adds. */
export interface Account {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The machine. */
export interface Machine {
  readonly clock: Clock;
  /** Who listens at the UNIX-domain socket `path`; `undefined`: nobody. */
  listener(path: string): Promise<Listener | undefined>;
  /** Most open files of process `pid`, or of this process. */
  openFilesMax(pid: number | undefined): number | undefined;
  /** Bytes that are free for others than root where `folder` is. */
  freeBytes(folder: string): Promise<number | undefined>;
  account(name: string): Account | undefined;
  hasGroup(name: string): boolean;
}

/** __SO_ACCEPTCON of linux/net.h: the flag of a listening socket in /proc/net/unix. */
const ACCEPTS = 0x10000;
const OPEN_READ_ONLY = 0;
const READ_BYTES_MAX = 4 << 20;
const CHUNK_BYTES = 65_536;

/** The machine that this runs on. */
export const thisMachine: Machine = {
  clock: systemClock,
  async listener(path) {
    const inode = listeningInode(readSystemFile("/proc/net/unix") ?? "", path);
    if (inode === undefined) return undefined;
    return { processes: await processesWith(inode) };
  },
  openFilesMax(pid) {
    return readOpenFilesMax(readSystemFile(`/proc/${pid ?? "self"}/limits`) ?? "");
  },
  async freeBytes(folder) {
    const printed = await run("df", ["-P", "-k", folder]);
    return readFreeBytes(printed ?? "");
  },
  account(name) {
    const row = accountOf(name);
    if (row === undefined) return undefined;
    return { uid: row.uid, gids: [row.gid, ...groupsNaming(name, readText("/etc/group"))] };
  },
  hasGroup: isGroup,
};

/** The inode of the socket that listens at `path`, in the text of /proc/net/unix. */
export function listeningInode(table: string, path: string): string | undefined {
  for (const line of table.split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path
    const [, , , flags, , , inode, ...rest] = line.trim().split(/\s/).filter((word) => word !== "");
    if (rest.join(" ") === path && (Number.parseInt(flags, 16) & ACCEPTS) !== 0) return inode;
  }
  return undefined;
}

/** The soft limit in the text of /proc/PID/limits; `Infinity` for none. */
export function readOpenFilesMax(limits: string): number | undefined {
  const [, soft] = /^Max open files +(\d+|unlimited) /m.exec(limits) ?? [];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Infinity : Number(soft);
}

/** Free bytes in what `df -P -k` printed of one folder. */
export function readFreeBytes(printed: string): number | undefined {
  const [, kilobytes] = /\n\S.* (\d+) +\d+% /.exec(printed) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Numbers of the groups whose members `group`, the text of /etc/group, says `name` is one of. */
export function groupsNaming(name: string, group: string): number[] {
  return group.split("\n").map((line) => line.split(":"))
    .filter(([, , , members]) => (members ?? "").split(",").includes(name))
    .map(([, , gid]) => Number(gid));
}

/** Processes that have the socket `inode` open, by the names of their executables. */
async function processesWith(inode: string): Promise<Listener["processes"]> {
  const links = ["-path", "/proc/[0-9]*/fd/*", "-lname", `socket:\\[${inode}\\]`];
  const printed = await run("find", ["/proc", "-mindepth", "3", "-maxdepth", "3", ...links]);
  const pids = new Set([...(printed ?? "").matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => pid));
  if (pids.size === 0) return [];
  const programs = [...pids].map((pid) => `/proc/${pid}/exe`);
  const found = await run("find", [...programs, "-maxdepth", "0", "-printf", "%p %l\n"]);
  // One that has ended meanwhile is left out.
  return [...(found ?? "").matchAll(/^\/proc\/(\d+)\/exe .*\/([^/\s]+)(?: \(deleted\))?$/gm)]
    .map(([, pid, name]) => ({ pid: Number(pid), name }));
}

/** What a program prints; `undefined` if it is not there. Its exit code does not matter. */
async function run(program: string, args: string[]): Promise<string | undefined> {
  try {
    const env = { LC_ALL: "C" };
    const { stdout } = await new Deno.Command(program, { args, env, stderr: "null" }).output();
    return toLatin1(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A file of /proc whole, bytes as characters. */
function readSystemFile(path: string): string | undefined {
  const fd = libcFileIo.open(path, OPEN_READ_ONLY, 0);
  if (fd < 0) return undefined;
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  while (text.length < READ_BYTES_MAX) {
    const length = libcFileIo.pread(fd, chunk, chunk.length, text.length);
    if (length <= 0) break;
    text += toLatin1(chunk, 0, length);
  }
  libcFileIo.close(fd);
  return text;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
