/**
 * All checks, in the order in which they are reported; one row each.
 *
 * @module
 */
import { CACHE_FILES, DATA_DIRECTORY, DISK } from "./cache_checks.ts";
import type { Check } from "./finding.ts";
import { CERTIFICATES, KEY_FILES, KEYS } from "./key_checks.ts";
import { MAIN_CF, MASTER_CF } from "./postfix_checks.ts";
import { CLOCK, ENTROPY, LIMITS, SOCKETS } from "./service_checks.ts";
import { ACCOUNTS, OPENSSL, SETTINGS, SETTINGS_FILE } from "./settings_checks.ts";

/** The table. */
export const CHECKS: readonly Check[] = [
  OPENSSL,
  SETTINGS,
  SETTINGS_FILE,
  ACCOUNTS,
  KEYS,
  KEY_FILES,
  CERTIFICATES,
  DATA_DIRECTORY,
  CACHE_FILES,
  DISK,
  ENTROPY,
  SOCKETS,
  LIMITS,
  CLOCK,
  MAIN_CF,
  MASTER_CF,
];
