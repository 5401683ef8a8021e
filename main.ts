/**
 * The entrance: hands the command line to lib/cli and ends with the exit code that comes back.
 *
 * An operator never sees a stack trace for a mistake of theirs; what does print one, with exit code
 * 70, is a fault of postern itself.
 *
 * @module
 */
import { runCommandLine } from "./lib/cli/commands.ts";
import { reportFailure } from "./lib/cli/failure.ts";
import { leave } from "./lib/cli/leave.ts";

for (const kind of ["error", "unhandledrejection"] as const) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    Deno.exit(reportFailure(event instanceof ErrorEvent ? event.error : event.reason));
  });
}

let code;
try {
  code = await runCommandLine(Deno.args);
} catch (error) {
  code = reportFailure(error);
}
await leave(code);
