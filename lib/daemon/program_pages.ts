/**
 * The pages of the executable's file that a start has brought into the process, and letting go of them.
 *
 * Starting reads much of Deno, V8 and their tables that a serving role never comes back to: relocations,
 * the snapshot, the loader of modules, the compilers. Those pages count as resident for as long as the
 * process lasts. Once it serves, it drops its references to all of them, and those that it does need come
 * back one by one, without the disk, as long as the system keeps them in its page cache.
 *
 * What that saves: the resident size of the process and what a control group is charged for mappings, and
 * the system can take the unused pages for something else without looking for who maps them. What it does
 * not save: memory that is nobody else's. The pages are clean, the same for both roles, and were the
 * system's to take back before.
 *
 * What must never happen: a page is dropped that differs from the file, for its content would be gone. So
 * only mappings that cannot be written are taken, and of these only those that the kernel says hold no
 * page of the process's own; data that the dynamic linker has relocated is in none of them.
 *
 * @module
 */
import { fromUtf8 } from "../base/bytes.ts";
import { closeFile, OPEN, openFile, readFile } from "../ffi/libc/file.ts";
import { dropFilePages } from "../ffi/libc/pages.ts";

/** Part of the address space: `bytes` from the address `start` on. */
export interface PageRange {
  readonly start: bigint;
  readonly bytes: bigint;
}

const MAPPING =
  /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ \d+ +(\/.*)\n((?:[A-Z]\w*:.*\n)*)/gm;

/** A page of the process's own is anonymous, wherever it is. */
const HAS_NONE_OF_ITS_OWN: readonly RegExp[] = [/^Anonymous: +0 kB$/m, /^Swap: +0 kB$/m];

/**
 * The mappings of the file `path` that hold nothing but pages as they are in the file.
 *
 * @param smaps the text of `/proc/PID/smaps` (proc(5))
 */
export function findFilePages(smaps: string, path: string): PageRange[] {
  const ranges: PageRange[] = [];
  for (const [, from, to, file, facts] of smaps.matchAll(MAPPING)) {
    if (file !== path || !HAS_NONE_OF_ITS_OWN.every((fact) => fact.test(facts))) continue;
    const start = BigInt(`0x${from}`);
    ranges.push({ start, bytes: BigInt(`0x${to}`) - start });
  }
  return ranges;
}

/**
 * Those of the running executable; none where the kernel does not tell.
 *
 * To be asked before rights are given away: then the file of /proc is another user's, or out of sight.
 */
export function findProgramPages(): PageRange[] {
  return findFilePages(readText("/proc/self/smaps"), Deno.execPath());
}

/** Drops them. Whatever is needed again comes back by itself. */
export function dropPages(ranges: readonly PageRange[]): void {
  // A kernel that will not leaves them where they are.
  for (const { start, bytes } of ranges) dropFilePages(start, bytes);
}

function readText(path: string): string {
  const fd = openFile(path, OPEN.readOnly | OPEN.closeOnExec);
  if (fd < 0) return "";
  const chunk = new Uint8Array(1 << 16);
  let text = "";
  for (;;) {
    const count = readFile(fd, chunk, chunk.length);
    if (count <= 0) break;
    text += fromUtf8(chunk.subarray(0, count));
  }
  closeFile(fd);
  return text;
}
