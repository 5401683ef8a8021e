/**
 * Open descriptors of this process, which Deno's own leak detection does not see when C opened them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

/** What each open descriptor of this process is, by number. */
export function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      open.set(Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch (error) {
      // The descriptor that this very loop reads the folder with has gone by now.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return open;
}

/** Registers a test that also fails when it leaves descriptors open, or closes one that it found. */
export function testDescriptors(name: string, run: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    const before = openDescriptors();
    await run();
    assertEquals(openDescriptors(), before, "descriptors before and after");
  });
}
