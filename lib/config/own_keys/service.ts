/**
 * Keys of `[service]`, its tables for the roles, and `[[listener]]`.
 *
 * @module
 */

import type { OwnKey } from "./row.ts";

/** `[service]` */
export const SERVICE_KEYS = {
  mode: {
    kind: "enum",
    initial: "detect",
    values: ["detect", "standalone", "systemd", "master"],
    help: "Who opens the sockets.",
    text: `\
How the process gets its sockets. *detect* looks which of the others it is.

- *standalone*: it opens them itself.
- *systemd*: it takes those of a socket unit.
- *master*: it takes those of Postfix's master(8), and reports to it.`,
  },
  strict: {
    kind: "bool",
    initial: false,
    help: "Unknown names are errors.",
    text: `\
A parameter that nobody knows is a warning, for it may be one of your own that no value uses any more. With
*true* the service does not start with one.`,
  },
  reload: {
    kind: "enum",
    initial: "signal",
    values: ["signal", "watch", "off"],
    help: "When settings and certificates are read again: on SIGHUP, on any change, or never.",
    text: `\
*signal* reads the settings again on SIGHUP, *off* never. *watch* reads them also when one of the files
has changed that the service was made of, and then for a second none has: settings, keys, certificates,
authorities, DH parameters, SNI tables and their chains. They are looked at every two seconds, so that links,
renamed folders and files of a network count too. Settings with errors leave the old ones in force, until the
next change.

The account of the service must be able to read what is read again. Keys of root's alone are a warning at the
start with *watch*, and an error at a reload: give them to the group *postern*, or start the service as their
owner.`,
  },
  user: {
    kind: "text",
    initial: "",
    initialFrom: "mail_owner",
    help: "Account to run as when started as root; empty stays root.",
    text: `\
The account that the process runs as when root starts it; without this key that of *mail_owner*. An empty
value stays root. Where somebody else starts the process it has no effect.`,
  },
  group: {
    kind: "text",
    initial: "",
    help: "Group to run as when started as root; empty for the account's own.",
    text: `\
The group that the process runs as when root starts it; empty for the group of *user*.`,
  },
  chroot: {
    kind: "bool",
    initial: false,
    help: "Shut the process into queue_directory when started as root.",
    text: `\
Whether the process shuts itself into *queue_directory* when root starts it. Files that are opened later, as
those of a CA directory, must be below it then.`,
  },
  recycle: {
    kind: "bool",
    initial: false,
    help: "End by max_use and max_idle as Postfix's daemons do.",
    text: `\
A daemon of Postfix's ends after *max_use* sessions or when it was idle for *max_idle*, and is started again.
This one keeps running unless this is *true*.`,
  },
  drain_timeout: {
    kind: "seconds",
    initial: 300,
    min: 0,
    help: "How long old sessions may finish after a stop.",
    text: `\
How long sessions that are under way may finish after a stop or a reload: seconds, or a time such as *"5m"*.`,
  },
  settings_from_request: {
    kind: "enum",
    initial: "match",
    values: ["trust", "match", "ignore"],
    help: "What a request may decide about its own TLS settings.",
    text: `\
What a program that hands over a connection may decide about its TLS settings.

- *match*: the settings of its session count, and files that it names must be those of a loaded context.
- *trust*: everything counts, files included, as in Postfix from 3.12.
- *ignore*: nothing counts, as in Postfix up to 3.11.`,
  },
  require_tlsmgr: {
    kind: "bool",
    initial: true,
    help: "A TLS role stays off while tlsmgr cannot be reached.",
    text: `\
With *true* the TLS roles stay off while tlsmgr cannot be reached, as in Postfix. With *false* they work
without a session cache and without tickets.`,
  },
  core_dumps: {
    kind: "bool",
    initial: false,
    help: "Let the kernel write core files, which may hold keys, and let debuggers attach.",
    text: `\
Off, the kernel writes no core file of a process that holds keys, and no debugger of the same account may
look into it. Turn it on to find a fault of postern itself.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[service.tlsmgr]` and `[service.tlsproxy]` */
export const SERVICE_ROLE_KEYS = {
  socket: {
    kind: "text",
    initial: "",
    help: "Path of the listening socket; by default private/NAME below queue_directory.",
    text: `\
The path of the socket. Without one it is *private/NAME* below *queue_directory*, where NAME is
*tlsmgr_service_name* or *tlsproxy_service_name*, or the name of the instance. It has no effect where
somebody else opens the sockets.`,
  },
  socket_mode: {
    kind: "octal",
    initial: 0o660,
    help: "Mode bits of the socket.",
    text: `\
Octal digits in quotes. The socket in Postfix's private directory has *"0666"*, because the directory protects
it.`,
  },
  socket_group: {
    kind: "text",
    initial: "",
    help: "Group of the socket; empty leaves it alone.",
    text: `\
The group of the socket, by name; empty leaves the one of the process.`,
  },
  max_connections: {
    kind: "int",
    initial: 1000,
    min: 1,
    help: "Local connections beyond this number are refused.",
    text: `\
How many local programs may be connected at a time. Further ones are turned away at once.`,
  },
  metrics: {
    kind: "loopback",
    initial: "",
    help: "Where Prometheus finds the service's numbers: a socket, or a port of the loopback.",
    text: `\
Where the service shows its numbers by HTTP, at */metrics*, and whether it is well, at */healthz* and */readyz*:
the path of a socket, which lets in only root and the account of the service, or a port such as
*127.0.0.1:9464*, where everybody on this machine may read. Empty, it does not. Nothing can be changed there. A
service of systemd's needs a few lines of a drop-in for a port, which postern(8) shows.`,
  },
  control: {
    kind: "socket",
    initial: "",
    help: "Socket through which the service is looked into and reloaded; off for none.",
    text: `\
The path of a socket through which *postern status* looks into the service and *postern reload* has it read
its settings again. Only the account of the service and root may use it. Empty, it is beside the service's
own socket, with *.control* behind the name; where systemd has opened that one, it is in */run/postern*, if that
folder exists; under master(8) there is none then. *off* is no such socket.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[service.tlsproxy]` only */
export const SERVICE_TLSPROXY_KEYS = {
  workers: {
    kind: "int",
    initial: 0,
    min: 0,
    max: 1024,
    help: "Service threads; 0: one a core.",
    text: `\
How many threads serve sessions side by side; 0 starts one for each core.`,
  },
  max_sessions: {
    kind: "int",
    initial: 5000,
    min: 1,
    help: "Sessions beyond this are refused.",
    text: `\
How many sessions there may be at a time, all threads together. Further ones are refused.`,
  },
  max_contexts: {
    kind: "int",
    initial: 64,
    min: 1,
    help: "TLS contexts that are kept, the least recently used out first.",
    text: `\
How many TLS contexts, one for each set of certificates and options that requests ask for, are kept ready. The
least recently used one goes first. Postfix keeps all of them.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[[listener]]`: proxying without a program of Postfix's. */
export const LISTENER_KEYS = {
  name: {
    kind: "text",
    initial: "",
    help: "How the log calls it.",
    text: `\
What log lines call the listener.`,
  },
  role: {
    kind: "enum",
    initial: "server",
    values: ["server", "client"],
    help: "Whether TLS is what comes in or what goes out.",
    text: `\
*server*: TLS comes in and plain text goes out. *client*: the reverse.`,
  },
  accept: {
    kind: "text",
    initial: "",
    help: "Where connections come in: host:port, or a socket.",
    text: `\
A host and port, *[::]:465*, or the path of a socket.`,
  },
  connect: {
    kind: "text",
    initial: "",
    help: "Where they go to: host:port, or a socket.",
    text: `\
A host and port, *localhost:25*, or the path of a socket.`,
  },
  instance: {
    kind: "text",
    initial: "",
    help: "The instance whose parameters hold.",
    text: `\
The *[instance.NAME]* whose parameters hold; empty for those of tlsproxy.`,
  },
} as const satisfies Record<string, OwnKey>;
