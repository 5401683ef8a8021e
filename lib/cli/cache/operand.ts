/**
 * What the commands of `postern cache` have in common on the command line.
 *
 * @module
 */
import type { Operand } from "../command.ts";
import { switchOption } from "../options.ts";

/** `FILE`. */
export const CACHE_FILE: Operand = {
  name: "FILE",
  help:
    "a cache file, or the value of a cache parameter, such as btree:/var/lib/postfix/smtpd_scache",
};

/** `--json`. */
export const JSON_OUTPUT = switchOption("--json", "JSON instead of text");

/** A paragraph about names. */
export const ABOUT_FILE = `\
The file's own name ends in .postern, which may be left out: the cache of the parameter value
btree:/var/lib/postfix/smtpd_scache is in /var/lib/postfix/smtpd_scache.postern.`;

/** A paragraph for commands that read without the lock. */
export const ABOUT_READING = `\
Needs no lock and changes nothing: a service that uses the file goes on meanwhile, and what is shown
is the state in which the file was when it was opened.`;

/** A paragraph for commands that need the lock. */
export const ABOUT_OWNING = `\
Needs the file for itself, as the user to whom it belongs: while a service uses it, the command is
refused with the service's process id, and exit code 69.`;
