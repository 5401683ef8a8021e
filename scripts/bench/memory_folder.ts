/**
 * A folder in memory for caches of which no disk is to be seen, that vanishes with the run.
 *
 * Postfix syncs its cache at each update, which is what an operator has, and too slow to fill one with
 * many entries. The run is started again in a mount namespace of its own, with a tmpfs on an empty
 * folder; nothing has to be unmounted, however it ends. (/dev/shm would not do: Deno takes all of /dev
 * for files of the kernel's.)
 *
 * @module
 */
import { onEndSignals } from "./end_signals.ts";

/** Makes everything that `make` puts into a temporary folder lie in memory, where that can be had. */
export async function inMemory<T>(make: () => Promise<T>): Promise<T> {
  const folder = Deno.env.get(FOLDER_VARIABLE);
  const usual = Deno.env.get("TMPDIR");
  if (folder === undefined) return await make();
  Deno.env.set("TMPDIR", folder);
  try {
    return await make();
  } finally {
    if (usual === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", usual);
  }
}

/** Names the folder to the run that is started in the namespace. */
export const FOLDER_VARIABLE = "POSTERN_BENCH_FOLDER";

const MOUNT = 'mount -t tmpfs -o mode=1777 tmpfs "$0" && exec "$@"';

/** Whether this process may have a mount namespace. */
async function mayMount(): Promise<boolean> {
  try {
    const args = ["--mount", "sh", "-c", MOUNT, "/mnt", "true"];
    return (await new Deno.Command("unshare", { args, stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Runs `script` again with the same arguments and a folder in memory; its exit code, or `undefined`
 * where that cannot be had.
 */
export async function runInMemory(script: string): Promise<number | undefined> {
  if (!await mayMount()) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "postern-bench-memory-" });
  await Deno.chmod(folder, 0o755);
  try {
    const deno = new URL("../deno", import.meta.url).pathname;
    const again = ["sh", deno, "run", "-A", script, ...Deno.args];
    const command = new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", MOUNT, folder, ...again],
      env: { [FOLDER_VARIABLE]: folder },
      stdin: "inherit",
    });
    const child = command.spawn();
    // It has servers to end.
    using _end = onEndSignals(() => child.kill("SIGTERM"));
    return (await child.status).code;
  } finally {
    await Deno.remove(folder);
  }
}
