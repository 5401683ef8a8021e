/**
 * Words for what is wrong with a file or folder.
 *
 * @module
 */
import { messageOf } from "../base/errors.ts";

/** What an operator needs to know of an error that a file operation threw; not capitalised. */
export function describeFileFault(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is no folder";
  // Deno opens few files below /proc, and says so in words about its own options.
  if (error instanceof Deno.errors.NotCapable) return "it is a file of the kernel's";
  return messageOf(error);
}
