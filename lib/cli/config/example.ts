/**
 * `postern config example`: the settings file that ships as config/postern.toml, made from the tables.
 *
 * A few lines are live and make a sensible start; all other settings stand there with their defaults,
 * behind a `#` without a blank, so that they can be told from remarks.
 *
 * @module
 */
import { EXIT } from "../../base/errors.ts";
import { ownText } from "../../config/describe.ts";
import { tomlNative, tomlString } from "../../config/import/toml_text.ts";
import { CACHE_NAMES, OWN_TABLES, type OwnKey } from "../../config/own_keys.ts";
import { type Obeyed, type Parameter, parameterRow, SECTIONS } from "../../config/parameters.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { wrapWords } from "../wrap.ts";

/** `postern config example`. */
export const CONFIG_EXAMPLE = defineCommand({
  words: ["config", "example"],
  summary: "print a commented settings file",
  about: `\
Prints a settings file to begin with: a few settings that make a sensible start, and all others with
their defaults, commented out. Paths of certificates are to be edited.`,
  options: {},
  example: "postern config example > postern.toml",
  run() {
    print(exampleText());
    return EXIT.ok;
  },
});

const WIDTH = 100;

const HEAD = `\
postern.toml: one file for both roles, tlsmgr and tlsproxy; made by \`postern config example\`.

Parameters have Postfix's own names and defaults, so what is said about them in postconf(5) holds here
too. Every value may be a string, exactly as in main.cf; true, 42 and ["a", "b"] are accepted where
they fit. $name and \${name?{yes}:{no}} work as in main.cf.

Lines that begin with "#" and no blank are settings with their defaults: remove the "#" to change one.
All parameters stand before the first [table]. \`postern config check\` finds mistakes.`;

/** The settings to begin with, some with a remark before them. */
const START: readonly (readonly [name: string, value: string, remark?: string])[] = [
  ["compatibility_level", "3.11", "Which defaults to use where Postfix changed them."],
  [
    "queue_directory",
    "/var/spool/postfix",
    "The same directories as Postfix. smtpd(8), smtp(8) and postscreen(8) expect the sockets below " +
    "queue_directory/private.",
  ],
  ["data_directory", "/var/lib/postfix"],
  [
    "smtpd_tls_security_level",
    "may",
    "Server certificates, for tlsproxy. RSA and ECDSA may be given together; smtpd_tls_chain_files " +
    "takes keys and certificates in one file.",
  ],
  ["smtpd_tls_cert_file", "/etc/postfix/rsa-cert.pem"],
  ["smtpd_tls_key_file", "/etc/postfix/rsa-key.pem"],
  ["smtpd_tls_eccert_file", "/etc/postfix/ec-cert.pem"],
  ["smtpd_tls_eckey_file", "/etc/postfix/ec-key.pem"],
  [
    "smtpd_tls_session_cache_database",
    "btree:${data_directory}/smtpd_scache",
    "Session caches, for tlsmgr. The type in front of the colon is accepted and makes no difference: " +
    "sessions are kept in an append file, and survive a restart.",
  ],
  ["smtp_tls_session_cache_database", "btree:${data_directory}/smtp_scache"],
];

/** Tables of the roles, with what one would set there. */
const ROLES = `\
# Values for one role only; what -o does in master.cf.
[tlsmgr]
#smtpd_tls_loglevel = "cache"

[tlsproxy]
smtpd_tls_loglevel = 1`;

/** Our own keys that are live, as TOML. */
const LIVE_KEYS: Readonly<Record<string, string>> = {
  "service.tlsmgr.socket_mode": '"0666"',
  "service.tlsproxy.socket_mode": '"0666"',
};

/** What there is to say about a table. */
const TABLE_REMARKS: Readonly<Record<string, string>> = {
  service: "From here on: settings that Postfix does not have. No $name here.",
  "service.tlsmgr":
    'socket_mode "0666" is what master(8) gives its sockets: the folder "private" keeps out whoever ' +
    "is not Postfix. With the default, socket_group must be a group of mail_owner.",
  "cache.smtpd": "Over [cache], for one of the three caches.",
};

