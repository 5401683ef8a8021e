/**
 * What a store can be told when it is opened, and what it takes when it is not told.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import { type FileIo, libcFileIo } from "./file_io.ts";
import type { Quotas, StoreLimits } from "./key_value_store.ts";
import type { Report } from "./open_log.ts";
import { FILE_ID_BYTES, KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./record.ts";

/**
 * When what was written is brought to the disk, so that it outlives a crash of the machine: when the
 * system likes, within about a second, or before it is acknowledged.
 */
export type SyncPolicy = "never" | "interval" | "always";

/** What a store leaves to others, because it may take long. */
export type StoreSlowCalls =
  & Pick<SlowCalls, "fdatasync" | "fsync">
  & Partial<Pick<SlowCalls, "close">>;

/** Options of `Store.open()`. */
export interface StoreOptions extends Partial<StoreLimits>, Partial<Quotas> {
  /** Told what an operator should know, each state of affairs once. */
  report: Report;
  /** The disk. @default {libcFileIo} */
  io?: FileIo;
  /** Makes the slow calls outside this thread; without it they are made at once, in this thread. */
  slowCalls?: StoreSlowCalls;
  /**
   * Runs `handler` once, `delayMs` later; for the sync policy "interval" and for tries after a failure.
   * Without it nothing is synced before the end, and tries come with later calls.
   */
  after?: (delayMs: number, handler: () => void) => void;
  /** Who must own the file and will own what is made: the user that this process is or will become. */
  ownerId?: number;
  /** 16 random bytes for each file that is made; secret from those whose values are stored. */
  randomFileId?: () => Bytes;
  /** @default {"never"} */
  sync?: SyncPolicy;
  /** Empties the file instead of reading it. @default {false} */
  discard?: boolean;
  /**
   * "slices": a long file is read by `work()`, while the store is in use already; what has not been read
   * yet is missed. "whole": `open()` reads it all. @default {"whole"}
   */
  load?: "whole" | "slices";
  /** Whether an entry that is found in the file is kept; asked with the bytes of its key. */
  keep?: (key: Uint8Array) => boolean;
  /** Told the key of each entry that the expiry scan removes. */
  expired?: (key: string) => void;
  /** Memory for entries while the disk refuses them; more are turned away. @default {16 MiB} */
  pendingBytesMax?: number;
  /** No compaction of a smaller file. @default {4 MiB} */
  compactBytesMin?: number;
  /** Compaction when dead bytes are more than this many times the live ones. @default {1} */
  compactRatio?: number;
  /** Bytes that one step of a compaction copies, at least. @default {256 KiB} */
  compactSliceBytes?: number;
}

/** {@linkcode StoreOptions}, complete but for what may be missing. */
export type StoreSettings =
  & Required<Omit<StoreOptions, "slowCalls" | "after" | "ownerId" | "keep" | "expired">>
  & Pick<StoreOptions, "slowCalls" | "after" | "ownerId" | "keep" | "expired">;

/** Puts the defaults in. */
export function completeOptions(options: StoreOptions): StoreSettings {
  const { keyBytesMax = KEY_BYTES_MAX, valueBytesMax = VALUE_BYTES_MAX } = options;
  assert(keyBytesMax <= KEY_BYTES_MAX && valueBytesMax <= VALUE_BYTES_MAX, "limits fit the format");
  return {
    ...options,
    keyBytesMax,
    valueBytesMax,
    maxEntries: options.maxEntries ?? 0,
    maxBytes: options.maxBytes ?? 0,
    eviction: options.eviction ?? "lru",
    io: options.io ?? libcFileIo,
    randomFileId: options.randomFileId ??
      (() => crypto.getRandomValues(new Uint8Array(FILE_ID_BYTES))),
    sync: options.sync ?? "never",
    discard: options.discard ?? false,
    load: options.load ?? "whole",
    pendingBytesMax: options.pendingBytesMax ?? 16 << 20,
    compactBytesMin: options.compactBytesMin ?? 4 << 20,
    compactRatio: options.compactRatio ?? 1,
    compactSliceBytes: options.compactSliceBytes ?? 256 << 10,
  };
}
