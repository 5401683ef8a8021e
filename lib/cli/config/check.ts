/**
 * `postern config check`: everything that is wrong with a settings file, at once.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { formatFinding, type Severity } from "../../config/findings.ts";
import { defineCommand } from "../command.ts";
import { CONFIG, INSTANCE, OVERRIDES, ROLE } from "../options.ts";
import { print, printError } from "../output.ts";
import { chooseServices } from "../service_choice.ts";
import { findFaults, readSettingsText } from "../settings_file.ts";
import { findOpenSsl } from "../version.ts";

/** The worst first. */
const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

/** `postern config check`. */
export const CONFIG_CHECK = defineCommand({
  words: ["config", "check"],
  summary: "find faults in a settings file",
  about: `\
Reads FILE and says everything that is wrong with it at once, a line a finding:

    FILE:LINE:COLUMN: error: KEY: what is wrong (what to do about it)

A warning stands for a setting that does something else than it seems to, or is accepted and not
obeyed; a note, for one that has no effect here and need not have any.
Starts nothing, and looks at no file but FILE. The exit code is 0 if there is no error, else 78.
All services are checked, instances included; -o is taken for each of them, or for those of --role,
or for that of --instance.`,
  options: { config: CONFIG, role: ROLE, instance: INSTANCE, overrides: OVERRIDES },
  example: "postern config check --config postern.toml",
  async run({ role, instance, config, overrides }) {
    const source = readSettingsText(config);
    const openSsl = await findOpenSsl();
    const faults = findFaults(source, {
      overrides,
      services: chooseServices(source, { role, instance }),
      ...("number" in openSsl && { openSslVersionNumber: openSsl.number }),
    });
    printError(faults.map((fault) => `${formatFinding(fault)}\n`).join(""));
    const counts = SEVERITIES.map((severity) => ({
      severity,
      count: faults.filter((fault) => fault.severity === severity).length,
    })).filter(({ count }) => count > 0)
      .map(({ severity, count }) => `${count} ${severity}${count === 1 ? "" : "s"}`);
    if (faults.some(({ severity }) => severity === "error")) {
      throw new FatalError(`Cannot use the settings in ${source.name}: ${counts.join(", ")}`, {
        hint: "Correct the lines above; each begins with its place in the file",
      });
    }
    print(`${[`${source.name}: ok`, ...counts].join(", ")}\n`);
    return EXIT.ok;
  },
});
