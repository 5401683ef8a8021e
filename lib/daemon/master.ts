/**
 * The line to master(8): what it has left open, what it is told, and when it is gone.
 *
 * master(8) hands over the listening socket, non-blocking, and one end of a socket pair that all
 * processes of the service share. Once a process has said that it is available, a later crash is not
 * taken for a bad start. This process serves all clients alone, so it says so once and stays available;
 * master(8) then starts no other one. The end of the channel means that the service was reloaded, or that
 * master(8) is gone: no more connections are taken then.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { closeFile, writeFile } from "../ffi/libc/file.ts";
import { setCloseOnExec, SOCKET, socketOption } from "../ffi/libc/socket.ts";
import { encodeMasterStatus, MASTER_FD, MASTER_STATUS, parseGeneration } from "../proto/master.ts";
import { findListenerFault } from "./activation.ts";
import type { Environment } from "./environment.ts";

/** A process that master(8) has started. */
export class MasterLink {
  /** The channel; readable when it has ended. */
  readonly statusFd = MASTER_FD.status;
  /** The listening socket; its name is master's. */
  readonly listenFd = MASTER_FD.listen;
  readonly #pid: number;
  readonly #generation: number;

  private constructor(pid: number, generation: number) {
    this.#pid = pid;
    this.#generation = generation;
  }

  /** Takes over what master(8) has left. Throws {@linkcode FatalError} where it has not. */
  static take(environment: Environment, pid: number): MasterLink {
    const generation = parseGeneration(environment.get("GENERATION") ?? "");
    const why = generation === undefined
      ? "GENERATION is not set"
      : socketOption(MASTER_FD.status, SOCKET.SO_TYPE) < 0
      ? `descriptor ${MASTER_FD.status} is no socket`
      : describe(findListenerFault(MASTER_FD.listen));
    if (generation === undefined || why !== undefined) {
      throw new FatalError(`Cannot run under master(8): ${why}`, {
        hint: "Let master(8) start this program, or give --role and --config",
      });
    }
    for (const fd of [MASTER_FD.flowRead, MASTER_FD.flowWrite]) closeFile(fd);
    for (const fd of [MASTER_FD.status, MASTER_FD.listen]) setCloseOnExec(fd);
    return new MasterLink(pid, generation);
  }

  /** The start has succeeded. A channel that has ended is heard of elsewhere. */
  reportAvailable(): void {
    for (const status of [MASTER_STATUS.taken, MASTER_STATUS.available]) {
      const message = encodeMasterStatus(this.#pid, this.#generation, status);
      writeFile(this.statusFd, message, message.length);
    }
  }
}

function describe(fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `descriptor ${MASTER_FD.listen}: ${fault}`;
}
