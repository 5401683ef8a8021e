/**
 * Postfix parameters that belong to somebody else: known, so that a file made from a main.cf is not
 * full of complaints, and not read here. They stay there for `$name`.
 *
 * The list holds what stands nearest to us: the TLS settings of the programs that call us, the client
 * role's, and what every Postfix daemon parses.
 *
 * @module
 */

/** The TLS settings of smtp(8), lmtp(8), smtpd(8) and postscreen(8). */
const CALLERS = `
  lmtp_enforce_tls lmtp_starttls_timeout lmtp_tls_CAfile lmtp_tls_CApath
  lmtp_tls_block_early_mail_reply lmtp_tls_cert_file lmtp_tls_chain_files lmtp_tls_ciphers
  lmtp_tls_connection_reuse lmtp_tls_dcert_file lmtp_tls_dkey_file lmtp_tls_eccert_file
  lmtp_tls_eckey_file lmtp_tls_enable_rpk lmtp_tls_exclude_ciphers
  lmtp_tls_fingerprint_cert_match lmtp_tls_fingerprint_digest lmtp_tls_key_file
  lmtp_tls_mandatory_ciphers lmtp_tls_mandatory_exclude_ciphers lmtp_tls_mandatory_protocols
  lmtp_tls_note_starttls_offer lmtp_tls_per_site lmtp_tls_policy_maps lmtp_tls_protocols
  lmtp_tls_scert_verifydepth lmtp_tls_secure_cert_match lmtp_tls_security_level
  lmtp_tls_servername lmtp_tls_trust_anchor_file lmtp_tls_verify_cert_match lmtp_use_tls
  postscreen_enforce_tls postscreen_tls_security_level postscreen_use_tls smtp_enforce_tls
  smtp_starttls_timeout smtp_tls_CAfile smtp_tls_CApath smtp_tls_block_early_mail_reply
  smtp_tls_cert_file smtp_tls_chain_files smtp_tls_ciphers smtp_tls_connection_reuse
  smtp_tls_dcert_file smtp_tls_dkey_file smtp_tls_eccert_file smtp_tls_eckey_file
  smtp_tls_enable_rpk smtp_tls_exclude_ciphers smtp_tls_fingerprint_cert_match
  smtp_tls_fingerprint_digest smtp_tls_key_file smtp_tls_mandatory_ciphers
  smtp_tls_mandatory_exclude_ciphers smtp_tls_mandatory_protocols smtp_tls_note_starttls_offer
  smtp_tls_per_site smtp_tls_policy_maps smtp_tls_protocols smtp_tls_scert_verifydepth
  smtp_tls_secure_cert_match smtp_tls_security_level smtp_tls_servername
  smtp_tls_trust_anchor_file smtp_tls_verify_cert_match smtp_use_tls smtpd_starttls_timeout
  smtpd_tls_auth_only smtpd_tls_received_header smtpd_tls_wrappermode
`;

/** tlsproxy's client role. */
const CLIENT_ROLE = `
  tlsproxy_client_CAfile tlsproxy_client_CApath tlsproxy_client_cert_file
  tlsproxy_client_chain_files tlsproxy_client_dcert_file tlsproxy_client_dkey_file
  tlsproxy_client_eccert_file tlsproxy_client_eckey_file tlsproxy_client_enforce_tls
  tlsproxy_client_fingerprint_digest tlsproxy_client_key_file tlsproxy_client_level
  tlsproxy_client_loglevel tlsproxy_client_per_site tlsproxy_client_policy
  tlsproxy_client_policy_maps tlsproxy_client_scert_verifydepth tlsproxy_client_security_level
  tlsproxy_client_use_tls
`;

/** Parsed by every daemon, without an effect on these two (global/mail_params.c). */
const GENERIC = `
  address_verify_negative_cache address_verify_service_name alias_database
  alternate_config_directories application_event_drain_time
  backwards_bounce_logfile_compatibility berkeley_db_create_buffer_size
  berkeley_db_read_buffer_size bounce_service_name cleanup_service_name command_directory
  daemon_directory debug_peer_level debug_peer_list default_cache_db_type
  default_delivery_status_filter default_process_limit default_verp_delimiters
  defer_service_name delay_logging_resolution_limit deliver_lock_attempts deliver_lock_delay
  disable_dns_lookups disable_mime_input_processing disable_mime_output_conversion
  dns_ncache_ttl_fix_enable dnssec_probe dont_remove double_bounce_sender
  enable_idna2003_compatibility enable_long_queue_ids enable_original_recipient
  error_service_name export_environment fast_flush_domains fault_injection_code
  flush_service_name fork_attempts fork_delay hash_queue_depth hash_queue_names
  header_address_token_limit header_size_limit helpful_warnings in_flow_delay inet_interfaces
  inet_protocols info_log_address_format internal_mail_filter_classes known_tcp_ports
  line_length_limit lmdb_map_size mail_name mail_release_date mail_version
  maillog_file_compressor maillog_file_rotate_suffix message_drop_headers message_size_limit
  meta_directory mime_boundary_length_limit mime_nesting_limit multi_instance_directories
  multi_instance_enable multi_instance_group multi_instance_wrapper mydestination mydomain
  myhostname mynetworks mynetworks_style myorigin non_bdb_custom_mapping non_bdb_migration_level
  non_bdb_migration_log_redirect non_bdb_migration_service_name owner_request_special
  parent_domain_matches_subdomains pickup_service_name process_id_directory proxy_interfaces
  proxymap_service_name proxywrite_service_name queue_service_name recipient_delimiter
  relay_domains relayhost requiretls_enable respectful_logging rewrite_service_name
  send_cyrus_sasl_authzid shlib_directory showq_service_name smtputf8_autodetect_classes
  socketmap_max_query_size socketmap_max_reply_size soft_bounce stale_lock_time
  strict_7bit_headers strict_8bitmime strict_8bitmime_body strict_mime_encoding_domain
  strict_smtputf8 tcp_windowsize tls_required_enable trace_service_name trigger_timeout
  verp_delimiter_filter
`;

const FOREIGN_NAMES: ReadonlySet<string> = new Set(
  `${CALLERS} ${CLIENT_ROLE} ${GENERIC}`.trim().split(/\s+/),
);

/** Whether Postfix has a parameter `name` that means nothing to tlsmgr and tlsproxy. */
export function isForeignName(name: string): boolean {
  return FOREIGN_NAMES.has(name);
}
