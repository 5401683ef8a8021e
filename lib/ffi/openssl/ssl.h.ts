/**
 * The functions of libssl that postern uses, with their C parameters.
 *
 * Many names of the manual pages are macros over `SSL_CTX_ctrl` and `SSL_ctrl`; their numbers are in
 * `constants.ts`.
 *
 * @module
 */
import { T } from "./types.ts";

/** Signatures for `Deno.dlopen`. */
export const LIBSSL = {
  OPENSSL_init_ssl: { parameters: ["u64", /* opts */ "pointer" /* settings */], result: "i32" },
  TLS_server_method: { parameters: [], result: T.sslMethod },
  TLS_client_method: { parameters: [], result: T.sslMethod },
  // Contexts
  SSL_CTX_new: { parameters: [T.sslMethod], result: T.sslCtx },
  SSL_CTX_free: { parameters: [T.sslCtx], result: "void" },
  SSL_CTX_ctrl: {
    parameters: [T.sslCtx, "i32", /* cmd */ "isize", /* larg */ "pointer" /* parg */],
    result: "isize",
  },
  SSL_CTX_ctrl_text: {
    name: "SSL_CTX_ctrl",
    parameters: [T.sslCtx, "i32", /* cmd */ "isize", /* larg */ "buffer" /* parg */],
    result: "isize",
  },
  SSL_CTX_set_options: { parameters: [T.sslCtx, "u64" /* op */], result: "u64" },
  SSL_CTX_set_security_level: { parameters: [T.sslCtx, "i32" /* level */], result: "void" },
  SSL_CTX_set_verify: {
    parameters: [T.sslCtx, "i32", /* mode */ "function" /* callback */],
    result: "void",
  },
  SSL_CTX_set_verify_depth: { parameters: [T.sslCtx, "i32" /* depth */], result: "void" },
  SSL_CTX_set_cert_verify_callback: {
    parameters: [T.sslCtx, "function", /* callback */ "pointer" /* arg */],
    result: "void",
  },
  SSL_CTX_load_verify_file: { parameters: [T.sslCtx, "buffer" /* CAfile */], result: "i32" },
  SSL_CTX_load_verify_dir: { parameters: [T.sslCtx, "buffer" /* CApath */], result: "i32" },
  SSL_CTX_set_default_verify_paths: { parameters: [T.sslCtx], result: "i32" },
  SSL_load_client_CA_file: { parameters: ["buffer" /* file */], result: T.stack },
  SSL_CTX_set_client_CA_list: { parameters: [T.sslCtx, T.stack], result: "void" },
  SSL_CTX_set0_tmp_dh_pkey: { parameters: [T.sslCtx, T.evpPkey], result: "i32" },
  SSL_CTX_callback_ctrl: {
    parameters: [T.sslCtx, "i32", /* cmd */ "function" /* fp */],
    result: "isize",
  },
  SSL_CTX_set_cipher_list: { parameters: [T.sslCtx, "buffer" /* str */], result: "i32" },
  SSL_CTX_set_num_tickets: { parameters: [T.sslCtx, "usize" /* num_tickets */], result: "i32" },
  SSL_CTX_set_timeout: { parameters: [T.sslCtx, "isize" /* seconds */], result: "isize" },
  SSL_CTX_set_session_id_context: {
    parameters: [T.sslCtx, "buffer", /* sid_ctx */ "u32" /* sid_ctx_len */],
    result: "i32",
  },
  SSL_CTX_use_certificate_chain_file: { parameters: [T.sslCtx, "buffer"], result: "i32" },
  SSL_CTX_use_PrivateKey_file: {
    parameters: [T.sslCtx, "buffer", /* file */ "i32" /* type */],
    result: "i32",
  },
  SSL_CTX_set_default_passwd_cb_userdata: {
    parameters: [T.sslCtx, "pointer" /* u */],
    result: "void",
  },
  SSL_CTX_get0_certificate: { parameters: [T.sslCtx], result: T.x509 },
  SSL_CTX_get0_privatekey: { parameters: [T.sslCtx], result: T.evpPkey },
  SSL_CTX_use_cert_and_key: {
    parameters: [T.sslCtx, T.x509, T.evpPkey, T.stack, "i32" /* override */],
    result: "i32",
  },
  SSL_CTX_set_client_hello_cb: {
    parameters: [T.sslCtx, "function", /* cb */ "pointer" /* arg */],
    result: "void",
  },
  SSL_CTX_sess_set_new_cb: { parameters: [T.sslCtx, "function"], result: "void" },
  SSL_CTX_sess_set_get_cb: { parameters: [T.sslCtx, "function"], result: "void" },
  SSL_CTX_set_tlsext_ticket_key_evp_cb: { parameters: [T.sslCtx, "function"], result: "i32" },
  // Connections
  SSL_new: { parameters: [T.sslCtx], result: T.ssl },
  SSL_free: { parameters: [T.ssl], result: "void" },
  SSL_set_fd: { parameters: [T.ssl, "i32" /* fd */], result: "i32" },
  SSL_set_bio: { parameters: [T.ssl, T.bio, /* rbio */ T.bio /* wbio */], result: "void" },
  SSL_set0_wbio: { parameters: [T.ssl, T.bio], result: "void" },
  SSL_set_default_read_buffer_len: { parameters: [T.ssl, "usize" /* len */], result: "void" },
  SSL_ctrl: {
    parameters: [T.ssl, "i32", /* cmd */ "isize", /* larg */ "buffer" /* parg */],
    result: "isize",
  },
  SSL_ctrl_number: {
    name: "SSL_ctrl",
    parameters: [T.ssl, "i32", /* cmd */ "i32", /* larg, positive */ "pointer" /* parg */],
    result: "i32",
  },
  SSL_group_to_name: { parameters: [T.ssl, "i32" /* id */], result: "pointer" },
  SSL_set_security_level: { parameters: [T.ssl, "i32" /* level */], result: "void" },
  SSL_set_cipher_list: { parameters: [T.ssl, "buffer" /* str */], result: "i32" },
  SSL_set_session_id_context: {
    parameters: [T.ssl, "buffer", /* sid_ctx */ "u32" /* sid_ctx_len */],
    result: "i32",
  },
  SSL_set_info_callback: { parameters: [T.ssl, "function"], result: "void" },
  SSL_get_rbio: { parameters: [T.ssl], result: T.bio },
  SSL_get_state: { parameters: [T.ssl], result: "i32" },
  SSL_state_string_long: { parameters: [T.ssl], result: "pointer" },
  SSL_alert_type_string_long: { parameters: ["i32" /* value */], result: "pointer" },
  SSL_alert_desc_string_long: { parameters: ["i32" /* value */], result: "pointer" },
  SSL_get_servername: { parameters: [T.ssl, "i32" /* type */], result: "pointer" },
  SSL_certs_clear: { parameters: [T.ssl], result: "void" },
  SSL_use_cert_and_key: {
    parameters: [T.ssl, T.x509, T.evpPkey, T.stack, "i32" /* override */],
    result: "i32",
  },
  SSL_get_verify_result: { parameters: [T.ssl], result: "isize" },
  SSL_set_options: { parameters: [T.ssl, "u64" /* op */], result: "u64" },
  SSL_set_num_tickets: { parameters: [T.ssl, "usize" /* num_tickets */], result: "i32" },
  SSL_set_accept_state: { parameters: [T.ssl], result: "void" },
  SSL_set_connect_state: { parameters: [T.ssl], result: "void" },
  SSL_do_handshake: { parameters: [T.ssl], result: "i32" },
  SSL_read: { parameters: [T.ssl, "buffer", "i32" /* num */], result: "i32" },
  SSL_has_pending: { parameters: [T.ssl], result: "i32" },
  SSL_write: { parameters: [T.ssl, "buffer", "i32" /* num */], result: "i32" },
  SSL_shutdown: { parameters: [T.ssl], result: "i32" },
  SSL_get_error: { parameters: [T.ssl, "i32" /* ret */], result: "i32" },
  SSL_session_reused: { parameters: [T.ssl], result: "i32" },
  SSL_version: { parameters: [T.ssl], result: "i32" },
  SSL_get_version: { parameters: [T.ssl], result: "pointer" },
  SSL_get_current_cipher: { parameters: [T.ssl], result: T.sslCipher },
  SSL_CIPHER_get_protocol_id: { parameters: [T.sslCipher], result: "u16" },
  SSL_CIPHER_get_name: { parameters: [T.sslCipher], result: "pointer" },
  SSL_CIPHER_get_bits: { parameters: [T.sslCipher, "buffer" /* alg_bits */], result: "i32" },
  SSL_get_certificate: { parameters: [T.ssl], result: T.x509 },
  SSL_get0_peer_certificate: { parameters: [T.ssl], result: T.x509 },
  // ClientHello, readable in its callback only
  SSL_client_hello_get0_session_id: {
    parameters: [T.ssl, "buffer" /* const unsigned char ** */],
    // A size_t of 32 at most.
    result: "u32",
  },
  SSL_client_hello_get0_ext: {
    parameters: [T.ssl, "u32", /* type */ "buffer", /* out */ "buffer" /* outlen */],
    result: "i32",
  },
  // Sessions
  SSL_get1_session: { parameters: [T.ssl], result: T.sslSession },
  SSL_set_session: { parameters: [T.ssl, T.sslSession], result: "i32" },
  SSL_SESSION_free: { parameters: [T.sslSession], result: "void" },
  SSL_SESSION_is_resumable: { parameters: [T.sslSession], result: "i32" },
  SSL_SESSION_has_ticket: { parameters: [T.sslSession], result: "i32" },
  SSL_SESSION_get_id: { parameters: [T.sslSession, "buffer" /* len */], result: "pointer" },
  i2d_SSL_SESSION: { parameters: [T.sslSession, "buffer" /* unsigned char ** */], result: "i32" },
  i2d_SSL_SESSION_length: {
    name: "i2d_SSL_SESSION",
    parameters: [T.sslSession, "pointer" /* NULL */],
    result: "i32",
  },
  d2i_SSL_SESSION: {
    parameters: ["pointer", "buffer", /* const unsigned char ** */ "isize" /* length */],
    result: T.sslSession,
  },
} as const satisfies Deno.ForeignLibraryInterface;
