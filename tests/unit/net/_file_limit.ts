/**
 * The limit on open descriptors of this process, lowered for a moment.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
}).symbols;

const RLIMIT_NOFILE = 7;

/** Runs `run` while no further descriptor can be opened; nothing in it may wait. */
export function withoutDescriptors(run: () => void): void {
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  if (libc.getrlimit(RLIMIT_NOFILE, bytes) !== 0) throw new Error("getrlimit failed");
  const soft = limits[0];
  limits[0] = 1n;
  if (libc.setrlimit(RLIMIT_NOFILE, bytes) !== 0) throw new Error("setrlimit failed");
  try {
    run();
  } finally {
    limits[0] = soft;
    libc.setrlimit(RLIMIT_NOFILE, bytes);
  }
}
