import { assert, assertEquals } from "@std/assert";
import { describeErrno, ERRNO, errno } from "../../../lib/ffi/errno.ts";
import { openFile } from "../../../lib/ffi/libc/file.ts";
import { libc } from "../../../lib/ffi/libc/libc.ts";

Deno.test("errno() is the number that the call just before left", () => {
  assertEquals(libc.close(-1), -1);
  assertEquals(errno(), ERRNO.EBADF);
  assertEquals(libc.unlink(new Uint8Array([0x2f, 0])), -1);
  assert([ERRNO.EISDIR, 1].includes(errno()));
});

Deno.test("ERRNO agrees with the C library's own words", () => {
  const words: Record<keyof typeof ERRNO, string> = {
    ENOENT: "No such file or directory",
    EINTR: "Interrupted system call",
    EIO: "Input/output error",
    EBADF: "Bad file descriptor",
    EAGAIN: "Resource temporarily unavailable",
    ENOMEM: "Cannot allocate memory",
    EACCES: "Permission denied",
    EEXIST: "File exists",
    ENOTDIR: "Not a directory",
    EISDIR: "Is a directory",
    EINVAL: "Invalid argument",
    ENFILE: "Too many open files in system",
    EMFILE: "Too many open files",
    ENOSPC: "No space left on device",
    EROFS: "Read-only file system",
    EPIPE: "Broken pipe",
    ELOOP: "Too many levels of symbolic links",
    ENOTSOCK: "Socket operation on non-socket",
    EAFNOSUPPORT: "Address family not supported by protocol",
    EADDRINUSE: "Address already in use",
    ENOBUFS: "No buffer space available",
    ECONNABORTED: "Software caused connection abort",
    ECONNRESET: "Connection reset by peer",
    ENOTCONN: "Transport endpoint is not connected",
    ECONNREFUSED: "Connection refused",
    EINPROGRESS: "Operation now in progress",
  };
  for (const [name, number] of Object.entries(ERRNO)) {
    assertEquals(describeErrno(number), words[name as keyof typeof ERRNO], name);
  }
});

Deno.test("describeErrno() has words for a number that nobody knows", () => {
  assert(describeErrno(99_999).includes("99999"));
});

Deno.test("errno() of one thread does not show in another", async () => {
  assertEquals(openFile("/nowhere/at/all", 0), -ERRNO.ENOENT);
  const code = `
    const { errno } = await import(${
    JSON.stringify(import.meta.resolve("../../../lib/ffi/errno.ts"))
  });
    const { libc } = await import(${
    JSON.stringify(import.meta.resolve("../../../lib/ffi/libc/libc.ts"))
  });
    libc.close(-1);
    postMessage(errno());`;
  const url = `data:application/javascript,${encodeURIComponent(code)}`;
  const worker = new Worker(url, { type: "module" });
  libc.unlink(new TextEncoder().encode("/nowhere/at/all\0"));
  const there = await new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(event.error ?? event.message);
  });
  libc.unlink(new TextEncoder().encode("/nowhere/at/all\0"));
  const here = errno();
  worker.terminate();
  assertEquals([there, here], [ERRNO.EBADF, ERRNO.ENOENT]);
});
