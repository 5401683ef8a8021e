/**
 * Tests of files that another program reads: they run where that program is installed, and are skipped
 * by name elsewhere.
 *
 * @module
 */

/** Registers a test that needs `program`, which is looked for in the usual folders. */
export function programTest(program: string, name: string, fn: () => void | Promise<void>): void {
  const isInstalled = isThere(program);
  if (isInstalled) Deno.test(name, fn);
  else Deno.test({ name: `${name} (skipped: no ${program})`, ignore: true, fn });
}

function isThere(program: string): boolean {
  return ["/usr/bin", "/usr/local/bin", "/bin"].some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}