/** The text of config/postern.toml. */
export function exampleText(): string {
  const blocks = [remark(HEAD), START.map(startLines).join("\n").trimStart()];
  const started = new Set(START.map(([name]) => name));
  for (const { title, rows } of SECTIONS) {
    const others = Object.entries(rows).filter(([name, { readOnly }]) =>
      readOnly !== true && !started.has(name)
    );
    blocks.push(`## ${title}`, ...others.map(([name, row]) => parameterBlock(name, row)));
  }
  blocks.push(ROLES);
  for (const [table, rows] of OWN_TABLES) blocks.push(...tableBlocks(table, rows));
  return `${blocks.join("\n\n")}\n`;
}

function startLines([name, value, text]: (typeof START)[number]): string {
  const line = `${name} = ${tomlString(value)}`;
  return text === undefined ? line : `\n${remark(text)}\n${line}`;
}

function parameterBlock(name: string, row: Parameter): string {
  const { help, initial, initialFromOpenSsl35: later } = row;
  const sentences = [help];
  if (later !== undefined) sentences.push(`With OpenSSL 3.5 and later: ${tomlString(later)}.`);
  if (row.noEffect !== undefined) sentences.push(`No effect: ${row.noEffect}.`);
  if (row.ignoredSince !== undefined) {
    const instead = row.instead === undefined ? "" : `; ${row.instead}`;
    sentences.push(`Ignored, as by Postfix since ${row.ignoredSince}${instead}.`);
  } else {
    if (row.deprecated !== undefined) sentences.push(`Deprecated: ${row.deprecated}.`);
    sentences.push(...notObeyed(row.obeyed));
  }
  return `${remark(sentences.join(" "))}\n#${name} = ${onOneLine(initial, row)}`;
}

function onOneLine(text: string, row: Parameter): string {
  const native = tomlNative(text, row);
  return native.includes("\n") ? tomlString(text) : native;
}

function notObeyed(obeyed: Obeyed | undefined): string[] {
  if (obeyed === undefined || obeyed === true) return [];
  if (obeyed === false) return ["Accepted, but nothing obeys it yet."];
  const words = ("only" in obeyed ? obeyed.only : obeyed.except).map((word) => tomlString(word));
  return "only" in obeyed
    ? [`Nothing but ${words.join(", ")} is obeyed yet.`]
    : [`Accepted, but not obeyed yet: ${words.join(", ")}.`];
}

function tableBlocks(table: string, rows: Readonly<Record<string, OwnKey>>): string[] {
  const text = TABLE_REMARKS[table];
  const header = `${text === undefined ? "" : `${remark(text)}\n`}[${table}]`;
  const line = (key: string, row: OwnKey) => {
    const live = LIVE_KEYS[`${table}.${key}`];
    return live === undefined ? `#${key} = ${initialText(row)}` : `${key} = ${live}`;
  };
  const keys = Object.entries(rows);
  if (CACHE_NAMES.some((name) => table === `cache.${name}`)) {
    return [[header, ...keys.map(([key, row]) => line(key, row))].join("\n")];
  }
  const [first, ...others] = keys.map(([key, row]) =>
    `${remark(keySentences(row).join(" "))}\n${line(key, row)}`
  );
  return [`${header}\n${first}`, ...others];
}

function keySentences({ help, initialFrom, obeyed }: OwnKey): string[] {
  const initial = initialFrom === undefined ? [] : [`By default as ${initialFrom}.`];
  return [help, ...initial, ...notObeyed(obeyed)];
}

/** The default; where it is a parameter's value, that parameter's default. */
function initialText(row: OwnKey): string {
  const parameter = row.initialFrom === undefined ? undefined : parameterRow(row.initialFrom);
  return parameter === undefined ? ownText(row) : tomlString(parameter.initial);
}

/** Comment lines; an empty line of `text` stays one. */
function remark(text: string): string {
  return text.split("\n\n")
    .map((part) => wrapWords(part.split(/\s+/), WIDTH - 2).map((line) => `# ${line}`).join("\n"))
    .join("\n#\n");
}
