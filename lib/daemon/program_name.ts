/**
 * The name that this process was started under.
 *
 * Deno shows neither argv[0] nor, without every permission there is, a file of `/proc/self`; the kernel
 * does.
 *
 * @module
 */
import { fromUtf8 } from "../base/bytes.ts";
import { closeFile, OPEN, openFile, readFile } from "../ffi/libc/file.ts";

/** More than the longest name; a longer path is cut and matches nothing. */
const PATH_BYTES_MAX = 4096;

/** Last part of the path in argv[0]; empty where the kernel does not tell. */
export function programName(): string {
  const fd = openFile("/proc/self/cmdline", OPEN.readOnly | OPEN.closeOnExec);
  if (fd < 0) return "";
  const bytes = new Uint8Array(PATH_BYTES_MAX);
  const count = readFile(fd, bytes, bytes.length);
  closeFile(fd);
  const [path] = fromUtf8(bytes.subarray(0, Math.max(count, 0))).split("\0");
  return path.slice(path.lastIndexOf("/") + 1);
}
