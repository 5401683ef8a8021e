/**
 * What of other settings tlsmgr can take while it serves, and what waits for its next start.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { findDifferences } from "../daemon/settings_changes.ts";

/** What an open database was opened with. */
const OF_OPEN_DATABASES = /^cache\.\w+\.(?:sync|persist)$/;
/** What stands outside the folder that a process is shut into (`chroot`), and cannot be opened from there. */
const OF_FILES = /^(?:\w+_tls_session_cache_database|default_database_type|data_directory)$/;
/** What random bytes come from, and when. */
const OF_ENTROPY = /^(?:tls_random_\w+|entropy\.\w+)$/;

/** Names of settings that differ and that only a start can take. */
export function findDeferred(before: Settings, after: Settings): readonly string[] {
  const isJailed = before.service.chroot;
  // Whatever fails then ends the process, which is not what a reload may come to.
  const isStrict = before.entropy.on_failure === "exit";
  return findDifferences(before, after).filter((name) =>
    OF_OPEN_DATABASES.test(name) ||
    (isJailed && OF_FILES.test(name)) ||
    ((isJailed || isStrict) && OF_ENTROPY.test(name))
  );
}

/** Whether the source of random bytes, the exchange file or their times differ. */
export function hasOtherEntropy(before: Settings, after: Settings): boolean {
  return findDifferences(before, after).some((name) =>
    OF_ENTROPY.test(name) || name === "data_directory"
  );
}
