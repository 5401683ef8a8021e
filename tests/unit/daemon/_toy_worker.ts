/**
 * A service thread that does nothing but end, in the way that `syslog_name` says.
 *
 * @module
 */
import { FatalError } from "../../../lib/base/errors.ts";
import { type MakeService, serve } from "../../../lib/daemon/service_thread.ts";

const NOBODY_PLAYS = new FatalError("Cannot be a toy: nobody plays", { hint: "Play with it" });
/** With this `ipc_timeout` no toy can be made. */
const UNLUCKY_S = 13;

const make: MakeService = (hall) => {
  const service = { drain: () => hall.drained(), close: () => {} };
  // A parameter that a reload may change.
  if (hall.settings.parameters.ipc_timeout === UNLUCKY_S) throw NOBODY_PLAYS;
  switch (hall.settings.parameters.syslog_name) {
    case "end":
      hall.reactor.after(0, () => hall.drained());
      return service;
    case "slow":
      hall.slowCalls.read(hall.listenFd, { length: 8, offset: 0 }, (bytes) => {
        hall.log.info(`a socket cannot be read like a file: ${bytes === undefined}`);
        hall.slowCalls.fsync(hall.listenFd, (ok) => {
          hall.log.info(`nor synced: ${!ok}`);
          hall.drained();
        });
      });
      return service;
    case "second-fails":
      if (hall.isFirst) return service;
      throw new FatalError("Cannot be the second toy: one is enough");
    case "fatal":
      throw NOBODY_PLAYS;
    case "bug":
      hall.reactor.after(0, () => {
        throw new RangeError("a bug of the toy");
      });
      return service;
    case "bug-in-close":
      hall.reactor.after(0, () => hall.drained());
      return {
        ...service,
        close: () => {
          throw new RangeError("a bug while closing");
        },
      };
    case "second-ends":
      // Long after anybody would have taken the other one for stuck.
      hall.reactor.after(hall.isFirst ? 1_500 : 0, () => hall.drained());
      return service;
    case "stuck":
      hall.reactor.after(0, () => {
        // Until the test has seen enough.
        while (hall.isFirst && !isThere(`${hall.settings.service.socket}.end`));
      });
      return service;
    default:
      // Stays until it is told to end.
      return service;
  }
};

serve(make);

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
