/**
 * The name that a client asks for, and the certificates that it gets for it (Postfix's tls/tls_misc.c
 * server_sni_callback()).
 *
 * A name that nobody knows is no fault: the server shows its own certificate and does not acknowledge
 * the name. Only certificates that OpenSSL does not take end the handshake.
 *
 * @module
 */
import { SERVER_NAME } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";
import type { SessionLog } from "./session_log.ts";
import { isHostName, type SniMap, useChains } from "./sni_map.ts";

/** `TLSEXT_NAMETYPE_host_name` */
const HOST_NAME = 0;

/** The name of one session. */
export class ServerName {
  readonly #log: SessionLog;
  #chosen = "";

  constructor(log: SessionLog) {
    this.#log = log;
  }

  /** The name that has been acknowledged; empty when none has. */
  get chosen(): string {
    return this.#chosen;
  }

  /**
   * For OpenSSL's callback, which is called again for a second hello; one of {@linkcode SERVER_NAME}.
   *
   * @param sni absent: names do not matter
   */
  choose(ssl: Ssl, sni: SniMap | undefined): number {
    const name = readCString(libssl.SSL_get_servername(ssl, HOST_NAME));
    if (sni === undefined || name === "") return SERVER_NAME.NOACK;
    if (!isHostName(name)) {
      this.#log.invalidServerName(name);
      return SERVER_NAME.NOACK;
    }
    if (this.#chosen !== "") return this.#again(name);
    const chains = sni.find(name);
    if (chains === undefined) {
      this.#log.unmatchedServerName(name);
      return SERVER_NAME.NOACK;
    }
    if (!useChains(ssl, chains)) {
      this.#log.unusableServerName(name);
      return SERVER_NAME.ALERT_FATAL;
    }
    this.#chosen = name;
    return SERVER_NAME.OK;
  }

  /** A second hello must ask for the same name; its certificates are there already. */
  #again(name: string): number {
    if (name === this.#chosen) return SERVER_NAME.OK;
    this.#log.changedServerName(this.#chosen, name);
    return SERVER_NAME.NOACK;
  }
}
