/**
 * What tlsmgr and tlsproxy read in Postfix 3.12, by the part that reads it: the parameter tables of
 * tlsmgr.c, tlsproxy.c and tls_misc.c, and of mail_params.c what has an effect on the two. A level of
 * logging that two parts read stands with the first of them.
 *
 * @module
 */

/** Names by part, parted by blanks. */
const NAMES = {
  // 14 names
  tlsmgr: `
    tls_random_source tls_random_bytes tls_random_exchange_name tls_random_prng_update_period
    tls_random_reseed_period smtpd_tls_session_cache_database smtp_tls_session_cache_database
    lmtp_tls_session_cache_database smtpd_tls_session_cache_timeout smtp_tls_session_cache_timeout
    lmtp_tls_session_cache_timeout smtpd_tls_loglevel smtp_tls_loglevel lmtp_tls_loglevel
  `,
  // 55 names
  server: `
    tlsproxy_tls_security_level smtpd_tls_security_level tlsproxy_use_tls smtpd_use_tls
    tlsproxy_enforce_tls smtpd_enforce_tls tlsproxy_tls_chain_files smtpd_tls_chain_files
    tlsproxy_tls_cert_file smtpd_tls_cert_file tlsproxy_tls_key_file smtpd_tls_key_file
    tlsproxy_tls_dcert_file smtpd_tls_dcert_file tlsproxy_tls_dkey_file smtpd_tls_dkey_file
    tlsproxy_tls_eccert_file smtpd_tls_eccert_file tlsproxy_tls_eckey_file smtpd_tls_eckey_file
    tlsproxy_tls_CAfile smtpd_tls_CAfile tlsproxy_tls_CApath smtpd_tls_CApath
    tlsproxy_tls_ask_ccert smtpd_tls_ask_ccert tlsproxy_tls_req_ccert smtpd_tls_req_ccert
    tlsproxy_tls_ccert_verifydepth smtpd_tls_ccert_verifydepth tlsproxy_tls_protocols
    smtpd_tls_protocols tlsproxy_tls_mandatory_protocols smtpd_tls_mandatory_protocols
    tlsproxy_tls_ciphers smtpd_tls_ciphers tlsproxy_tls_mandatory_ciphers
    smtpd_tls_mandatory_ciphers tlsproxy_tls_exclude_ciphers smtpd_tls_exclude_ciphers
    tlsproxy_tls_mandatory_exclude_ciphers smtpd_tls_mandatory_exclude_ciphers
    tlsproxy_tls_dh1024_param_file smtpd_tls_dh1024_param_file tlsproxy_tls_dh512_param_file
    smtpd_tls_dh512_param_file tlsproxy_tls_eecdh_grade smtpd_tls_eecdh_grade
    tlsproxy_tls_fingerprint_digest smtpd_tls_fingerprint_digest tlsproxy_tls_loglevel
    tlsproxy_tls_always_issue_session_ids smtpd_tls_always_issue_session_ids
    tlsproxy_tls_enable_rpk smtpd_tls_enable_rpk
  `,
  // 35 names
  client: `
    tlsproxy_client_security_level smtp_tls_security_level tlsproxy_client_level
    tlsproxy_client_use_tls smtp_use_tls tlsproxy_client_enforce_tls smtp_enforce_tls
    tlsproxy_client_per_site smtp_tls_per_site tlsproxy_client_policy_maps smtp_tls_policy_maps
    tlsproxy_client_policy tlsproxy_client_chain_files smtp_tls_chain_files
    tlsproxy_client_cert_file tlsproxy_client_key_file smtp_tls_cert_file smtp_tls_key_file
    tlsproxy_client_dcert_file tlsproxy_client_dkey_file smtp_tls_dcert_file smtp_tls_dkey_file
    tlsproxy_client_eccert_file tlsproxy_client_eckey_file smtp_tls_eccert_file
    smtp_tls_eckey_file tlsproxy_client_CAfile smtp_tls_CAfile tlsproxy_client_CApath
    smtp_tls_CApath tlsproxy_client_scert_verifydepth smtp_tls_scert_verifydepth
    tlsproxy_client_fingerprint_digest smtp_tls_fingerprint_digest tlsproxy_client_loglevel
  `,
  // 25 names
  library: `
    tls_append_default_CA tls_config_file tls_config_name tls_daemon_random_bytes tls_dane_digests
    tls_disable_workarounds tls_ssl_options tls_eecdh_auto_curves tls_ffdhe_auto_groups
    tls_eecdh_strong_curve tls_eecdh_ultra_curve tls_high_cipherlist tls_medium_cipherlist
    tls_null_cipherlist tls_low_cipherlist tls_export_cipherlist tls_preempt_cipherlist
    tls_session_ticket_cipher tls_server_sni_maps tls_fast_shutdown_enable
    tls_wildcard_matches_multiple_labels tls_trust_server_ccerts tls_trace_rate_limit
    tlsmgr_service_name openssl_path
  `,
  // 30 names
  process: `
    compatibility_level config_directory queue_directory data_directory mail_owner setgid_group
    default_privs daemon_timeout tlsproxy_watchdog_timeout ipc_timeout ipc_idle ipc_ttl max_idle
    max_use tlsproxy_service_name syslog_facility syslog_name multi_instance_name maillog_file
    maillog_file_prefixes maillog_file_permissions postlog_service_name import_environment
    default_database_type daemon_table_open_error_is_fatal smtputf8_enable process_id process_name
    service_name stress
  `,
} as const;

/** All names of a part. */
export const READ_BY_POSTFIX: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(NAMES).map(([part, names]) => [part, names.trim().split(/\s+/)]),
);
