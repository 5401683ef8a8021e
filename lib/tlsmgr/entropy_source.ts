/**
 * What `tls_random_source` names, and what sources have in common.
 *
 * A source is asked for bytes and answers later; asking never waits. Whatever a source is, one question
 * has ten seconds (tlsmgr.c: TLS_MGR_TIMEOUT), and only one is asked at a time. A source that has failed
 * is opened anew for the next question.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";

/** Longest time that a question may take, milliseconds. */
export const SOURCE_LIMIT_MS = 10_000;
/** Most bytes that a device or an EGD server is asked for: the protocol's count is one byte. */
export const DEVICE_BYTES_MAX = 255;

/** Why there are no bytes. */
export interface SourceFault {
  /** `open`: the source could not be opened. `read`: it was open and gave nothing, or not enough. */
  readonly kind: "open" | "read";
  /** In Postfix's words. */
  readonly text: string;
}

/** An external source of random bytes. */
export interface EntropySource {
  /** As the parameter has it. */
  readonly name: string;
  readonly kind: SourceKind;
  /**
   * Asks for `count` bytes. `take` is given what there is, in one or more pieces that are good for that
   * call only; then, once, `done`. Both may be called before this returns.
   */
  ask(count: number, take: (piece: Bytes) => void, done: (fault?: SourceFault) => void): void;
  /** Gives up what is being asked, whose `done` is not called, and closes. */
  close(): void;
}

/** `device` and `egd` are asked again and again, a `file` is read once. */
export type SourceKind = "device" | "egd" | "file";

/** What the value of `tls_random_source` means. */
export interface SourceName {
  readonly kind: SourceKind;
  readonly path: string;
}

/** Reads the value of `tls_random_source`, which is not empty. Prefixes are lower case only. */
export function parseSourceName(value: string): SourceName {
  if (value.startsWith("dev:")) return { kind: "device", path: value.slice(4) };
  if (value.startsWith("egd:")) return { kind: "egd", path: value.slice(4) };
  return { kind: "file", path: value };
}

/** Bytes to ask a source for, of `tls_random_bytes`. */
export function bytesToAsk(kind: SourceKind, wanted: number): number {
  return kind === "file" ? wanted : Math.min(wanted, DEVICE_BYTES_MAX);
}
