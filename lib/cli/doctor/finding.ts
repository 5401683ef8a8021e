/**
 * What a check is, and what it finds.
 *
 * A check looks and changes nothing. It never throws because of what it finds; what throws is a fault
 * of postern's own.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import { formatFinding, type Severity } from "../../config/findings.ts";
import type { Finding as SettingsFinding } from "../../config/settings.ts";
import type { Ground } from "./ground.ts";

/** Something that an operator should know. */
export interface Finding {
  /** `error`: a service does not start, or serves nobody; `warning`: it soon will; `note`: neither. */
  readonly severity: Severity;
  /** What was found, with the file or parameter that it was found in; without a final period. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** One row of the table of checks. */
export interface Check {
  /** One word, for reports and for those who filter them. */
  readonly name: string;
  /** What is looked at; half a sentence. */
  readonly about: string;
  /** Whether it can be done: what it needs has been found. */
  applies(ground: Ground): boolean;
  find(ground: Ground): readonly Finding[] | Promise<readonly Finding[]>;
}

/** The severities, the worst first. */
export const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

/** A refusal that a service would end with. */
export function ofFatal(error: FatalError): Finding {
  return { severity: "error", message: error.message, remedy: error.hint ?? "See the manual" };
}

/** What loading says of a settings file; the hint becomes the remedy. */
export function ofSettings(finding: SettingsFinding): Finding {
  const { hint, ...said } = finding;
  // Place and key stand before the words, and the severity has a place of its own here.
  const message = formatFinding(said).replace(`: ${said.severity}: `, ": ");
  return {
    severity: finding.severity,
    message,
    remedy: hint ?? "Change or remove it; `postern help NAME` says what a setting means",
  };
}

/** What `attempt` is refused with; nothing when it is not. */
export function refusalOf(attempt: () => void): Finding | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof FatalError) return ofFatal(error);
    throw error;
  }
}
