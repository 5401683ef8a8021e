/**
 * What the checks found, for people and for programs, and the exit code that says the worst of it.
 *
 * @module
 */
import { EXIT, type ExitCode } from "../../base/errors.ts";
import { CHECKS } from "./check_table.ts";
import { type Check, type Finding, SEVERITIES } from "./finding.ts";
import type { Ground } from "./ground.ts";

/** One check and what it found; nothing when it could not be done. */
export interface Result {
  readonly check: Check;
  readonly findings: readonly Finding[] | undefined;
}

/** Makes all checks. */
export async function examine(ground: Ground): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of CHECKS) {
    const findings = check.applies(ground) ? unique(await check.find(ground)) : undefined;
    results.push({ check, findings });
  }
  return results;
}

/** Each once: services may have the same files. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/** A paragraph a finding, a line for what is well, a line of numbers at the end. */
export function reportText(results: readonly Result[]): string {
  const lines = results.flatMap(({ check: { name }, findings }) => {
    if (findings === undefined) return [`${name}: not looked at`];
    if (findings.length === 0) return [`${name}: ok`];
    return findings.map(({ severity, message, remedy }) =>
      `${name}: ${severity}: ${message}\n    remedy: ${remedy}`
    );
  });
  return `${lines.join("\n")}\n${summary(results)}\n`;
}

/** One object: `worst`, `counts`, and `checks` in the order of the text. */
export function reportJson(results: readonly Result[]): string {
  const checks = results.map(({ check: { name, about }, findings }) => ({
    name,
    about,
    done: findings !== undefined,
    findings: findings ?? [],
  }));
  const counts = Object.fromEntries(SEVERITIES.map((one) => [one, countOf(results, one)]));
  return `${JSON.stringify({ worst: worstOf(results) ?? "ok", counts, checks }, undefined, 2)}\n`;
}

/** 78 for an error, 1 for a warning, 0 for notes and for nothing. */
export function exitCodeOf(results: readonly Result[]): ExitCode {
  const worst = worstOf(results);
  return worst === "error" ? EXIT.config : worst === "warning" ? EXIT.warned : EXIT.ok;
}

function worstOf(results: readonly Result[]): Finding["severity"] | undefined {
  return SEVERITIES.find((severity) => countOf(results, severity) > 0);
}

function countOf(results: readonly Result[], severity: Finding["severity"]): number {
  return results.flatMap(({ findings }) => findings ?? [])
    .filter((finding) => finding.severity === severity).length;
}

function summary(results: readonly Result[]): string {
  const counts = SEVERITIES.map((one) => [one, countOf(results, one)] as const)
    .filter(([, count]) => count > 0)
    .map(([one, count]) => `${count} ${one}${count === 1 ? "" : "s"}`);
  return counts.length === 0 ? "Nothing was found" : counts.join(", ");
}
