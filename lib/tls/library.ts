/**
 * OpenSSL's own start, and which configuration file it reads then (Postfix's tls/tls_misc.c
 * tls_library_init()).
 *
 * It happens once in the life of a process, whoever asks first, and must come before any other call that
 * lets OpenSSL start by itself. All threads of a role have the same settings, so it does not matter
 * which of them is first.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { FatalError } from "../base/errors.ts";
import { CONFIG_FLAG, INIT } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import { cString } from "../ffi/memory.ts";
import { demandReadable, refusal } from "./_files.ts";

/** Where OpenSSL's configuration comes from. */
export interface LibraryOptions {
  /** `default` (the system's file), `none`, or an absolute path (`tls_config_file`). */
  readonly configFile: string;
  /** The section of an application in that file; empty for none (`tls_config_name`). */
  readonly configName: string;
}

let initialized = false;

/**
 * Starts OpenSSL; the first call decides, later ones do nothing. A file that was asked for and cannot
 * be used is a {@linkcode FatalError}.
 */
export function initializeLibrary(options?: LibraryOptions): void {
  if (initialized) return;
  const file = options?.configFile ?? "default";
  const name = options?.configName ?? "";
  if (file === "none") start(INIT.NO_LOAD_CONFIG, null);
  else if (file === "default" && name === "") start(0n, null);
  else startWith(file, name);
  initialized = true;
}

function start(flags: bigint, settings: Deno.PointerValue): void {
  // Also loads the texts of error messages.
  assert(libssl.OPENSSL_init_ssl(flags, settings) === 1, "OpenSSL starts");
}

function startWith(file: string, name: string): void {
  const tolerant = file === "default";
  if (!tolerant) {
    if (!file.startsWith("/")) {
      throw new FatalError(`Cannot use tls_config_file = ${file}: it is no absolute path`, {
        hint: 'Write "default", "none" or the absolute path of a file',
      });
    }
    demandReadable(file, "OpenSSL configuration", "tls_config_file");
    if (name !== "") demandSection(file, name);
  }
  const settings = libcrypto.OPENSSL_INIT_new();
  assert(settings !== null, "OPENSSL_INIT_new succeeds");
  try {
    if (!tolerant) {
      assert(
        libcrypto.OPENSSL_INIT_set_config_filename(settings, cString(file)) === 1,
        "OPENSSL_INIT_set_config_filename succeeds",
      );
    }
    if (name !== "") {
      assert(
        libcrypto.OPENSSL_INIT_set_config_appname(settings, cString(name)) === 1,
        "OPENSSL_INIT_set_config_appname succeeds",
      );
    }
    // The system's file may be absent, or lack the section; a file that was named may not.
    const flags = tolerant
      ? CONFIG_FLAG.IGNORE_MISSING_FILE | CONFIG_FLAG.DEFAULT_SECTION |
        CONFIG_FLAG.IGNORE_RETURN_CODES | CONFIG_FLAG.SILENT
      : 0;
    libcrypto.OPENSSL_INIT_set_config_file_flags(settings, BigInt(flags));
    clearErrors();
    if (libssl.OPENSSL_init_ssl(INIT.LOAD_CONFIG, settings) !== 1) {
      throw refusal(`Cannot use OpenSSL configuration file "${file}"`, {
        hint: "Check tls_config_file and tls_config_name",
      });
    }
  } finally {
    libcrypto.OPENSSL_INIT_free(settings);
  }
}

/** OpenSSL itself overlooks an application that its file does not name. */
function demandSection(file: string, name: string): void {
  const config = libcrypto.NCONF_new(null);
  assert(config !== null, "NCONF_new succeeds");
  try {
    if (libcrypto.NCONF_load(config, cString(file), new Uint8Array(8)) !== 1) {
      throw refusal(`Cannot use OpenSSL configuration file "${file}"`, {
        hint: "Check tls_config_file",
      });
    }
    if (libcrypto.NCONF_get_string(config, null, cString(name)) !== null) return;
    clearErrors();
    throw new FatalError(
      `Cannot use OpenSSL configuration file "${file}": it names no section for "${name}"`,
      { hint: `Check tls_config_name, or add a line "${name} = SECTION" to the file` },
    );
  } finally {
    libcrypto.NCONF_free(config);
  }
}
