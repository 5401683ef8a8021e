/**
 * Parameters of the process itself: folders, accounts, timeouts, logging (mail_params.c,
 * event_server.c, multi_server.c).
 *
 * @module
 */

import { BOTH, type Parameter, TLSMGR, TLSPROXY } from "./row.ts";

// deno-fmt-ignore
const FACILITIES = [
  "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
  "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
] as const;

export const PROCESS_PARAMETERS = {
  compatibility_level: {
    kind: "version",
    initial: "3.11",
    roles: BOTH,
    since: "3.0",
    help: "Decides about defaults that changed between the releases of Postfix.",
    text: `\
A version, *major.minor*, as a string: *"3.10"*. As a TOML number only 0, 1 and 2 are taken, because
3.10 as a number is 3.1.

Below 3.6 fingerprints are made with md5, below 3.11 the client role is off by default. Without this
parameter the newest level counts; in Postfix it is 0, which is why a translated main.cf always has it.`,
  },
  config_directory: {
    kind: "path",
    initial: "/etc/postfix",
    roles: BOTH,
    since: "2.0",
    help: "Directory of the settings file.",
    text: `\
The directory of the settings file, for use as *$config_directory*. Setting it changes only what that
expands to.`,
  },
  queue_directory: {
    kind: "path",
    initial: "/var/spool/postfix",
    lengthMin: 1,
    roles: BOTH,
    since: "2.0",
    help: "Parent of the private socket directory.",
    text: `\
Sockets stand below its directory *private*, and relative paths of files begin here.`,
  },
  data_directory: {
    kind: "path",
    initial: "/var/lib/postfix",
    lengthMin: 1,
    roles: BOTH,
    since: "2.5",
    help: "Directory of files that are written.",
    text: `\
The home of session caches and of the exchange file; it belongs to *mail_owner*. A cache or exchange file
below a directory that belongs to somebody else is written here instead, under its last name, with a
warning.`,
  },
  mail_owner: {
    kind: "str",
    initial: "postfix",
    lengthMin: 1,
    roles: BOTH,
    since: "2.0",
    help: "Unprivileged account, owner of data files.",
    text: `\
The account that the daemons run as when root starts them, unless *[service] user* says otherwise.`,
  },
  setgid_group: {
    kind: "str",
    initial: "postdrop",
    lengthMin: 1,
    noEffect: "Postfix's daemons check the group and do not use it; here it is not checked",
    roles: BOTH,
    since: "2.0",
    help: "Without an effect here: group of Postfix's submission programs.",
    text: `\
Every daemon of Postfix checks that this group exists. postern does not.`,
  },
  default_privs: {
    kind: "str",
    initial: "nobody",
    lengthMin: 1,
    noEffect: "Postfix's daemons check the account and do not use it; here it is not checked",
    roles: BOTH,
    since: "2.0",
    help: "Without an effect here: account of Postfix's delivery to programs.",
    text: `\
Every daemon of Postfix checks that this account exists. postern does not.`,
  },
  daemon_timeout: {
    kind: "time",
    initial: "18000s",
    min: 1,
    roles: TLSMGR,
    since: "2.0",
    help: "tlsmgr ends itself after this long without progress.",
    text: `\
A watchdog: a tlsmgr whose event loop has not turned for this long is ended.`,
  },
  tlsproxy_watchdog_timeout: {
    kind: "time",
    initial: "10s",
    min: 10,
    roles: TLSPROXY,
    since: "2.8",
    help: "tlsproxy ends itself after this long without progress.",
    text: `\
A watchdog: a tlsproxy whose event loop has not turned for this long is ended.`,
  },
  ipc_timeout: {
    kind: "time",
    initial: "3600s",
    min: 1,
    roles: BOTH,
    since: "2.0",
    help: "Limit of one read or write on an internal connection.",
    text: `\
How long tlsmgr waits for the rest of a request, and tlsproxy for tlsmgr. A number alone counts seconds.`,
  },
  ipc_idle: {
    kind: "time",
    initial: "5s",
    min: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.0",
    help: "An idle connection to tlsmgr is closed after this time.",
    text: `\
For tlsproxy as a client of tlsmgr.`,
  },
  ipc_ttl: {
    kind: "time",
    initial: "1000s",
    min: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.1",
    help: "A connection to tlsmgr is closed after this time, idle or not.",
    text: `\
For tlsproxy as a client of tlsmgr.`,
  },
  max_idle: {
    kind: "time",
    initial: "100s",
    min: 1,
    roles: TLSPROXY,
    since: "2.0",
    help: "With [service] recycle: tlsproxy ends after this long without work.",
    text: `\
postern keeps running by default. With *[service] recycle = true* it behaves as a daemon of Postfix's: an
idle tlsproxy ends after this time. tlsmgr never does.`,
  },
  max_use: {
    kind: "int",
    initial: "100",
    min: 1,
    roles: TLSPROXY,
    since: "2.0",
    help: "With [service] recycle: tlsproxy ends after this many sessions.",
    text: `\
postern keeps running by default. With *[service] recycle = true* tlsproxy ends, once it is idle, after
this many sessions; after *max_use* times *max_idle*, 18000 seconds at most, it takes no further ones.`,
  },
  tlsproxy_service_name: {
    kind: "str",
    initial: "tlsproxy",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.8",
    help: "Name of the tlsproxy socket below $queue_directory/private.",
    text: `\
Which tlsproxy the programs of Postfix ask. Here it is the default name of the socket, unless
*[service.tlsproxy] socket* gives a path.`,
  },
  syslog_facility: {
    kind: "enum",
    initial: "mail",
    lengthMin: 1,
    values: FACILITIES,
    roles: BOTH,
    since: "2.0",
    help: "Facility of log records.",
    text: `\
One of *auth*, *authpriv*, *cron*, *daemon*, *ftp*, *kern*, *lpr*, *mail*, *news*, *syslog*, *user*,
*uucp* and *local0* to *local7*, for the log destination *syslog*.`,
  },
  syslog_name: {
    kind: "str",
    initial: "${multi_instance_name?{$multi_instance_name}:{postfix}}",
    lengthMin: 1,
    roles: BOTH,
    since: "2.0",
    help: "First part of the tag of log records.",
    text: `\
The tag of a log record is this text, a slash, and the name of the role.`,
  },
  multi_instance_name: {
    kind: "str",
    initial: "",
    roles: BOTH,
    since: "2.6",
    help: "Name of this Postfix instance; default of syslog_name.",
    text: `\
Counts only through the default of *syslog_name*.`,
  },
  maillog_file: {
    kind: "path",
    initial: "",
    roles: BOTH,
    since: "3.4",
    help: "Log file; empty for the destination in [log].",
    text: `\
A file whose name begins with one of *maillog_file_prefixes*. Lines go through postlogd(8) where its socket
*postlog_service_name* is there, below *public* in *queue_directory*; otherwise postern writes the file
itself. A *[log] destination* other than *stderr* comes before it.`,
  },
  maillog_file_prefixes: {
    kind: "list",
    initial: "/var, /dev/stdout",
    lengthMin: 1,
    roles: BOTH,
    since: "3.4",
    help: "What the name of a log file may begin with.",
    text: `\
Prefixes that are allowed for *maillog_file*.`,
  },
  maillog_file_permissions: {
    kind: "str",
    initial: "0600",
    lengthMin: 1,
    roles: BOTH,
    since: "3.9",
    help: "Mode bits of a log file that is created.",
    text: `\
Octal digits, as a string: *"0600"*.`,
  },
  postlog_service_name: {
    kind: "str",
    initial: "postlog",
    lengthMin: 1,
    roles: BOTH,
    since: "3.4",
    help: "Socket of Postfix's log daemon.",
    text: `\
Below *public* in *queue_directory*; it counts where *maillog_file* is set. Under master(8) its environment
names the socket.`,
  },
  import_environment: {
    kind: "list",
    initial:
      "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME",
    noEffect: "the environment is not used, apart from what master(8) passes on",
    roles: BOTH,
    since: "2.0",
    help: "Without an effect here: environment that Postfix's daemons keep.",
    text: `\
postern passes its environment to nobody.`,
  },
  default_database_type: {
    kind: "str",
    initial: "hash",
    lengthMin: 1,
    roles: TLSMGR,
    since: "2.0",
    help: "Type of a cache database that is given without one.",
    text: `\
Any type that can be written to means postern's append file; see *smtpd_tls_session_cache_database*.`,
  },
  daemon_table_open_error_is_fatal: {
    kind: "bool",
    initial: "no",
    noEffect: "a cache or table that cannot be opened is an error at start in any case",
    roles: BOTH,
    since: "2.9",
    help: "Without an effect here: a table that cannot be opened is an error.",
    text: `\
In Postfix requests that need such a table fail one by one unless this is *yes*. postern does not start
without its files.`,
  },
  smtputf8_enable: {
    kind: "bool",
    initial: "${{$compatibility_level} <level {1} ? {no} : {yes}}",
    noEffect: "keys of tables are UTF-8 in any case",
    roles: BOTH,
    since: "3.0",
    help: "Without an effect here: keys of tables are UTF-8.",
    text: `\
postern reads the keys of tables as UTF-8.`,
  },
  stress: {
    kind: "str",
    initial: "",
    roles: BOTH,
    since: "2.5",
    help: "Always empty for these services; for conditions in defaults.",
    text: `\
master(8) sets it for public services under load, which these two are not. It stands in expressions such
as *\${stress?{10}:{300}}s*.`,
  },
  process_name: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "2.0",
    help: "Name of the role.",
    text: `\
Read only; for use in expressions.`,
  },
  service_name: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "3.3",
    help: "Name of the service.",
    text: `\
Read only; the name in master.cf, or that of the role.`,
  },
  process_id: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "2.0",
    help: "Number of the process.",
    text: `\
Read only; for use in expressions.`,
  },
} as const satisfies Record<string, Parameter>;
