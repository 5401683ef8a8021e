/**
 * The memory file that tlsmgr's ticket keys wait in while the service is started again: taken over from the
 * run before, or made, and given to the service manager.
 *
 * Without a service manager, and for other roles, there is none. What cannot be had is one warning: the
 * service works without, and clients with tickets of before have full handshakes.
 *
 * @module
 */
import type { RoleName } from "../config/parameters.ts";
import { describeErrno } from "../ffi/errno.ts";
import { closeFile } from "../ffi/libc/file.ts";
import type { Log } from "../log/log.ts";
import { TICKET_KEYS_NAME } from "./activation.ts";
import { findKeptFault, makeKeptFile } from "./kept_memory.ts";
import type { Notifier } from "./notify.ts";

/** What is needed to keep keys. */
export interface KeyFileGround {
  readonly role: RoleName;
  readonly notifier: Pick<Notifier, "isConnected" | "keep" | "forget">;
  readonly log: Pick<Log, "warn">;
  /** Who may have made a file of this service's. */
  readonly userIds: readonly number[];
}

/**
 * The descriptor of the file, which stays open as long as the process; `undefined`: there is none.
 *
 * @param kept what the service manager has kept under the name; what is not used is closed
 */
export function keepTicketKeys(
  kept: readonly number[],
  { role, notifier, log, userIds }: KeyFileGround,
): number | undefined {
  const faults: string[] = [];
  let taken: number | undefined;
  for (const fd of kept) {
    const fault = role === "tlsmgr" && taken === undefined
      ? findKeptFault(fd, userIds)
      : "there is no use for it";
    if (fault === undefined) {
      taken = fd;
      continue;
    }
    faults.push(fault);
    closeFile(fd);
  }
  if (faults.length > 0) {
    log.warn(`ticket keys of the run before cannot be taken over: ${faults.join("; ")}`);
  }
  if (taken !== undefined) return taken;
  if (faults.length > 0) notifier.forget(TICKET_KEYS_NAME);
  if (role !== "tlsmgr" || !notifier.isConnected) return undefined;
  const made = makeKeptFile(TICKET_KEYS_NAME);
  const result = typeof made === "number" ? notifier.keep(TICKET_KEYS_NAME, made) : 0;
  const fault = typeof made === "string" ? made : result < 0 ? describeErrno(-result) : undefined;
  if (fault !== undefined) log.warn(`ticket keys will not outlive this run: ${fault}`);
  return typeof made === "number" ? made : undefined;
}
