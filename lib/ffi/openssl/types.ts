/**
 * OpenSSL's objects as types that TypeScript keeps apart, and how they appear in signatures.
 *
 * @module
 */

/** `SSL_CTX *` */
export type SslCtx = Deno.PointerObject<"SSL_CTX">;
/** `SSL *` */
export type Ssl = Deno.PointerObject<"SSL">;
/** `SSL_SESSION *` */
export type SslSession = Deno.PointerObject<"SSL_SESSION">;
/** `const SSL_METHOD *` */
export type SslMethod = Deno.PointerObject<"SSL_METHOD">;
/** `const SSL_CIPHER *` */
export type SslCipher = Deno.PointerObject<"SSL_CIPHER">;
/** `X509 *` */
export type X509 = Deno.PointerObject<"X509">;
/** `X509_NAME *` */
export type X509Name = Deno.PointerObject<"X509_NAME">;
/** `X509_STORE_CTX *` */
export type X509StoreCtx = Deno.PointerObject<"X509_STORE_CTX">;
/** `EVP_PKEY *` */
export type EvpPkey = Deno.PointerObject<"EVP_PKEY">;
/** `EVP_PKEY_CTX *` */
export type EvpPkeyCtx = Deno.PointerObject<"EVP_PKEY_CTX">;
/** `EVP_CIPHER *` */
export type EvpCipher = Deno.PointerObject<"EVP_CIPHER">;
/** `EVP_CIPHER_CTX *` */
export type EvpCipherCtx = Deno.PointerObject<"EVP_CIPHER_CTX">;
/** `EVP_MAC_CTX *` */
export type EvpMacCtx = Deno.PointerObject<"EVP_MAC_CTX">;
/** `EVP_MD *` */
export type EvpMd = Deno.PointerObject<"EVP_MD">;
/** `BIO *` */
export type Bio = Deno.PointerObject<"BIO">;
/** `const BIO_METHOD *` */
export type BioMethod = Deno.PointerObject<"BIO_METHOD">;
/** `STACK_OF(...) *` */
export type Stack = Deno.PointerObject<"OPENSSL_STACK">;

/** The same types, as `Deno.dlopen` takes them. */
export const T = {
  sslCtx: "pointer" as Deno.NativeTypedPointer<SslCtx>,
  ssl: "pointer" as Deno.NativeTypedPointer<Ssl>,
  sslSession: "pointer" as Deno.NativeTypedPointer<SslSession>,
  sslMethod: "pointer" as Deno.NativeTypedPointer<SslMethod>,
  sslCipher: "pointer" as Deno.NativeTypedPointer<SslCipher>,
  x509: "pointer" as Deno.NativeTypedPointer<X509>,
  x509Name: "pointer" as Deno.NativeTypedPointer<X509Name>,
  x509StoreCtx: "pointer" as Deno.NativeTypedPointer<X509StoreCtx>,
  evpPkey: "pointer" as Deno.NativeTypedPointer<EvpPkey>,
  evpPkeyCtx: "pointer" as Deno.NativeTypedPointer<EvpPkeyCtx>,
  evpCipher: "pointer" as Deno.NativeTypedPointer<EvpCipher>,
  evpCipherCtx: "pointer" as Deno.NativeTypedPointer<EvpCipherCtx>,
  evpMacCtx: "pointer" as Deno.NativeTypedPointer<EvpMacCtx>,
  evpMd: "pointer" as Deno.NativeTypedPointer<EvpMd>,
  bio: "pointer" as Deno.NativeTypedPointer<Bio>,
  bioMethod: "pointer" as Deno.NativeTypedPointer<BioMethod>,
  stack: "pointer" as Deno.NativeTypedPointer<Stack>,
} as const;
