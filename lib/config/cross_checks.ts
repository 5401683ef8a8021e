/**
 * Checks that look at two parameters at once.
 *
 * @module
 */

import { type Evaluation, placeOf } from "./evaluation.ts";
import { type FindingList, type Problem, quote } from "./findings.ts";
import { DATABASE_TYPES } from "./kinds.ts";
import { CACHE_NAMES } from "./own_keys.ts";
import type { ParameterName } from "./parameters.ts";

/** tlsmgr refuses a longer request for entropy (tlsmgr.c). */
const ENTROPY_BYTES_MAX = 255;

/** Runs all checks on one role's values. */
export function crossCheck(evaluation: Evaluation, findings: FindingList): void {
  const report = (name: ParameterName, problem: Problem) => {
    const assignment = evaluation.assigned.get(name);
    findings.add(problem, assignment === undefined ? { key: name } : placeOf(assignment));
  };
  checkCaches(evaluation, report);
  checkKeyFiles(evaluation, report);
  const bytes = evaluation.parameters.tls_daemon_random_bytes ?? 0;
  if (bytes > ENTROPY_BYTES_MAX) {
    const message = `Cannot get ${bytes} bytes of entropy: tlsmgr gives ${ENTROPY_BYTES_MAX}`;
    report("tls_daemon_random_bytes", { severity: "warning", message });
  }
}

type Report = (name: ParameterName, problem: Problem) => void;

/** Two caches in one file would destroy each other; a type that cannot be written to is useless. */
function checkCaches({ parameters }: Evaluation, report: Report): void {
  const takenBy = new Map<string, string>();
  for (const cache of CACHE_NAMES) {
    const name = `${cache}_tls_session_cache_database` as const;
    const database = parameters[name] ?? "";
    if (database === "" || parameters[`${cache}_tls_session_cache_timeout`] === 0) continue;
    if (database.startsWith("memory:")) continue;
    // All other types mean our own file, so their names are no difference.
    const place = database.replace(/^[a-z]+:/, "");
    const other = takenBy.get(place);
    if (other !== undefined) {
      const message = `Cannot keep two caches in one place: ${other} has ${quote(database)} too`;
      report(name, { severity: "error", message, hint: "give each cache a file of its own" });
    }
    takenBy.set(place, name);
    const type = parameters.default_database_type ?? "";
    if (database.includes(":") || (DATABASE_TYPES as readonly string[]).includes(type)) continue;
    const message = `Cannot keep a cache in a table of type ${
      quote(type)
    }: it cannot be written to`;
    report("default_database_type", {
      severity: "error",
      message,
      hint: `one of ${DATABASE_TYPES.join(", ")}`,
    });
  }
}

/** The default of the key follows smtpd's certificate and not tlsproxy's, as in Postfix. */
function checkKeyFiles({ parameters, assigned }: Evaluation, report: Report): void {
  const pairs = [
    ["tlsproxy_tls_cert_file", "tlsproxy_tls_key_file"],
    ["tlsproxy_tls_eccert_file", "tlsproxy_tls_eckey_file"],
  ] as const;
  for (const [certificate, key] of pairs) {
    if (!assigned.has(certificate) || assigned.has(key)) continue;
    const file = parameters[certificate] ?? "";
    const keyFile = parameters[key] ?? "";
    if (file === "" || file.toLowerCase() === "none" || file === keyFile) continue;
    const message = `The key does not follow this certificate: ${key} is ${quote(keyFile)}`;
    report(certificate, { severity: "warning", message, hint: `set ${key} too` });
  }
}
