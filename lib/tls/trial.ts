/**
 * A handshake in memory with each certificate chain of a new context, before the first client has one.
 *
 * Loading compares a key with its certificate by their public halves. Whether the private half signs is
 * found out here: a client of our own, which takes every protocol and every cipher that names a server,
 * must be shown the chain and must find its signature right. A chain that no handshake under the
 * context's rules can use, but any under looser ones, is worth a warning; one that none can use is a
 * fault.
 *
 * Takes about a millisecond a chain, so it belongs to the start and not to the work. Nothing leaves the
 * process.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { FatalError } from "../base/errors.ts";
import { cString } from "../ffi/memory.ts";
import { CERT_SET, CTRL, OP, SERVER_NAME, SSL_ERROR, VERIFY } from "../ffi/openssl/constants.ts";
import { clearErrors, drainErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { Bio, Ssl, SslCtx, SslMethod, Stack, X509 } from "../ffi/openssl/types.ts";
import { type CallbackTarget, withTarget } from "./_callbacks.ts";
import { reasonOf } from "./_files.ts";
import { addressOf, leafOf } from "./certificates.ts";
import { type ServerContext, takesGroups, USUAL_GROUPS } from "./context.ts";
import { selectGroups } from "./groups.ts";
import { TICKET } from "./tickets.ts";

/** Everything with a certificate: who wants none at all proves nothing. */
const ANY_CIPHER = "ALL:COMPLEMENTOFALL:!aNULL:!PSK:!SRP:@SECLEVEL=0";
/** Bytes in flight in each direction; a longer flight goes in several pieces. */
const FLIGHT_BYTES = 16_384n;
/** More steps than any handshake takes. */
const STEPS_MAX = 1_000;

/** A chain to be tried. */
export interface Chain {
  /** What people call it. */
  readonly shown: string;
  readonly leaf: X509;
  /** Puts it into a connection; answers whether OpenSSL took it. */
  useOn(ssl: Ssl): boolean;
}

/**
 * Tries every chain of `context`, those of its server names included. Throws {@linkcode FatalError} that
 * names the file of the first one that does not work.
 *
 * @returns A line for each chain that the context's own rules keep from ever being used.
 */
export function tryChains(context: ServerContext): readonly string[] {
  const trial = new Trial(context);
  try {
    const warnings: string[] = [];
    for (const chain of chainsOf(context)) {
      const warning = trial.try(chain);
      if (warning !== undefined) warnings.push(warning);
    }
    return warnings;
  } finally {
    trial.close();
  }
}

/** All chains of a context, those of its server names included; moves the context's current one. */
export function* chainsOf({ pointer, chainNames, sni }: ServerContext): Iterable<Chain> {
  const goTo = (which: number) =>
    libssl.SSL_CTX_ctrl(pointer, CTRL.SET_CURRENT_CERT, BigInt(which), null) === 1n;
  for (let found = goTo(CERT_SET.FIRST); found; found = goTo(CERT_SET.NEXT)) {
    yield chainInHand(pointer, chainNames);
  }
  for (const [name, chain] of sni?.entries() ?? []) {
    const { leaf } = chain;
    assert(leaf !== null, "a chain that was read has a leaf");
    yield { shown: `${chain.shown} for ${name}`, leaf, useOn: (ssl) => chain.useOn(ssl) };
  }
}

/** The current chain of a context. */
function chainInHand(pointer: SslCtx, names: ReadonlyMap<bigint, string>): Chain {
  const leaf = leafOf(pointer);
  const key = libssl.SSL_CTX_get0_privatekey(pointer);
  const found = new BigUint64Array(1);
  libssl.SSL_CTX_ctrl_text(pointer, CTRL.GET_CHAIN_CERTS, 0n, new Uint8Array(found.buffer));
  const issuers = Deno.UnsafePointer.create(found[0]) as Stack | null;
  return {
    shown: names.get(addressOf(leaf)) ?? "a certificate",
    leaf,
    useOn: (ssl) => libssl.SSL_use_cert_and_key(ssl, leaf, key, issuers, 0) === 1,
  };
}

/** What the trials of one context share. */
class Trial {
  readonly #server: SslCtx;
  /** A server that allows everything. */
  readonly #looseServer: SslCtx;
  readonly #client: SslCtx;

