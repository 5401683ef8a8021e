/**
 * The texts of `postern help`: what can be written, what the words in capitals mean, an example.
 *
 * @module
 */
import type { HelpTopic } from "./args.ts";

const OVERVIEW = `\
Usage:
    postern --role tlsmgr   [--config FILE] [-o NAME=VALUE]...   run the session cache service
    postern --role tlsproxy [--config FILE] [-o NAME=VALUE]...   run the TLS proxy
    postern config check    [--config FILE] [--role ROLE]        find faults in a settings file
    postern demo            [--stay]                             show both services at work
    postern help            [COMMAND]                            this text, or more about a command
    postern --version                                            versions of all parts

postern takes the place of Postfix's tlsmgr(8) and tlsproxy(8).

FILE holds settings in TOML, under Postfix's own parameter names; "-" is standard input, and
without --config it is /etc/postern/postern.toml. NAME=VALUE overrules one parameter of FILE.
ROLE is tlsmgr or tlsproxy, COMMAND is role, config or demo.

Exit codes: 0 done, 64 wrong command line, 66 settings file missing or unreadable,
70 internal fault, 78 bad settings, keys, certificates or libraries.

Example:
    $ postern config check --config postern.toml && postern --role tlsmgr --config postern.toml
`;

const TOPICS: Readonly<Record<HelpTopic, string>> = {
  role: `\
Usage:
    postern --role tlsmgr   [--config FILE] [-o NAME=VALUE]...
    postern --role tlsproxy [--config FILE] [-o NAME=VALUE]...

Runs a service in the foreground; started through a link that is called tlsmgr or tlsproxy,
postern needs no --role. Clients are served on the socket private/tlsmgr or private/tlsproxy
below queue_directory, unless [service.ROLE] socket says otherwise. Log lines go to standard
error, unless [log] destination says otherwise; one of them says "ready".

FILE holds the settings ("-": standard input; default: /etc/postern/postern.toml). NAME=VALUE
overrules one parameter, as -o does in master.cf, and may be repeated.

SIGTERM or SIGINT ends the service when its sessions have ended, a second one at once.

Example:
    $ postern --role tlsproxy --config postern.toml -o smtpd_tls_loglevel=1
`,
  config: `\
Usage:
    postern config check [--config FILE] [--role ROLE] [-o NAME=VALUE]...

Reads FILE ("-": standard input; default: /etc/postern/postern.toml) and says everything that is
wrong with it at once, a line a finding, with its place in the file. Starts nothing. The exit code
is 0 if a service would start with these settings, else 78. ROLE is tlsmgr or tlsproxy; without
--role both are checked. NAME=VALUE overrules one parameter of FILE.

Example:
    $ postern config check --config postern.toml
`,
  demo: `\
Usage:
    postern demo [--stay]

Starts both services in a temporary folder, with certificates made for the occasion, and does what
Postfix would do: asks tlsmgr, hands connections over to tlsproxy, makes a TLS session, and resumes
it, for each way in which a session can be resumed. Prints what happened, and removes the folder.

With --stay both services go on until Ctrl-C, and what is printed shows how to connect to them.

Example:
    $ postern demo
`,
};

/** The text about `topic`, or about everything. */
export function helpText(topic: HelpTopic | undefined): string {
  return topic === undefined ? OVERVIEW : TOPICS[topic];
}
