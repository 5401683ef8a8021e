/**
 * Accounts and groups as the C library knows them, from whatever source the machine is set up for: what
 * the daemon is going to be, and what rooms above that look at files must believe, too.
 *
 * @module
 */
import { type Account, findAccount, findGroup } from "../ffi/libc/identity.ts";

/** The numbers of the account called `name`; `undefined` when there is none. */
export function accountOf(name: string): Account | undefined {
  return findAccount(name);
}

/** Whether there is a group called `name`, or it is a number. */
export function isGroup(name: string): boolean {
  return /^\d+$/.test(name) || findGroup(name) !== undefined;
}
