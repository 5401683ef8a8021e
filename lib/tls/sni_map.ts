/**
 * Certificates by the name that a client asks for (SNI; Postfix's tls/tls_misc.c server_sni_callback()).
 *
 * All chains are read and checked when the map is made. A name is looked up as it is, then each parent
 * with its dot in front: `mail.a.example`, `.a.example`, `.example`. Names are compared in lower case.
 *
 * @module
 */
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { type KeyChain, readChains } from "./chain_files.ts";

const HOST_NAME_LENGTH_MAX = 255;
const LABEL_LENGTH_MAX = 63;

/** Names, and the chain files of each. */
export type SniTable = ReadonlyMap<string, readonly string[]>;

/** The chains of a table. */
export class SniMap {
  readonly #chains = new Map<string, readonly KeyChain[]>();

  /** Reads all files of `table`; throws {@linkcode FatalError} that names the one at fault. */
  constructor(table: SniTable, parameter: string) {
    try {
      for (const [name, files] of table) {
        this.#chains.set(name.toLowerCase(), readChains(files, `${parameter} (${name})`));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The chains for `name`; `undefined`: the server's own. */
  find(name: string): readonly KeyChain[] | undefined {
    let key = name.toLowerCase();
    for (;;) {
      const chains = this.#chains.get(key);
      if (chains !== undefined) return chains;
      const dot = key.indexOf(".", 1);
      if (dot < 0) return undefined;
      key = key.slice(dot);
    }
  }

  /** All chains, with a name that each is for. */
  *entries(): Iterable<readonly [name: string, chain: KeyChain]> {
    for (const [name, chains] of this.#chains) for (const chain of chains) yield [name, chain];
  }

  /** Gives the chains back; connections that use them have references of their own. */
  close(): void {
    for (const chains of this.#chains.values()) for (const chain of chains) chain.free();
    this.#chains.clear();
  }
}

/** Puts `chains` in the place of the connection's certificates; answers whether OpenSSL took them. */
export function useChains(ssl: Ssl, chains: readonly KeyChain[]): boolean {
  libssl.SSL_certs_clear(ssl);
  const taken = chains.every((chain) => chain.useOn(ssl));
  clearErrors();
  return taken;
}

/**
 * Whether `name` may be a host's (Postfix's util/valid_hostname.c valid_hostname()): labels of letters,
 * digits, underscores and hyphens, none of them empty, not only digits.
 */
export function isHostName(name: string): boolean {
  if (name.length === 0 || name.length > HOST_NAME_LENGTH_MAX) return false;
  if (!/[^0-9.]/.test(name)) return false;
  return name.split(".").every((label) =>
    label.length > 0 && label.length <= LABEL_LENGTH_MAX &&
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(label)
  );
}
