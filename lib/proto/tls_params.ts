/**
 * The TLS settings that come with a tlsproxy request (list B): PARAMS, INIT and START in one list.
 *
 * Names repeat across the three objects, so they are read by position. The tables below are the
 * union of what Postfix 3.7 to 3.12 send; an attribute that only some releases send is an optional
 * row, and which of them came tells the sender's release ({@linkcode TlsClientSettings.release}).
 * A list that does not fit is a fault.
 *
 * @module
 */

import { AttrName } from "../attr/names.ts";
import type { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  flag,
  int,
  optionalFlag,
  optionalInt,
  optionalText,
  printRows,
  readRows,
  type Row,
  text,
} from "./_rows.ts";
import type { ContextAttributes } from "./tls_context.ts";
import { daneGroup, reportGroup, stringArray } from "./tls_groups.ts";
import {
  type ClientInit,
  type ClientStart,
  emptyClientInit,
  emptyClientStart,
  emptyServerInit,
  emptyServerStart,
  type LibraryParameters,
  type PostfixRelease,
  type ServerInit,
  type ServerStart,
  type TlsClientSettings,
  type TlsServerSettings,
} from "./tls_settings.ts";

/** Two attributes of PARAMS that are not called what the parameter is called. */
const PARAMETER_OF: Readonly<Record<string, string>> = {
  config_file: "tls_config_file",
  config_name: "tls_config_name",
};

function parameterRow(wire: string, type: "text" | "int", optional: boolean) {
  const name = new AttrName(wire);
  const parameter = PARAMETER_OF[wire] ?? wire;
  const row: Row<LibraryParameters> = {
    name,
    optional,
    read(reader, into) {
      const value = type === "int" ? reader.wantInt(name) : reader.wantText(name);
      if (value === undefined) return false;
      into.set(parameter, value);
      return true;
    },
    print(printer, from) {
      const value = from.get(parameter);
      if (type === "int") printer.int(name, Number(value ?? 0));
      else printer.text(name, String(value ?? ""));
    },
    has: (from) => from.has(parameter),
  };
  return row;
}

const always = (wire: string) => parameterRow(wire, "text", false);
const alwaysInt = (wire: string) => parameterRow(wire, "int", false);
const some = (wire: string) => parameterRow(wire, "text", true);
const someInt = (wire: string) => parameterRow(wire, "int", true);

const CLIENT_PARAMETER_ROWS: readonly Row<LibraryParameters>[] = [
  some("config_file"), // not in 3.7.0 to 3.7.5 and 3.8.0
  some("config_name"), // same
  always("tls_high_cipherlist"),
  always("tls_medium_cipherlist"),
  some("tls_low_cipherlist"), // only 3.7
  some("tls_export_cipherlist"), // only 3.7
  always("tls_null_cipherlist"),
  always("tls_eecdh_auto_curves"),
  always("tls_eecdh_strong_curve"),
  always("tls_eecdh_ultra_curve"),
  some("tls_ffdhe_auto_groups"), // 3.8 and later
  always("tls_disable_workarounds"),
  always("tls_ssl_options"),
  always("tls_dane_digests"),
  always("tlsmgr_service_name"),
  always("tls_session_ticket_cipher"),
  alwaysInt("tls_daemon_random_bytes"),
  alwaysInt("tls_append_default_CA"),
  someInt("tls_legacy_public_key_fingerprints"), // up to 3.10
  alwaysInt("tls_preempt_cipherlist"),
  alwaysInt("tls_wildcard_matches_multiple_labels"),
  someInt("tls_fast_shutdown_enable"), // 3.12
];

const SERVER_PARAMETER_ROWS: readonly Row<LibraryParameters>[] = [
  always("config_file"),
  always("config_name"),
  always("tls_high_cipherlist"),
  always("tls_medium_cipherlist"),
  always("tls_null_cipherlist"),
  always("tls_eecdh_auto_curves"),
  always("tls_eecdh_strong_curve"),
  always("tls_eecdh_ultra_curve"),
  always("tls_ffdhe_auto_groups"),
  always("tls_disable_workarounds"),
  always("tls_ssl_options"),
  always("tlsmgr_service_name"),
  always("tls_session_ticket_cipher"),
  alwaysInt("tls_daemon_random_bytes"),
  alwaysInt("tls_append_default_CA"),
  alwaysInt("tls_preempt_cipherlist"),
  alwaysInt("tls_wildcard_matches_multiple_labels"),
  always("tls_server_sni_maps"),
  alwaysInt("tls_fast_shutdown_enable"),
  alwaysInt("tls_trust_server_ccerts"),
];

/** The part that is the same in both roles, in the middle of INIT. */
function fileRows<T extends ClientInit>(): readonly Row<T>[] {
  const rows: Row<ClientInit>[] = [
    text("chain_files", "chainFiles"),
    text("cert_file", "certFile"),
    text("key_file", "keyFile"),
    text("dcert_file", "dsaCertFile"),
    text("dkey_file", "dsaKeyFile"),
    text("eccert_file", "ecCertFile"),
    text("eckey_file", "ecKeyFile"),
    text("CAfile", "caFile"),
    text("CApath", "caPath"),
  ];
  return rows;
}

const CLIENT_INIT_ROWS: readonly Row<ClientInit>[] = [
  text("log_param", "logParameter"),
  text("log_level", "logLevel"),
  int("verifydepth", "verifyDepth"),
  text("cache_type", "cacheType"),
  ...fileRows<ClientInit>(),
  text("mdalg", "digest"),
];

