/**
 * `postern config import`: main.cf, and master.cf if it is named, as TOML on standard output.
 *
 * Nothing is printed unless all of it is right.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { formatFinding } from "../../config/findings.ts";
import { type ImportFile, importSettings } from "../../config/import/import_settings.ts";
import type { ImportSummary } from "../../config/import/summary.ts";
import { defineCommand } from "../command.ts";
import { readInputFile, STANDARD_INPUT } from "../input_file.ts";
import { choiceOption, misuse, switchOption, textOption } from "../options.ts";
import { printError, writeTo } from "../output.ts";
import { findOpenSsl } from "../version.ts";
import { wrapWords } from "../wrap.ts";

/** Widest line of the summary. */
const WIDTH = 100;
/** Of names that concern nobody here, so many are shown. */
const SAMPLE = 8;

/** `postern config import`. */
export const CONFIG_IMPORT = defineCommand({
  words: ["config", "import"],
  summary: "translate Postfix's main.cf into a settings file",
  about: `\
Reads MAIN_CF, or what postconf, postconf -n or postconf -d printed, and writes the same settings as
TOML on standard output, with comments, in the same order. Values stay as they are, $name included.
What comes out is read back and compared before it is printed. With --master, the entries for tlsmgr
and tlsproxy in that file become tables: sockets, overrides (-o), verbosity.

What has no counterpart, and what \`postern config check\` is going to say about a value, is told on
standard error with its line, then what became of each parameter. A file that Postfix would refuse
is refused (exit code 78), and all of its faults are told.`,
  options: {
    master: textOption("--master", "MASTER_CF", "Postfix's master.cf"),
    style: choiceOption("--style", "STYLE", {
      words: ["strings", "native"],
      help: "strings (if not given), or native: lists as arrays, yes and no as booleans, numbers",
    }),
    oursOnly: switchOption(
      "--ours-only",
      "leave out parameters of other programs, unless a value needs them; a comment lists them",
    ),
  },
  operands: [{ name: "MAIN_CF", help: 'Postfix\'s main.cf, "-" for standard input' }],
  example: "postern config import --master /etc/postfix/master.cf /etc/postfix/main.cf " +
    "> postern.toml",
  async run({ master, style, oursOnly }, [path]) {
    if (master === STANDARD_INPUT && path === STANDARD_INPUT) {
      throw misuse("Standard input cannot be two files", "Name one of them by its path");
    }
    const main = readPostfixFile(path);
    const openSsl = await findOpenSsl();
    const imported = importSettings({
      main,
      ...(master !== undefined && { master: readPostfixFile(master) }),
      ...(path !== STANDARD_INPUT && { configDirectory: folderOf(main.name) }),
      style: style ?? "strings",
      oursOnly,
      ...("number" in openSsl && { openSslVersionNumber: openSsl.number }),
    });
    const { text, findings, differences, summary } = imported;
    printError(findings.map((finding) => `${formatFinding(finding)}\n`).join(""));
    if (differences.length > 0) {
      throw new FatalError(
        `Cannot convert ${main.name}: what came out reads differently, ${differences.join("; ")}`,
        { hint: "This is a fault of postern; please report it", exitCode: EXIT.software },
      );
    }
    if (text === undefined || summary === undefined) {
      throw new FatalError(`Cannot convert ${main.name}: there are errors`, {
        hint: "Correct the lines above; each begins with its place",
      });
    }
    if (!writeTo(Deno.stdout, text)) {
      throw new FatalError("Cannot print the converted text: standard output takes no more", {
        hint: "Is the disk full? What has been written is not whole",
        exitCode: EXIT.software,
      });
    }
    printError(summaryText(main.name, summary));
    return EXIT.ok;
  },
});

function readPostfixFile(path: string): ImportFile {
  return readInputFile(path, { what: "file", hint: "Check the path and the permissions" });
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/** One line of numbers, then the names by what becomes of them. */
function summaryText(file: string, summary: ImportSummary): string {
  const { obeyed, notObeyed, idle, foreign, unknown, leftOut } = summary;
  const converted = obeyed.length + notObeyed.length + idle.length + foreign.length +
    unknown.length;
  return [
    `postern: ${file}: ${converted} ${converted === 1 ? "parameter" : "parameters"} converted\n`,
    ...group("obeyed by postern", obeyed),
    ...group("accepted, but obeyed by no part of postern yet", notObeyed),
    ...group("without effect", idle),
    ...group("of other Postfix programs, kept for $name", foreign, SAMPLE),
    ...group("unknown to Postfix, kept for $name", unknown),
    ...group("of other programs, left out", leftOut, SAMPLE),
  ].join("");
}

function group(title: string, names: readonly string[], most = names.length): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, most).map((name) => JSON.stringify(name).slice(1, -1));
  if (names.length > shown.length) shown.push(`and ${names.length - shown.length} more`);
  const indent = "postern:     ";
  return [
    `postern:   ${title}: ${names.length}\n`,
    ...wrapWords(shown, WIDTH - indent.length).map((line) => `${indent}${line}\n`),
  ];
}
