/**
 * Checks that need more than one value, or know more of a parameter than its kind.
 *
 * @module
 */

import { type Evaluation, placeOf } from "./evaluation.ts";
import { type FindingList, type Problem, quote } from "./findings.ts";
import { DATABASE_TYPES } from "./kinds.ts";
import { CACHE_NAMES } from "./own_keys.ts";
import { withoutEndSlashes } from "./paths.ts";
import type { ParameterName } from "./parameters.ts";

/** tlsmgr refuses a longer request for entropy, and reads no more from a device (tlsmgr.c). */
const ENTROPY_BYTES_MAX = 255;

/** Table types whose values are lists of files, or stand in the parameter itself. */
const SNI_TYPES: readonly string[] = ["inline", "texthash", "static", "regexp", "pcre"];

type Report = (name: ParameterName, problem: Problem) => void;
type Check = (evaluation: Evaluation, report: Report) => void;

/** Runs all checks on the values of one service. */
export function crossCheck(
  evaluation: Evaluation,
  { recycle, findings }: { readonly recycle: boolean; readonly findings: FindingList },
): void {
  const report: Report = (name, problem) => {
    const assignment = evaluation.assigned.get(name);
    findings.add(problem, assignment === undefined ? { key: name } : placeOf(assignment));
  };
  for (const check of CHECKS) check(evaluation, report);
  if (!recycle) checkRecycling(evaluation, report);
}

const CHECKS: readonly Check[] = [
  checkCaches,
  checkEntropy,
  checkExchangeFile,
  checkKeyFiles,
  checkChainFiles,
  checkOpenSslFile,
  checkSniTypes,
];

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
    report("default_database_type", {
      severity: "error",
      message: `Cannot keep a cache in a table of type ${quote(type)}: it cannot be written to`,
      hint: `one of ${DATABASE_TYPES.join(", ")}`,
    });
  }
}

function checkEntropy({ parameters, assigned }: Evaluation, report: Report): void {
  const bytes = parameters.tls_daemon_random_bytes ?? 0;
  if (bytes > ENTROPY_BYTES_MAX) {
    report("tls_daemon_random_bytes", {
      severity: "warning",
      message: `Cannot get ${bytes} bytes of entropy: tlsmgr gives ${ENTROPY_BYTES_MAX}`,
      hint: `write ${ENTROPY_BYTES_MAX} or less`,
    });
  }
  const seedBytes = parameters.tls_random_bytes ?? 0;
  const source = parameters.tls_random_source ?? "";
  if (seedBytes <= ENTROPY_BYTES_MAX || !/^(?:dev|egd):/.test(source)) return;
  if (!assigned.has("tls_random_bytes")) return;
  report("tls_random_bytes", {
    severity: "note",
    message: `Only ${ENTROPY_BYTES_MAX} bytes are read: ${quote(source)} is not a plain file`,
  });
}

/** Where manuals before Postfix 2.5 have the exchange file, tlsmgr writes no more. */
function checkExchangeFile({ parameters, assigned }: Evaluation, report: Report): void {
  const { tls_random_exchange_name: file = "", config_directory: folder = "" } = parameters;
  if (!assigned.has("tls_random_exchange_name") || folder === "") return;
  if (!file.startsWith(`${withoutEndSlashes(folder)}/`) && !file.startsWith("/etc/")) return;
  report("tls_random_exchange_name", {
    severity: "note",
    message: "An old place: a folder that does not belong to mail_owner is not written to, and " +
      "the file goes to data_directory",
    hint: "leave it out",
  });
}

/** The default of the key follows smtpd's certificate and not tlsproxy's, as in Postfix. */
function checkKeyFiles({ parameters, assigned }: Evaluation, report: Report): void {
  const pairs = [
    ["tlsproxy_tls_cert_file", "tlsproxy_tls_key_file"],
    ["tlsproxy_tls_dcert_file", "tlsproxy_tls_dkey_file"],
    ["tlsproxy_tls_eccert_file", "tlsproxy_tls_eckey_file"],
    ["tlsproxy_client_cert_file", "tlsproxy_client_key_file"],
    ["tlsproxy_client_dcert_file", "tlsproxy_client_dkey_file"],
    ["tlsproxy_client_eccert_file", "tlsproxy_client_eckey_file"],
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

/** With chain files the files of single keys and certificates are not looked at. */
function checkChainFiles({ parameters, assigned }: Evaluation, report: Report): void {
  for (const prefix of ["tlsproxy_tls", "tlsproxy_client"] as const) {
    const chains = parameters[`${prefix}_chain_files`] ?? [];
    if (chains.length === 0) continue;
    for (const file of ["cert", "key", "dcert", "dkey", "eccert", "eckey"] as const) {
      const name = `${prefix}_${file}_file` as const;
      if (!assigned.has(name) || parameters[name] === "") continue;
      report(name, {
        severity: "warning",
        message: `No effect: ${prefix}_chain_files is set`,
        hint: "keep one of them",
      });
    }
  }
}

function checkOpenSslFile({ parameters }: Evaluation, report: Report): void {
  const file = parameters.tls_config_file ?? "default";
  if (file === "default" || file === "none" || file.startsWith("/")) return;
  report("tls_config_file", {
    severity: "error",
    message: `Cannot use an OpenSSL configuration file: ${quote(file)} is no absolute path`,
    hint: 'write a path that begins with "/", "default" or "none"',
  });
}

/** An indexed table holds the certificates themselves, made by postmap -F; we read files. */
function checkSniTypes({ parameters }: Evaluation, report: Report): void {
  for (const table of parameters.tls_server_sni_maps ?? []) {
    const colon = table.indexOf(":");
    const type = colon < 0 ? parameters.default_database_type ?? "" : table.slice(0, colon);
    if (SNI_TYPES.includes(type)) continue;
    report("tls_server_sni_maps", {
      severity: "error",
      message: `Cannot look server names up in a table of type ${quote(type)}`,
      hint: `name the source of the table: texthash:${table.slice(colon + 1)}`,
    });
  }
}

function checkRecycling({ assigned }: Evaluation, report: Report): void {
  for (const name of ["max_use", "max_idle"] as const) {
    if (!assigned.has(name)) continue;
    report(name, {
      severity: "note",
      message: "No effect: the service keeps running",
      hint: "[service] recycle = true ends it as Postfix does",
    });
  }
}
