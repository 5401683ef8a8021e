/**
 * Loading a server's keys and certificates into a context (Postfix's tls/tls_certkey.c).
 *
 * Chain files win over pairs; pairs are loaded in the order given. Every refusal names the file. Unlike
 * Postfix, a chain file that cannot be opened is a refusal and never leaves a context half made.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { FILETYPE_PEM } from "../ffi/openssl/constants.ts";
import { clearErrors, drainErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { Bio, EvpPkey, SslCtx, Stack, X509 } from "../ffi/openssl/types.ts";
import { cString, Memory, readCString } from "../ffi/memory.ts";
import { closeFile, OPEN, openFile } from "../ffi/libc/file.ts";
import { describeErrno } from "../ffi/errno.ts";

/** A certificate file with its key file, as one group of parameters names them. */
export interface CertificatePair {
  /** Certificate and issuers, leaf first; PEM. */
  readonly certificateFile: string;
  /** Private key; may be the same file. */
  readonly keyFile: string;
  /** The parameters they come from, for messages. */
  readonly certificateParameter: string;
  readonly keyParameter: string;
}

/** Where a server's identities come from. */
export interface CertificateFiles {
  /** Keys and chains in one stream; when not empty the pairs are not looked at. */
  readonly chainFiles: readonly string[];
  readonly chainParameter: string;
  readonly pairs: readonly CertificatePair[];
}

/** Loads everything; throws {@linkcode FatalError} that says which file is at fault and why. */
export function loadCertificates(context: SslCtx, files: CertificateFiles): void {
  if (files.chainFiles.length > 0) {
    loadChains(context, files);
    return;
  }
  for (const pair of files.pairs) loadPair(context, pair);
}

function loadPair(context: SslCtx, pair: CertificatePair): void {
  const { certificateFile, keyFile } = pair;
  demandReadable(certificateFile, "certificate", pair.certificateParameter);
  demandReadable(keyFile, "private key", pair.keyParameter);
  clearErrors();
  if (libssl.SSL_CTX_use_certificate_chain_file(context, cString(certificateFile)) !== 1) {
    throw refusal(`Cannot use certificate file "${certificateFile}"`, {
      hint: `Check ${pair.certificateParameter}: the file must hold a certificate in PEM form`,
    });
  }
  libssl.SSL_CTX_set_default_passwd_cb_userdata(context, NO_PASSWORD.pointer);
  const leaf = libssl.SSL_CTX_get0_certificate(context);
  const taken = libssl.SSL_CTX_use_PrivateKey_file(context, cString(keyFile), FILETYPE_PEM);
  // A key of another algorithm goes to another place of the context, beside another pair's
  // certificate perhaps, and OpenSSL compares it with that one. It must fit this certificate.
  const key = taken === 1 ? libssl.SSL_CTX_get0_privatekey(context) : null;
  if (taken === 1 && libcrypto.X509_check_private_key(leaf, key) === 1) return;
  const errors = drainErrors();
  if (taken === 1 || errors.some((error) => error.includes("key values mismatch"))) {
    throw new FatalError(
      `Cannot use private key "${keyFile}" with certificate "${certificateFile}": ` +
        `they do not belong together`,
      { hint: `Check ${pair.keyParameter} and ${pair.certificateParameter}` },
    );
  }
  throw new FatalError(`Cannot use private key file "${keyFile}": ${wordsOf(errors)}`, {
    hint: `Check ${pair.keyParameter}: the file must hold an unencrypted private key in PEM form`,
  });
}

function demandReadable(file: string, what: string, parameter: string): void {
  const fd = openFile(file, OPEN.readOnly | OPEN.closeOnExec);
  if (fd >= 0) return closeFile(fd);
  throw new FatalError(`Cannot read ${what} file "${file}": ${describeErrno(-fd)}`, {
    hint: `Check ${parameter}, and the permissions of the file and its folders`,
    exitCode: EXIT.config,
  });
}

function refusal(what: string, options: { hint: string }): FatalError {
  return new FatalError(`${what}: ${wordsOf(drainErrors())}`, options);
}

/** The reason that says most, without OpenSSL's numbers and file names. */
function wordsOf(errors: readonly string[]): string {
  // error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA; the function is empty since OpenSSL 3.
  const reasons = errors.map((error) => error.split(":")[4] ?? error);
  // "PEM lib" and its like only say through which parts of OpenSSL the error went.
  return reasons.findLast((reason) => !/ lib$/.test(reason)) ?? reasons.at(-1) ??
    "OpenSSL gives no reason";
}

/** The password of every key: none. With it OpenSSL asks nobody at a terminal for one. */
const NO_PASSWORD = new Memory(1);

const CERTIFICATE_LABELS = ["CERTIFICATE", "X509 CERTIFICATE"];
const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"];

