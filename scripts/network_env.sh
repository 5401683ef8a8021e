# Sourced by scripts/bootstrap and scripts/deno: makes npm and Deno trust what the machine trusts.
#
# Deno takes the system's store and Mozilla's; a file named by NODE_EXTRA_CA_CERTS or SSL_CERT_FILE
# is added to them. Node knows its own list only, so it gets the system's bundle unless told better.

export DENO_TLS_CA_STORE="${DENO_TLS_CA_STORE:-system,mozilla}"
export DENO_NO_UPDATE_CHECK=1
for ca_file in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
  if [ -n "$ca_file" ] && [ -r "$ca_file" ]; then
    export NODE_EXTRA_CA_CERTS="$ca_file"
    [ -n "${DENO_CERT:-}" ] || export DENO_CERT="$ca_file"
    break
  fi
done
unset ca_file
