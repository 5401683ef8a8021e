/**
 * The folder that a daemon works in: queue_directory, where relative paths of files begin.
 *
 * @module
 */
import { messageOf } from "../base/errors.ts";
import type { Log } from "../log/log.ts";

/**
 * Makes `path` the working folder of the process. Where it is missing or closed, which a service with
 * absolute paths need not mind, that is said, and the working folder is the root: it must not depend on
 * where somebody stood when they started the service.
 */
export function enterFolder(path: string, log: Pick<Log, "warn">): void {
  try {
    Deno.chdir(path);
  } catch (error) {
    const why = messageOf(error).replace(/ \(os error .*$/, "");
    log.warn(`cannot work in queue_directory ${path}: ${why}; relative paths begin at / instead`);
    Deno.chdir("/");
  }
}
