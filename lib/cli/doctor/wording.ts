/**
 * Numbers in the words of a report.
 *
 * @module
 */

/** A moment as `2026-11-21 06:50 UTC`. */
export function utcTime(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Bytes as whole mebibytes, or as bytes where that is none. */
export function size(bytes: number): string {
  const mebibytes = Math.floor(bytes / (1 << 20));
  return mebibytes === 0 ? `${bytes} bytes` : `${mebibytes} MiB`;
}
