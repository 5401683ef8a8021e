/**
 * Parameters that tlsmgr reads: entropy and session caches (tlsmgr.c).
 *
 * @module
 */

import { BOTH, type Parameter, TLSMGR } from "./row.ts";

const LIFETIME_MAX_S = 100 * 24 * 3600;

export const TLSMGR_PARAMETERS = {
  tls_random_source: {
    kind: "str",
    initial: "dev:/dev/urandom",
    roles: TLSMGR,
    since: "2.2",
    help: "External entropy source: dev:path, egd:path, or a file; empty for none.",
    text: `\
Where tlsmgr reads random bytes that it mixes into the generator of OpenSSL. OpenSSL seeds itself from
the kernel, so the source only adds to that.

- *dev:path* is a device, read without waiting for it.
- *egd:path* is the socket of an entropy gathering daemon that speaks the EGD protocol.
- Any other value is the path of a file, read once, at start.

The prefixes are lower case. A source that fails or stalls is reported and asked again later; it delays
no request and ends nothing, whereas Postfix's tlsmgr exits and is started again every second.`,
  },
  tls_random_bytes: {
    kind: "int",
    initial: "32",
    min: 1,
    roles: TLSMGR,
    since: "2.2",
    help: "Bytes to read from the entropy source at each reseed.",
    text: `\
How many bytes are read from *tls_random_source* at start and at each reseed. A device or an EGD socket
gives 255 at most; more can come from a file only.`,
  },
  tls_random_exchange_name: {
    kind: "path",
    initial: "${data_directory}/prng_exch",
    roles: TLSMGR,
    since: "2.2",
    help: "File that carries the generator state from run to run; empty for none.",
    text: `\
A file of 1024 bytes that tlsmgr reads and mixes in at start, and rewrites from time to time and when it
ends. It is created with mode 0600 where there is none.

A folder that does not belong to *mail_owner* is not written to: the file then goes to *data_directory*
under the same name, with a warning. That is also what becomes of the place below the configuration
directory that manuals before Postfix 2.5 name.`,
  },
  tls_random_prng_update_period: {
    kind: "time",
    initial: "3600s",
    min: 1,
    roles: TLSMGR,
    since: "2.2",
    help: "Longest wait between two updates of the exchange file.",
    text: `\
An upper limit: each wait before the exchange file is rewritten is drawn at random between zero and this
time. A number alone counts seconds.`,
  },
  tls_random_reseed_period: {
    kind: "time",
    initial: "3600s",
    min: 1,
    roles: TLSMGR,
    since: "2.2",
    help: "Longest wait between two reseeds.",
    text: `\
An upper limit: each wait before *tls_random_source* is read again is drawn at random between zero and
this time. A number alone counts seconds. Without a source nothing is reseeded.`,
  },
  smtpd_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.2",
    help: "Cache of server sessions, type:name; empty for none.",
    text: `\
Where tlsmgr keeps the TLS sessions of smtpd(8) and of tlsproxy's server role. Clients that hold session
tickets need no such cache.

The types *btree*, *hash*, *lmdb*, *sdbm*, *dbm*, *cdb* and *dbz*, and a name without a type, all mean
postern's own append file; its name gets the suffix *.postern*, so that a database of Postfix's is never
written to. *memory:* keeps the sessions in memory only. Other types cannot be written to and are
refused. Two caches cannot share one file. Sessions survive a restart unless *[cache] persist* is false;
Postfix empties its caches at each start.

A relative name stands below *queue_directory*, and the rule of *data_directory* about folders of other
owners applies.`,
  },
  smtp_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.2",
    help: "Cache of client sessions, type:name; empty for none.",
    text: `\
Where tlsmgr keeps the TLS sessions of smtp(8) and of tlsproxy's client role. Written as
*smtpd_tls_session_cache_database*.`,
  },
  lmtp_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.3",
    help: "Cache of LMTP client sessions, type:name; empty for none.",
    text: `\
Where tlsmgr keeps the TLS sessions of lmtp(8). Written as *smtpd_tls_session_cache_database*.`,
  },
  smtpd_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: LIFETIME_MAX_S,
    roles: TLSMGR,
    since: "2.2",
    help:
      "How long a cached server session stays usable, and the age of ticket keys; 0 turns both off.",
    text: `\
How long a session stays in the server cache, and twice the time for which a ticket key encrypts: it
then decrypts for as long again. A number alone counts seconds; 100 days is the maximum, and values
from 1 to 119 seconds count as 120.

0 turns both the cache and session tickets off. A negative value is refused.`,
  },
  smtp_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: LIFETIME_MAX_S,
    roles: TLSMGR,
    since: "2.2",
    help: "How long a cached client session stays usable; 0 turns the cache off.",
    text: `\
How long a session stays in the client cache, in the forms and bounds of
*smtpd_tls_session_cache_timeout*. Ticket keys do not depend on it.`,
  },
  lmtp_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: LIFETIME_MAX_S,
    roles: TLSMGR,
    since: "2.3",
    help: "How long a cached LMTP client session stays usable; 0 turns the cache off.",
    text: `\
How long a session stays in the LMTP client cache, in the forms and bounds of
*smtpd_tls_session_cache_timeout*. Ticket keys do not depend on it.`,
  },
  smtpd_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: BOTH,
    since: "2.2",
    help: "What is logged about server TLS; tlsmgr looks at the word cache only.",
    text: `\
Words and numbers that say what is logged, with commas or blanks between them, in any case. tlsmgr logs
each operation on the server cache when the level is 2 or more or has the word *cache*. For tlsproxy this
is the default of *tlsproxy_tls_loglevel*, where the words are listed.

A word that does not exist costs only itself, with a warning; in Postfix it silences the whole level.`,
  },
  smtp_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: BOTH,
    since: "2.2",
    help: "What is logged about client TLS; tlsmgr looks at the word cache only.",
    text: `\
As *smtpd_tls_loglevel*, for the client cache; for tlsproxy the default of *tlsproxy_client_loglevel*.`,
  },
  lmtp_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: TLSMGR,
    since: "2.3",
    help: "What is logged about LMTP client TLS; tlsmgr looks at the word cache only.",
    text: `\
As *smtpd_tls_loglevel*, for the LMTP client cache.`,
  },
} as const satisfies Record<string, Parameter>;
