/**
 * Paths of files beside the test support modules.
 *
 * @module
 */

/** The absolute path of `relative`, seen from `tests/support/`. */
export function supportPath(relative: string): string {
  return decodeURIComponent(new URL(relative, import.meta.url).pathname);
}
