/**
 * Giving away the rights of root: for good, for all threads, and before a byte of a client's is read.
 *
 * Started by root, a role opens keys, sockets, session caches and the source of random bytes first; then
 * it becomes `[service] user`, which is `mail_owner` unless set. The order is Postfix's: groups, root
 * folder, user (util/chroot_uid.c). Started by anybody else, it stays who it is.
 *
 * What must never happen: serving with rights that were to be given away. Every step is checked, and the
 * way back is tried.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { describeErrno } from "../ffi/errno.ts";
import {
  changeRoot,
  findAccount,
  findGroup,
  setGroupId,
  setGroupsOf,
  setUserId,
} from "../ffi/libc/identity.ts";
import { allowDumps, effectiveUserId, forbidDumps } from "../ffi/libc/process.ts";
import type { Log } from "../log/log.ts";

const ROOT = 0;

/** Whom a process is going to be. */
export interface Identity {
  /** Name of the account. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** What of the settings decides. */
type Wishes = Pick<Settings["service"], "user" | "group">;

/**
 * Whom to become; `undefined`: nobody else. Throws {@linkcode FatalError} for an account or group that is
 * not there, or is root's.
 *
 * @param uid who the process is
 */
export function chooseIdentity({ user, group }: Wishes, uid: number): Identity | undefined {
  if (uid !== ROOT || user === "") return undefined;
  const account = findAccount(user);
  if (account === undefined) {
    throw new FatalError(`Cannot run as the account "${user}": there is none of that name`, {
      hint: "Make it, or name another one in mail_owner or [service] user; " +
        'user = "" in [service] stays root',
    });
  }
  const gid = group === "" ? account.gid : findGroup(group);
  if (gid === undefined) {
    throw new FatalError(`Cannot run as the group "${group}": there is none of that name`, {
      hint: "Make it, or leave [service] group out",
    });
  }
  if (account.uid !== ROOT && gid !== ROOT) return { user, uid: account.uid, gid };
  const what = account.uid === ROOT ? `account "${user}"` : `group of "${user}"`;
  throw new FatalError(`Cannot run as the ${what}: it is root's`, {
    hint: 'Choose another one in mail_owner or [service] user; user = "" stays root',
  });
}

/** What is asked of {@linkcode giveUpRights}. */
export interface RightsToGive {
  /** Whom to become; absent: nobody else. */
  readonly identity: Identity | undefined;
  /** The folder to be shut into; absent: none. */
  readonly jail: string | undefined;
}

/** Becomes somebody with fewer rights. Throws {@linkcode FatalError} when a step fails. */
export function giveUpRights({ identity, jail }: RightsToGive): void {
  if (identity !== undefined) {
    const { user, gid } = identity;
    demand(setGroupsOf(user, gid), `take the groups of "${user}"`);
    demand(setGroupId(gid), `take the group id ${gid}`);
  }
  if (jail !== undefined) {
    demand(changeRoot(jail), `be shut into "${jail}"`);
    Deno.chdir("/");
  }
  if (identity === undefined) return;
  demand(setUserId(identity.uid), `become "${identity.user}"`);
  if (setUserId(ROOT) >= 0 || effectiveUserId() !== identity.uid) {
    throw new FatalError(`Cannot become "${identity.user}" for good: there is a way back to root`, {
      hint: "Take the capabilities away that let this process change its user ids",
    });
  }
}

function demand(result: number, what: string): void {
  if (result >= 0) return;
  throw new FatalError(`Cannot ${what}: ${describeErrno(-result)}`, {
    hint: "Start postern with all rights of root, or as the account it is to run as",
  });
}

/**
 * Session keys and private keys have no place in a core file, nor in front of a debugger, unless core
 * files are asked for. To be said again after a change of ids, which sets it anew.
 */
export function guardMemory({ core_dumps }: Settings["service"], log: Pick<Log, "warn">): void {
  const result = core_dumps ? allowDumps() : forbidDumps();
  const what = core_dumps ? "allow" : "forbid";
  if (result < 0) log.warn(`cannot ${what} core dumps: ${describeErrno(-result)}`);
}
