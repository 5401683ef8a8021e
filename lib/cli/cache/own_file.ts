/**
 * What the commands do that change a cache file: open it as its owner, work, give it back.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import { Store, type StoreOptions } from "../../store/store.ts";
import { printError } from "../output.ts";
import { Progress } from "../progress.ts";
import { findOwnPath } from "./cache_file.ts";

/** Bytes that are copied between two looks at the progress. */
const SLICE_BYTES = 4 << 20;

/** What became of a file. */
export interface Purged {
  readonly path: string;
  /** How many bytes fewer the file has. */
  readonly bytes: number;
}

/** Empties the file of `operand`. */
export function purge(operand: string): Purged {
  const path = findOwnPath(operand);
  const { size } = Deno.lstatSync(path);
  const store = open(path, { discard: true });
  const { fileBytes } = store.stats();
  store.close();
  return { path, bytes: Math.max(0, size - fileBytes) };
}

/** What became of a file. */
export interface Compacted {
  readonly path: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly entries: number;
}

/** Rewrites the file of `operand` without what nobody needs; expired at `nowS` counts as such. */
export function compact(operand: string, nowS: number): Compacted {
  const path = findOwnPath(operand);
  const bytesBefore = Deno.lstatSync(path).size;
  const store = open(path, { compactSliceBytes: SLICE_BYTES });
  try {
    read(path, store);
    while (store.expireSome(nowS, 100_000) === 100_000);
    rewrite(path, store);
    const { entries, fileBytes } = store.stats();
    return { path, bytesBefore, bytesAfter: fileBytes, entries };
  } finally {
    store.close();
  }
}

function open(path: string, options: Partial<StoreOptions>): Store {
  return Store.open(path, {
    report: (level, message) => printError(`postern: ${level}: ${message}\n`),
    sync: "always",
    load: "slices",
    // Only on demand.
    compactBytesMin: Infinity,
    ...options,
  });
}

function read(path: string, store: Store): void {
  using progress = new Progress(`Reading ${path}`, store.stats().unloadedBytes);
  const totalBytes = store.stats().unloadedBytes;
  for (let left = totalBytes; left > 0; left = store.stats().unloadedBytes) {
    store.work();
    progress.show(totalBytes - left);
  }
}

function rewrite(path: string, store: Store): void {
  using progress = new Progress(`Writing ${path}`, store.stats().liveBytes);
  store.compact();
  for (let steps = 1; store.stats().compactions === 0; steps++) {
    store.work();
    progress.show(steps * SLICE_BYTES);
    if (store.hasCompactionFailed) {
      throw new FatalError(`Cannot compact cache file "${path}": the disk refuses, see above`, {
        hint: "The file is as it was",
      });
    }
  }
}
