/**
 * The functions of libcrypto that postern uses, with their C parameters.
 *
 * @module
 */
import { T } from "./types.ts";

/** Signatures for `Deno.dlopen`. */
export const LIBCRYPTO = {
  // openssl/crypto.h
  OpenSSL_version_num: { parameters: [], result: "u64" },
  OpenSSL_version: { parameters: ["i32" /* t */], result: "pointer" },
  CRYPTO_free: { parameters: ["pointer", "pointer", /* file */ "i32" /* line */], result: "void" },
  OPENSSL_INIT_new: { parameters: [], result: "pointer" },
  OPENSSL_INIT_free: { parameters: ["pointer"], result: "void" },
  OPENSSL_INIT_set_config_filename: {
    parameters: ["pointer", "buffer" /* filename */],
    result: "i32",
  },
  OPENSSL_INIT_set_config_appname: { parameters: ["pointer", "buffer" /* name */], result: "i32" },
  OPENSSL_INIT_set_config_file_flags: {
    parameters: ["pointer", "usize" /* unsigned long flags */],
    result: "void",
  },
  // openssl/conf.h
  NCONF_new: { parameters: ["pointer" /* meth */], result: "pointer" },
  NCONF_free: { parameters: ["pointer"], result: "void" },
  NCONF_load: {
    parameters: ["pointer", "buffer", /* file */ "buffer" /* long *eline */],
    result: "i32",
  },
  NCONF_get_string: {
    parameters: ["pointer", "pointer", /* group */ "buffer" /* name */],
    result: "pointer",
  },
  // openssl/err.h
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_get_error_all: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer"],
    // file, line, func, data, flags
    result: "u64",
  },
  ERR_error_string_n: { parameters: ["u64", "buffer", "usize"], result: "void" },
  // openssl/rand.h
  RAND_bytes: { parameters: ["buffer", "i32" /* num */], result: "i32" },
  RAND_bytes_at: {
    name: "RAND_bytes",
    parameters: ["pointer", "i32" /* num */],
    result: "i32",
  },
  RAND_seed: { parameters: ["buffer", "i32" /* num */], result: "void" },
  RAND_add: {
    parameters: ["buffer", "i32", /* num */ "f64" /* randomness, bytes */],
    result: "void",
  },
  RAND_status: { parameters: [], result: "i32" },
  // openssl/evp.h
  EVP_CIPHER_fetch: {
    parameters: ["pointer", /* ctx */ "buffer", /* algorithm */ "pointer" /* properties */],
    result: T.evpCipher,
  },
  EVP_CIPHER_free: { parameters: [T.evpCipher], result: "void" },
  EVP_CIPHER_get_mode: { parameters: [T.evpCipher], result: "i32" },
  EVP_CIPHER_get_iv_length: { parameters: [T.evpCipher], result: "i32" },
  EVP_CIPHER_get_key_length: { parameters: [T.evpCipher], result: "i32" },
  EVP_EncryptInit_ex: {
    parameters: [T.evpCipherCtx, T.evpCipher, "pointer", /* engine */ "pointer", "pointer"],
    // …, key, iv
    result: "i32",
  },
  EVP_DecryptInit_ex: {
    parameters: [T.evpCipherCtx, T.evpCipher, "pointer", /* engine */ "pointer", "pointer"],
    result: "i32",
  },
  EVP_MAC_CTX_set_params: {
    parameters: [T.evpMacCtx, "pointer" /* OSSL_PARAM[] */],
    result: "i32",
  },
  EVP_sha256: { parameters: [], result: T.evpMd },
  EVP_get_digestbyname: { parameters: ["buffer" /* name */], result: T.evpMd },
  EVP_Digest: {
    parameters: ["pointer", /* data */ "usize", /* count */ "buffer", "buffer", T.evpMd, "pointer"],
    // …, md, size, type, engine
    result: "i32",
  },
  EVP_PKEY_free: { parameters: [T.evpPkey], result: "void" },
  EVP_PKEY_get_bits: { parameters: [T.evpPkey], result: "i32" },
  EVP_PKEY_get0_type_name: { parameters: [T.evpPkey], result: "pointer" },
  EVP_PKEY_get_group_name: {
    parameters: [T.evpPkey, "buffer", /* gname */ "usize", /* gname_sz */ "buffer" /* gname_len */],
    result: "i32",
  },
  EVP_PKEY_CTX_new_from_name: {
    parameters: ["pointer", /* libctx */ "buffer", /* name */ "pointer" /* propquery */],
    result: T.evpPkeyCtx,
  },
  EVP_PKEY_CTX_free: { parameters: [T.evpPkeyCtx], result: "void" },
  EVP_PKEY_keygen_init: { parameters: [T.evpPkeyCtx], result: "i32" },
  EVP_PKEY_CTX_set_group_name: { parameters: [T.evpPkeyCtx, "buffer" /* name */], result: "i32" },
  EVP_PKEY_CTX_set_rsa_keygen_bits: {
    parameters: [T.evpPkeyCtx, "i32" /* bits */],
    result: "i32",
  },
  EVP_PKEY_generate: {
    parameters: [T.evpPkeyCtx, "buffer" /* EVP_PKEY ** */],
    result: "i32",
  },
  // openssl/bio.h, openssl/pem.h
  BIO_new_file: { parameters: ["buffer", /* filename */ "buffer" /* mode */], result: T.bio },
  BIO_new_bio_pair: {
    parameters: ["buffer", /* BIO **bio1 */ "usize", /* writebuf1 */ "buffer", "usize"],
    // …, BIO **bio2, writebuf2
    result: "i32",
  },
  BIO_f_buffer: { parameters: [], result: T.bioMethod },
  BIO_new: { parameters: [T.bioMethod], result: T.bio },
  BIO_int_ctrl: {
    parameters: [T.bio, "i32", /* cmd */ "isize", /* larg */ "i32" /* iarg */],
    result: "isize",
  },
  BIO_ctrl_number: {
    name: "BIO_ctrl",
    parameters: [T.bio, "i32", /* cmd */ "i32", /* larg, not negative */ "pointer" /* parg */],
    result: "i32",
  },
  BIO_test_flags: { parameters: [T.bio, "i32" /* flags */], result: "i32" },
  BIO_push: { parameters: [T.bio, T.bio /* append */], result: T.bio },
  BIO_pop: { parameters: [T.bio], result: T.bio },
  BIO_up_ref: { parameters: [T.bio], result: "i32" },
  BIO_set_callback_ex: { parameters: [T.bio, "function" /* callback */], result: "void" },
  BIO_free: { parameters: [T.bio], result: "i32" },
  PEM_read_bio: {
    parameters: [T.bio, "buffer", /* name */ "buffer", /* header */ "buffer", "buffer" /* len */],
    result: "i32",
  },
  PEM_read_bio_Parameters: { parameters: [T.bio, "pointer" /* EVP_PKEY ** */], result: T.evpPkey },
  PEM_write_bio_X509: { parameters: [T.bio, T.x509], result: "i32" },
  PEM_write_bio_PrivateKey: {
    parameters: [T.bio, T.evpPkey, T.evpCipher, "pointer", "i32", "pointer", "pointer"],
    result: "i32",
  },
  // openssl/x509.h
  d2i_X509: { parameters: ["pointer", "buffer", /* in */ "isize" /* len */], result: T.x509 },
  d2i_AutoPrivateKey: {
    parameters: ["pointer", "buffer", /* in */ "isize" /* length */],
    result: T.evpPkey,
  },
  i2d_X509_PUBKEY_length: {
    name: "i2d_X509_PUBKEY",
    parameters: ["pointer", /* X509_PUBKEY * */ "pointer" /* NULL */],
    result: "i32",
  },
  i2d_X509_PUBKEY: {
    parameters: ["pointer", /* X509_PUBKEY * */ "buffer" /* unsigned char ** */],
    result: "i32",
  },
  X509_get_X509_PUBKEY: { parameters: [T.x509], result: "pointer" },
  X509_digest: {
    parameters: [T.x509, T.evpMd, "buffer", /* md */ "buffer" /* len */],
    result: "i32",
  },
  X509_cmp: { parameters: [T.x509, T.x509], result: "i32" },
  X509_verify_cert: { parameters: [T.x509StoreCtx], result: "i32" },
  X509_verify_cert_error_string: { parameters: ["isize" /* n */], result: "pointer" },
  X509_get_extended_key_usage: { parameters: [T.x509], result: "u32" },
  X509_STORE_CTX_get_error: { parameters: [T.x509StoreCtx], result: "i32" },
  X509_STORE_CTX_get_error_depth: { parameters: [T.x509StoreCtx], result: "i32" },
  X509_STORE_CTX_get_current_cert: { parameters: [T.x509StoreCtx], result: T.x509 },
  X509_STORE_CTX_get0_cert: { parameters: [T.x509StoreCtx], result: T.x509 },
  X509_STORE_CTX_get0_param: { parameters: [T.x509StoreCtx], result: "pointer" },
  X509_VERIFY_PARAM_set_purpose: {
    parameters: ["pointer", "i32" /* purpose */],
    result: "i32",
  },
  X509_VERIFY_PARAM_set_trust: { parameters: ["pointer", "i32" /* trust */], result: "i32" },
  X509_new: { parameters: [], result: T.x509 },
  X509_free: { parameters: [T.x509], result: "void" },
  X509_set_version: { parameters: [T.x509, "isize"], result: "i32" },
  X509_get_serialNumber: { parameters: [T.x509], result: "pointer" },
  ASN1_INTEGER_set_uint64: { parameters: ["pointer", "u64"], result: "i32" },
  X509_getm_notBefore: { parameters: [T.x509], result: "pointer" },
  X509_getm_notAfter: { parameters: [T.x509], result: "pointer" },
  ASN1_TIME_to_tm: {
    parameters: ["pointer", /* const ASN1_TIME * */ "buffer" /* struct tm * */],
    result: "i32",
  },
  X509_gmtime_adj: { parameters: ["pointer", "isize" /* seconds */], result: "pointer" },
  X509_set_pubkey: { parameters: [T.x509, T.evpPkey], result: "i32" },
  X509_get0_pubkey: { parameters: [T.x509], result: T.evpPkey },
  X509_check_private_key: { parameters: [T.x509, T.evpPkey], result: "i32" },
  X509_get_subject_name: { parameters: [T.x509], result: T.x509Name },
  X509_get_issuer_name: { parameters: [T.x509], result: T.x509Name },
  X509_NAME_oneline: {
    parameters: [T.x509Name, "buffer", /* buf */ "i32" /* size */],
    result: "pointer",
  },
  X509_NAME_get_index_by_NID: {
    parameters: [T.x509Name, "i32", /* nid */ "i32" /* lastpos */],
    result: "i32",
  },
  X509_NAME_get_entry: { parameters: [T.x509Name, "i32" /* loc */], result: "pointer" },
  X509_NAME_ENTRY_get_data: { parameters: ["pointer"], result: "pointer" },
  ASN1_STRING_to_UTF8: {
    parameters: ["buffer", /* unsigned char ** */ "pointer" /* ASN1_STRING * */],
    result: "i32",
  },
  X509_set_issuer_name: { parameters: [T.x509, T.x509Name], result: "i32" },
  X509_NAME_add_entry_by_txt: {
    parameters: [
      T.x509Name,
      "buffer", /* field */
      "i32",
      "buffer", /* bytes */
      "i32",
      "i32",
      "i32",
    ],
    result: "i32",
  },
  X509_sign: { parameters: [T.x509, T.evpPkey, T.evpMd], result: "i32" },
  // openssl/objects.h, openssl/stack.h
  OBJ_nid2sn: { parameters: ["i32"], result: "pointer" },
  OPENSSL_sk_new_null: { parameters: [], result: T.stack },
  OPENSSL_sk_push: { parameters: [T.stack, "pointer"], result: "i32" },
  OPENSSL_sk_pop: { parameters: [T.stack], result: "pointer" },
  OPENSSL_sk_free: { parameters: [T.stack], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;
