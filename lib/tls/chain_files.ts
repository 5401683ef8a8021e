/**
 * Chain files: private keys, each with the certificates that belong to it, in one stream of PEM blocks
 * (Postfix's tls/tls_certkey.c load_pem_chain()).
 *
 * The order is key, leaf, issuers, key, leaf, and so on; a chain may go on in the next file. Blocks of
 * other kinds are skipped. Every refusal names the file. Unlike in Postfix a file that cannot be opened
 * is a refusal too, and never leaves a server without its last chain.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { FatalError } from "../base/errors.ts";
import { clearErrors, drainErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { Bio, EvpPkey, Ssl, SslCtx, Stack, X509 } from "../ffi/openssl/types.ts";
import { cString, readCString } from "../ffi/memory.ts";
import { demandReadable, reasonOf, refusal } from "./_files.ts";

const CERTIFICATE_LABELS = ["CERTIFICATE", "X509 CERTIFICATE"];
const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"];
const CHAIN_HINT = {
  hint: "A chain file holds a private key, its certificate, then the issuers' certificates",
};

/** A private key and its certificates; whoever has it must give it back. */
export class KeyChain {
  readonly #file: string;
  readonly #key: EvpPkey;
  readonly #issuers: Stack;
  #leaf: X509 | null = null;
  #open = true;

  /** Takes the key; `file` is where it was read from. */
  constructor(key: EvpPkey, file: string) {
    this.#key = key;
    this.#file = file;
    const issuers = libcrypto.OPENSSL_sk_new_null();
    assert(issuers !== null, "OPENSSL_sk_new_null succeeds");
    this.#issuers = issuers;
  }

  /** What people call it. */
  get shown(): string {
    return `chain file "${this.#file}"`;
  }

  /** The server's own certificate; `null` while there is none. */
  get leaf(): X509 | null {
    return this.#leaf;
  }

  /** Takes the next certificate: the leaf, then its issuers. */
  add(certificate: X509): void {
    if (this.#leaf === null) this.#leaf = certificate;
    else libcrypto.OPENSSL_sk_push(this.#issuers, certificate);
  }

  /** Throws {@linkcode FatalError} unless there is a certificate and the key belongs to it. */
  demandComplete(): void {
    const what = `Cannot use chain file "${this.#file}"`;
    if (this.#leaf === null) {
      throw new FatalError(`${what}: a key has no certificate behind it`, CHAIN_HINT);
    }
    if (libcrypto.X509_check_private_key(this.#leaf, this.#key) === 1) return;
    clearErrors();
    throw new FatalError(
      `${what}: a key and the certificate behind it do not belong together`,
      CHAIN_HINT,
    );
  }

  /** Puts the chain into a context, which has room for one of each key algorithm. */
  useIn(context: SslCtx): void {
    const [leaf, key, issuers] = [this.#leaf, this.#key, this.#issuers];
    if (libssl.SSL_CTX_use_cert_and_key(context, leaf, key, issuers, 0) === 1) return;
    throw refusal(`Cannot use chain file "${this.#file}"`, {
      hint: "There may be one chain of each key algorithm",
    });
  }

  /** Puts the chain into a connection; answers whether OpenSSL took it. */
  useOn(ssl: Ssl): boolean {
    return libssl.SSL_use_cert_and_key(ssl, this.#leaf, this.#key, this.#issuers, 0) === 1;
  }

  /** Gives everything back; contexts and connections have references of their own. */
  free(): void {
    if (!this.#open) return;
    this.#open = false;
    libcrypto.EVP_PKEY_free(this.#key);
    if (this.#leaf !== null) libcrypto.X509_free(this.#leaf);
    for (;;) {
      const issuer = libcrypto.OPENSSL_sk_pop(this.#issuers);
      if (issuer === null) break;
      libcrypto.X509_free(issuer as X509);
    }
    libcrypto.OPENSSL_sk_free(this.#issuers);
  }
}

/**
 * Reads all `files` as one stream. At least one chain, or {@linkcode FatalError}.
 *
 * @param parameter the setting that names the files
 */
export function readChains(files: readonly string[], parameter: string): KeyChain[] {
  const chains: KeyChain[] = [];
  try {
    for (const file of files) {
      demandReadable(file, "chain", parameter);
      const bio = libcrypto.BIO_new_file(cString(file), cString("r"));
      if (bio === null) throw refusal(`Cannot read chain file "${file}"`, CHAIN_HINT);
      try {
        readFile(bio, file, chains);
      } finally {
        libcrypto.BIO_free(bio);
      }
    }
    chains.at(-1)?.demandComplete();
    if (chains.length > 0) return chains;
    throw new FatalError(
      `Cannot use ${parameter}: there is no key in ${files.join(", ")}`,
      CHAIN_HINT,
    );
  } catch (error) {
    for (const chain of chains) chain.free();
    throw error;
  }
}

/** Reads one file to its end; the last of `chains` goes on with it. */
function readFile(bio: Bio, file: string, chains: KeyChain[]): void {
  for (;;) {
    const block = readPem(bio, file);
    if (block === undefined) return;
    try {
      if (KEY_LABELS.includes(block.label)) {
        chains.at(-1)?.demandComplete();
        chains.push(new KeyChain(decodeKey(block, file), file));
      } else if (CERTIFICATE_LABELS.includes(block.label)) {
        const chain = chains.at(-1);
        if (chain === undefined) {
          throw new FatalError(
            `Cannot use chain file "${file}": a certificate stands before the first key`,
            CHAIN_HINT,
          );
        }
        chain.add(decodeCertificate(block, file));
      }
    } finally {
      block.free();
    }
  }
}

function decodeKey(block: PemBlock, file: string): EvpPkey {
  const key = libcrypto.d2i_AutoPrivateKey(null, block.der, BigInt(block.length));
  if (key !== null) return key;
  throw refusal(`Cannot use a private key in chain file "${file}"`, CHAIN_HINT);
}

function decodeCertificate(block: PemBlock, file: string): X509 {
  const certificate = libcrypto.d2i_X509(null, block.der, BigInt(block.length));
  if (certificate !== null) return certificate;
  throw refusal(`Cannot use a certificate in chain file "${file}"`, CHAIN_HINT);
}

interface PemBlock {
  label: string;
  /** A `const unsigned char *` variable that points at the content. */
  der: Uint8Array<ArrayBuffer>;
  length: number;
  free(): void;
}

/** The next PEM block; `undefined` at the end of the file. */
function readPem(bio: Bio, file: string): PemBlock | undefined {
  const name = new BigUint64Array(1);
  const header = new BigUint64Array(1);
  const data = new BigUint64Array(1);
  const length = new BigInt64Array(1);
  const out = (array: BigUint64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>) =>
    new Uint8Array(array.buffer);
  clearErrors();
  const found = libcrypto.PEM_read_bio(bio, out(name), out(header), out(data), out(length));
  if (found !== 1) {
    const errors = drainErrors();
    if (errors.some((error) => error.includes("no start line"))) return undefined;
    throw new FatalError(`Cannot read chain file "${file}": ${reasonOf(errors)}`, CHAIN_HINT);
  }
  const pointers = [name[0], header[0], data[0]].map((p) => Deno.UnsafePointer.create(p));
  const cursor = new BigUint64Array([data[0]]);
  return {
    label: readCString(pointers[0]),
    der: out(cursor),
    length: Number(length[0]),
    free: () => pointers.forEach((pointer) => libcrypto.CRYPTO_free(pointer, null, 0)),
  };
}
