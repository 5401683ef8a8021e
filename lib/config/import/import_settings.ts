/**
 * main.cf and master.cf into TOML: the same settings, comment for comment, in the same order.
 *
 * The text that comes out is loaded again and compared value by value before anybody gets it. Values
 * are converted as they are, also those that the loader is going to refuse; what it will say about
 * them is a warning with its place in the file that was converted. Never throws because of what a
 * file says.
 *
 * @module
 */

import { type Finding, FindingList } from "../findings.ts";
import { KEYS_MAX } from "../toml_scan.ts";
import { TEXT_LENGTH_MAX } from "../toml_source.ts";
import { foreseeFindings } from "./foresight.ts";
import { GlobalParameters } from "./global_parameters.ts";
import { readMainCf } from "./main_cf.ts";
import { readMasterCf } from "./master_cf.ts";
import { makePlan, readMainFacts } from "./plan.ts";
import { findDifferences } from "./read_back.ts";
import { writeServices } from "./service_tables.ts";
import { type ImportSummary, summarize } from "./summary.ts";
import { type ImportStyle, TomlWriter } from "./toml_writer.ts";

/** A file that is converted. */
export interface ImportFile {
  /** What it is called in comments and findings. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What to convert, and how. */
export interface ImportRequest {
  /** main.cf, or what postconf(1) printed. */
  readonly main: ImportFile;
  readonly master?: ImportFile;
  /** Folder of main.cf, which is Postfix's config_directory; unknown for standard input. */
  readonly configDirectory?: string;
  readonly style: ImportStyle;
  /** Whether parameters of other programs are left out. */
  readonly oursOnly: boolean;
  /** As OpenSSL_version_num(), where it is known. */
  readonly openSslVersionNumber?: number;
}

/** What came out. */
export interface Imported {
  /** TOML; absent when a finding is an error, or when something read back differently. */
  readonly text?: string;
  /** Errors and warnings, in the order of the files. */
  readonly findings: readonly Finding[];
  /** Names that read back differently: a fault of the conversion. */
  readonly differences: readonly string[];
  readonly summary?: ImportSummary;
}

/** Where Postfix looks for main.cf unless told otherwise. */
const DEFAULT_CONFIG_DIRECTORY = "/etc/postfix";

/** Converts. */
export function importSettings(request: ImportRequest): Imported {
  const { main, master, style, configDirectory } = request;
  const findings = new FindingList(main.name);
  const masterFindings = new FindingList(master?.name ?? "");
  const told = () => [...findings.inOrder(), ...masterFindings.inOrder()];
  const items = readMainCf(main.bytes, findings);
  const entries = master === undefined ? [] : readMasterCf(master.bytes, masterFindings);
  if (findings.hasErrors() || masterFindings.hasErrors()) {
    return { findings: told(), differences: [] };
  }

  const plan = makePlan(items, entries, {
    oursOnly: request.oursOnly,
    configDirectory: configDirectory ?? DEFAULT_CONFIG_DIRECTORY,
  });
  const writer = new TomlWriter(style);
  const files = [main, ...(master === undefined ? [] : [master])].map(({ name }) => name);
  writer.comment(`Converted by \`postern config import\` from ${files.join(" and ")}.`);
  writer.blank();
  const global = new GlobalParameters(plan, { file: main.name, writer, findings });
  global.writeAbsent({ configDirectoryKnown: configDirectory !== undefined });
  global.noteLacking();
  global.write(items, { squeeze: request.oursOnly });
  if (master !== undefined) {
    const ground = { ...plan, ...readMainFacts(plan), file: master.name };
    writeServices(entries, ground, { writer, findings: masterFindings });
  }

  checkSize(writer, findings);
  if (findings.hasErrors()) return { findings: told(), differences: [] };
  const differences = findDifferences(writer);
  if (differences.length > 0) return { findings: told(), differences };
  const foreseen = foreseeFindings(writer, request);
  return {
    text: writer.text,
    findings: [...told(), ...foreseen],
    differences,
    summary: summarize(writer, { leftOut: plan.leftOut, foreseen }),
  };
}

/** What our own loader would not read has to be refused here. */
function checkSize({ keys, text }: TomlWriter, findings: FindingList): void {
  if (keys.length <= KEYS_MAX && text.length <= TEXT_LENGTH_MAX) return;
  findings.add({
    severity: "error",
    message: `Cannot convert the file: the result has ${keys.length} keys and ${text.length} ` +
      `characters, and a settings file may have ${KEYS_MAX} and ${TEXT_LENGTH_MAX}`,
    hint: "is this main.cf? --ours-only leaves out what other programs read",
  });
}