const SERVER_INIT_ROWS: readonly Row<ServerInit>[] = [
  text("log_param", "logParameter"),
  text("log_level", "logLevel"),
  int("verifydepth", "verifyDepth"),
  text("cache_type", "cacheType"),
  flag("set_sessid", "setSessionId"),
  ...fileRows<ServerInit>(),
  text("protocols", "protocols"),
  text("eecdh_grade", "eecdhGrade"),
  text("dh1024_param_file", "dhFile"),
  text("dh512_param_file", "dhExportFile"),
  flag("ask_ccert", "askClientCert"),
  text("mdalg", "digest"),
];

const CLIENT_START_ROWS: readonly Row<ClientStart>[] = [
  optionalText("log_param", "logParameter"), // 3.12
  optionalText("log_level", "logLevel"), // 3.12
  int("timeout", "timeoutS"),
  optionalFlag("enable_rpk", "enableRawKeys"), // 3.9 and later
  int("tls_level", "tlsLevel"),
  text("nexthop", "nexthop"),
  text("host", "host"),
  text("namaddr", "namaddr"),
  text("sni", "sni"),
  text("serverid", "serverId"),
  text("helo", "helo"),
  text("protocols", "protocols"),
  text("cipher_grade", "cipherGrade"),
  text("cipher_exclusions", "cipherExclusions"),
  stringArray("matchPatterns"),
  text("mdalg", "digest"),
  daneGroup(),
  reportGroup(), // 3.10 and later, by the way it was built
  optionalText("forced_failure_type", "forcedFailureType"), // 3.10 and later
  optionalInt("trace_size_limit", "traceBytesMax"), // 3.12
  optionalText("trace_peer", "tracePeer"), // 3.12
];

const SERVER_START_ROWS: readonly Row<ServerStart>[] = [
  optionalText("log_param", "logParameter"),
  optionalText("log_level", "logLevel"),
  int("timeout", "timeoutS"),
  flag("enable_rpk", "enableRawKeys"),
  flag("requirecert", "requireClientCert"),
  text("serverid", "serverId"),
  text("namaddr", "namaddr"),
  text("cipher_grade", "cipherGrade"),
  text("cipher_exclusions", "cipherExclusions"),
  text("mdalg", "digest"),
  optionalInt("trace_size_limit", "traceBytesMax"),
  optionalText("trace_peer", "tracePeer"),
];

/** Reads list B of the client role. `undefined`: the (strict) reader has the fault. */
export function decodeClientSettings(reader: ListReader): TlsClientSettings | undefined {
  const parameters: LibraryParameters = new Map();
  const init = emptyClientInit();
  const start = emptyClientStart();
  if (!readRows(CLIENT_PARAMETER_ROWS, reader, parameters)) return undefined;
  if (!readRows(CLIENT_INIT_ROWS, reader, init)) return undefined;
  const initEnd = reader.position;
  if (!readRows(CLIENT_START_ROWS, reader, start) || !reader.end()) return undefined;
  const release = releaseOf(parameters, start);
  const contextAttributes = contextAttributesOf(start);
  return { parameters, init, start, release, contextAttributes, initEnd };
}

/** Reads list B of the server role. `undefined`: the (strict) reader has the fault. */
export function decodeServerSettings(reader: ListReader): TlsServerSettings | undefined {
  const parameters: LibraryParameters = new Map();
  const init = emptyServerInit();
  const start = emptyServerStart();
  if (!readRows(SERVER_PARAMETER_ROWS, reader, parameters)) return undefined;
  if (!readRows(SERVER_INIT_ROWS, reader, init)) return undefined;
  const initEnd = reader.position;
  if (!readRows(SERVER_START_ROWS, reader, start) || !reader.end()) return undefined;
  const contextAttributes = start.traceBytesMax === undefined ? 25 : 26;
  return { parameters, init, start, contextAttributes, initEnd };
}

/** Prints list B of the client role behind what the printer holds; ends the list. */
export function printClientSettings(
  printer: ListPrinter,
  settings: Pick<TlsClientSettings, "parameters" | "init" | "start">,
): Bytes {
  printRows(CLIENT_PARAMETER_ROWS, printer, settings.parameters);
  printRows(CLIENT_INIT_ROWS, printer, settings.init);
  printRows(CLIENT_START_ROWS, printer, settings.start);
  return printer.end();
}

/** Prints list B of the server role behind what the printer holds; ends the list. */
export function printServerSettings(
  printer: ListPrinter,
  settings: Pick<TlsServerSettings, "parameters" | "init" | "start">,
): Bytes {
  printRows(SERVER_PARAMETER_ROWS, printer, settings.parameters);
  printRows(SERVER_INIT_ROWS, printer, settings.init);
  printRows(SERVER_START_ROWS, printer, settings.start);
  return printer.end();
}

function releaseOf(parameters: LibraryParameters, start: ClientStart): PostfixRelease {
  if (start.logParameter !== undefined || parameters.has("tls_fast_shutdown_enable")) return "3.12";
  if (start.forcedFailureType !== undefined) {
    return parameters.has("tls_legacy_public_key_fingerprints") ? "3.10" : "3.11";
  }
  if (start.enableRawKeys !== undefined) return "3.9";
  return parameters.has("tls_low_cipherlist") ? "3.7" : "3.8";
}

function contextAttributesOf(start: ClientStart): ContextAttributes {
  if (start.enableRawKeys === undefined) return 22;
  if (start.forcedFailureType === undefined) return 24;
  return start.traceBytesMax === undefined ? 25 : 26;
}
