/**
 * The end of the process, at once: exit handlers and destructors do not run.
 *
 * Threads of the runtime may still be at work (a service thread that has just left its loop, the
 * compiler), and what they use would be taken apart under them. Everything that has to be kept was
 * written with system calls by then; nothing waits in a buffer.
 *
 * @module
 */
import type { ExitCode } from "../base/errors.ts";
import { exitAtOnce } from "../ffi/libc/process.ts";

/** Ends the process with `code`. */
export function endProcess(code: ExitCode): never {
  exitAtOnce(code);
}
