/**
 * The rows of `postern install` and `postern uninstall`.
 *
 * @module
 */
import { EXIT } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { choiceOption, misuse, switchOption, textOption } from "../options.ts";
import { ROLE_NAMES } from "../../config/parameters.ts";

const PREFIX = textOption(
  "--prefix",
  "FOLDER",
  "the folder to install below; /usr/local if not given",
);

/** Where Postfix keeps main.cf, unless its --postfix-folder says otherwise. */
const POSTFIX_FOLDER = "/etc/postfix";

/** `postern install`. */
export const INSTALL = defineCommand({
  words: ["install"],
  summary: "put this executable and what belongs to it in place",
  about: `\
Copies this executable to FOLDER/sbin, with units for systemd, a settings file, manual pages and
completions for shells, all of which it carries along. Prints each step, and needs no network. The
settings file is /etc/postern/postern.toml for the prefixes /usr and /usr/local, else
FOLDER/etc/postern/postern.toml; one that is there stays as it is. A second installation is an
upgrade: files that were changed by hand stay, and are named. Starts nothing: what is left to do is
printed at the end.

With --postfix the settings come from Postfix's main.cf and master.cf, and the entries of master.cf
that postern replaces are commented out; a copy stays beside it. \`postern uninstall\` undoes all of
it. An executable that is not whole is refused.`,
  options: {
    role: choiceOption("--role", "ROLE", {
      words: ROLE_NAMES,
      help: "tlsmgr or tlsproxy; units for both if not given",
    }),
    postfix: switchOption("--postfix", "take the settings of Postfix, and its services over"),
    postfixFolder: textOption(
      "--postfix-folder",
      "FOLDER",
      `where main.cf and master.cf are; ${POSTFIX_FOLDER} if not given`,
    ),
    prefix: PREFIX,
    sums: textOption("--sums", "FILE", "refuse an executable whose sha256 is not the one in FILE"),
    dryRun: switchOption("--dry-run", "print the steps, and change nothing"),
  },
  example: "postern install --postfix --dry-run",
  async run({ role, postfix, postfixFolder, prefix, sums, dryRun }) {
    if (postfixFolder !== undefined && !postfix) {
      throw misuse("--postfix-folder goes with --postfix only", "Write --postfix too");
    }
    // Not imported above: completions are made from the table that this row is in.
    const { install } = await import("./install.ts");
    await install({
      source: Deno.execPath(),
      role,
      prefix: absolute(prefix),
      postfixFolder: postfix ? absolute(postfixFolder ?? POSTFIX_FOLDER) : undefined,
      sums,
      dryRun,
    });
    return EXIT.ok;
  },
});

/** `postern uninstall`. */
export const UNINSTALL = defineCommand({
  words: ["uninstall"],
  summary: "take an installation back",
  about: `\
Removes what \`postern install\` has put below FOLDER, by the manifest that it has left there, and
comments the entries of master.cf in again. Files that were changed since are kept and named, and
so are folders with other files in them. Stop the services before.`,
  options: {
    prefix: PREFIX,
    dryRun: switchOption("--dry-run", "print the steps, and change nothing"),
  },
  example: "postern uninstall --dry-run",
  async run({ prefix, dryRun }) {
    const { uninstall } = await import("./uninstall.ts");
    await uninstall({ prefix: absolute(prefix), dryRun });
    return EXIT.ok;
  },
});

/** `path` from the root, without slashes at its end; the prefix if there is none. */
function absolute(path = "/usr/local"): string {
  const whole = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return whole.replace(/\/+$/, "");
}