/** What has been read of the chain in hand: nothing, a key, or a key and its certificates. */
interface Chain {
  key: EvpPkey;
  leaf: X509 | null;
  issuers: Stack;
  file: string;
}

const CHAIN_HINT = {
  hint: "A chain file holds a private key, its certificate, then the issuers' certificates",
};

/** Reads keys and certificates from all files as one stream: key, leaf, issuers, key, … */
function loadChains(context: SslCtx, files: CertificateFiles): void {
  const loader = new ChainLoader(context);
  try {
    for (const file of files.chainFiles) {
      demandReadable(file, "chain", files.chainParameter);
      const bio = libcrypto.BIO_new_file(cString(file), cString("r"));
      if (bio === null) throw refusal(`Cannot read chain file "${file}"`, CHAIN_HINT);
      try {
        loader.read(bio, file);
      } finally {
        libcrypto.BIO_free(bio);
      }
    }
    if (!loader.commit()) {
      throw new FatalError(
        `Cannot use ${files.chainParameter}: there is no key in ${files.chainFiles.join(", ")}`,
        CHAIN_HINT,
      );
    }
  } finally {
    loader.drop();
  }
}

/** Builds one chain at a time and owns what has been read of it. */
class ChainLoader {
  readonly #context: SslCtx;
  #chain: Chain | undefined;

  constructor(context: SslCtx) {
    this.#context = context;
  }

  /** Reads one file to its end; the chain in hand goes on in the next file. */
  read(bio: Bio, file: string): void {
    for (;;) {
      const block = readPem(bio, file);
      if (block === undefined) return;
      try {
        if (KEY_LABELS.includes(block.label)) this.#takeKey(block, file);
        else if (CERTIFICATE_LABELS.includes(block.label)) this.#takeCertificate(block, file);
      } finally {
        block.free();
      }
    }
  }

  /** Puts the chain in hand into the context; answers whether there was one. */
  commit(): boolean {
    if (this.#chain === undefined) return false;
    commit(this.#context, this.#chain);
    this.drop();
    return true;
  }

  /** Gives the chain in hand back; the context has references of its own. */
  drop(): void {
    if (this.#chain !== undefined) freeChain(this.#chain);
    this.#chain = undefined;
  }

  #takeKey(block: PemBlock, file: string): void {
    this.commit();
    const key = libcrypto.d2i_AutoPrivateKey(null, block.der, BigInt(block.length));
    if (key === null) throw refusal(`Cannot use a private key in chain file "${file}"`, CHAIN_HINT);
    this.#chain = { key, leaf: null, issuers: libcrypto.OPENSSL_sk_new_null()!, file };
  }

  #takeCertificate(block: PemBlock, file: string): void {
    const chain = this.#chain;
    if (chain === undefined) {
      throw new FatalError(
        `Cannot use chain file "${file}": a certificate stands before the first key`,
        CHAIN_HINT,
      );
    }
    const certificate = libcrypto.d2i_X509(null, block.der, BigInt(block.length));
    if (certificate === null) {
      throw refusal(`Cannot use a certificate in chain file "${file}"`, CHAIN_HINT);
    }
    if (chain.leaf === null) chain.leaf = certificate;
    else libcrypto.OPENSSL_sk_push(chain.issuers, certificate);
  }
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
    throw new FatalError(`Cannot read chain file "${file}": ${wordsOf(errors)}`, CHAIN_HINT);
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

function commit(context: SslCtx, chain: Chain): void {
  if (chain.leaf === null) {
    throw new FatalError(
      `Cannot use chain file "${chain.file}": a key has no certificate behind it`,
      {
        ...CHAIN_HINT,
      },
    );
  }
  if (libcrypto.X509_check_private_key(chain.leaf, chain.key) !== 1) {
    clearErrors();
    throw new FatalError(
      `Cannot use chain file "${chain.file}": a key and the certificate behind it ` +
        `do not belong together`,
      CHAIN_HINT,
    );
  }
  const { leaf, key, issuers } = chain;
  if (libssl.SSL_CTX_use_cert_and_key(context, leaf, key, issuers, 0) === 1) return;
  throw refusal(`Cannot use chain file "${chain.file}"`, {
    hint: "There may be one chain of each key algorithm",
  });
}

/** Gives back what the chain in hand holds; the context has references of its own. */
function freeChain(chain: Chain): void {
  libcrypto.EVP_PKEY_free(chain.key);
  if (chain.leaf !== null) libcrypto.X509_free(chain.leaf);
  for (;;) {
    const issuer = libcrypto.OPENSSL_sk_pop(chain.issuers);
    if (issuer === null) break;
    libcrypto.X509_free(issuer as X509);
  }
  libcrypto.OPENSSL_sk_free(chain.issuers);
}
