/**
 * Accounts and groups of the machine, and the ids of this process. A result below zero is `-errno`.
 *
 * Ids belong to threads in Linux; glibc hides that: a change that one thread makes is made by all of
 * them, Deno's and V8's included, before the call returns.
 *
 * @module
 */
import { ABI } from "../abi.ts";
import { errno } from "../errno.ts";
import { cString } from "../memory.ts";
import { libc } from "./libc.ts";

/** The numbers of an account. */
export interface Account {
  readonly uid: number;
  /** Its own group. */
  readonly gid: number;
}

function orErrno(result: number): number {
  return result < 0 ? -errno() : result;
}

/** getpwnam(3): the account called `name`. */
export function findAccount(name: string): Account | undefined {
  const row = libc.getpwnam(cString(name));
  if (row === null) return undefined;
  const view = new Deno.UnsafePointerView(row);
  return { uid: view.getUint32(ABI.passwd.uid), gid: view.getUint32(ABI.passwd.gid) };
}

/** getgrnam(3): the number of the group called `name`. */
export function findGroup(name: string): number | undefined {
  const row = libc.getgrnam(cString(name));
  return row === null ? undefined : new Deno.UnsafePointerView(row).getUint32(ABI.group.gid);
}

/** initgroups(3): the groups of the account `name`, and `gid`, are the supplementary ones. */
export function setGroupsOf(name: string, gid: number): number {
  return orErrno(libc.initgroups(cString(name), gid));
}

/** setresgid(2), all three. */
export function setGroupId(gid: number): number {
  return orErrno(libc.setresgid(gid, gid, gid));
}

/** setresuid(2), all three: whoever is not root any more stays so. */
export function setUserId(uid: number): number {
  return orErrno(libc.setresuid(uid, uid, uid));
}

/** chroot(2). The working folder stays where it is. */
export function changeRoot(path: string): number {
  return orErrno(libc.chroot(cString(path)));
}