  constructor({ pointer, policy }: ServerContext) {
    this.#server = pointer;
    this.#looseServer = newLooseContext(libssl.TLS_server_method());
    libssl.SSL_CTX_ctrl(this.#looseServer, CTRL.SET_DH_AUTO, 1n, null);
    this.#client = newLooseContext(libssl.TLS_client_method());
    if (policy.groups.every((name) => name.trim() === "")) return;
    // The server's first, so that the usual case needs one flight less.
    const known = (name: string) => takesGroups(this.#client, name);
    const groups = selectGroups([...policy.groups, ...USUAL_GROUPS], known);
    takesGroups(this.#client, groups.join(":"));
  }

  /** A warning about the chain, if there is one. */
  try(chain: Chain): string | undefined {
    const client = this.#client;
    const refusal = shake(this.#server, client, chain);
    // Groups that are not for TLS 1.3 do not keep older clients away.
    if (refusal === undefined || !shake(this.#server, client, chain, OP.NO_TLSv1_3)) return;
    const fault = shake(this.#looseServer, client, chain);
    if (fault === undefined) {
      return `${chain.shown} is not used: protocols, ciphers or groups leave no handshake for it ` +
        `(${refusal})`;
    }
    throw new FatalError(`Cannot use ${chain.shown}: a trial handshake failed: ${fault}`, {
      hint: "Make the private key and its certificate again, or take them from a backup",
    });
  }

  close(): void {
    libssl.SSL_CTX_free(this.#looseServer);
    libssl.SSL_CTX_free(this.#client);
  }
}

function newLooseContext(method: SslMethod | null): SslCtx {
  const context = libssl.SSL_CTX_new(method);
  assert(context !== null, "SSL_CTX_new succeeds");
  libssl.SSL_CTX_set_security_level(context, 0);
  libssl.SSL_CTX_set_verify(context, VERIFY.NONE, null);
  // Whatever OpenSSL's own configuration says.
  for (const bound of [CTRL.SET_MIN_PROTO_VERSION, CTRL.SET_MAX_PROTO_VERSION]) {
    libssl.SSL_CTX_ctrl(context, bound, 0n, null);
  }
  const taken = libssl.SSL_CTX_set_cipher_list(context, cString(ANY_CIPHER));
  assert(taken === 1, "the list of all ciphers selects one");
  return context;
}

/** One handshake in which the server has `chain` and no other; why it failed. */
function shake(
  serverContext: SslCtx,
  clientContext: SslCtx,
  chain: Chain,
  clientOptions = 0n,
): string | undefined {
  const server = newConnection(serverContext);
  const client = newConnection(clientContext);
  try {
    joinUp(server, client);
    libssl.SSL_set_accept_state(server);
    libssl.SSL_set_connect_state(client);
    libssl.SSL_set_num_tickets(server, 0n);
    libssl.SSL_set_options(client, clientOptions);
    clearErrors();
    libssl.SSL_certs_clear(server);
    if (!chain.useOn(server)) return reasonOf(drainErrors());
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const ofClient = step(client);
      if (typeof ofClient === "string") return ofClient;
      const ofServer = step(server);
      if (typeof ofServer === "string") return ofServer;
      if (ofClient && ofServer) return findImpostor(client, chain);
    }
    return "it does not come to its end";
  } finally {
    libssl.SSL_free(client);
    libssl.SSL_free(server);
    clearErrors();
  }
}

/** Takes a handshake as far as it goes: whether it is done, or why it failed. */
function step(ssl: Ssl): boolean | string {
  clearErrors();
  const result = withTarget(NOBODY, () => libssl.SSL_do_handshake(ssl));
  if (result === 1) return true;
  const error = libssl.SSL_get_error(ssl, result);
  if (error === SSL_ERROR.WANT_READ || error === SSL_ERROR.WANT_WRITE) return false;
  return reasonOf(drainErrors());
}

/** The client has checked a signature: was it that of the chain? */
function findImpostor(client: Ssl, chain: Chain): string | undefined {
  const shown = libssl.SSL_get0_peer_certificate(client);
  const isIt = shown !== null && libcrypto.X509_cmp(shown, chain.leaf) === 0;
  return isIt ? undefined : "the server shows another certificate";
}

function newConnection(context: SslCtx): Ssl {
  const ssl = libssl.SSL_new(context);
  assert(ssl !== null, "SSL_new succeeds");
  return ssl;
}

/** What one writes the other reads. The connections own the ends. */
function joinUp(server: Ssl, client: Ssl): void {
  const ends = [new BigUint64Array(1), new BigUint64Array(1)];
  const [one, other] = ends.map((end) => new Uint8Array(end.buffer));
  const made = libcrypto.BIO_new_bio_pair(one, FLIGHT_BYTES, other, FLIGHT_BYTES);
  assert(made === 1, "BIO_new_bio_pair succeeds");
  for (const [index, ssl] of [server, client].entries()) {
    const bio = Deno.UnsafePointer.create(ends[index][0]) as Bio;
    libssl.SSL_set_bio(ssl, bio, bio);
  }
}

/** Answers OpenSSL for a connection that no client of ours has. */
const NOBODY: CallbackTarget = {
  clientHello: () => true,
  takeOfferedSession: () => null,
  newSession: () => {},
  ticket: () => TICKET.none,
  verified: () => {},
  serverName: () => SERVER_NAME.NOACK,
  stateChanged: () => {},
  moved: () => {},
};
