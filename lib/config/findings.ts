/**
 * What is wrong, or worth knowing, about a settings file: one record a fault, with its place.
 *
 * A bad file is never thrown: every fault becomes a {@linkcode Finding}, and all of them are handed
 * over at once.
 *
 * @module
 */

/** A place in a text; both count from 1, columns in UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One fault of the settings. An error keeps the program from starting; a warning does not. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** The file as the caller called it, or {@linkcode COMMAND_LINE}. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The key as a dotted path in the file: `tlsproxy.syslog_name`. */
  readonly key?: string;
  /** What was attempted, a colon, what was found. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** {@linkcode Finding.file} of what came from `-o name=value`. */
export const COMMAND_LINE = "command line";

/** A fault before anybody knows where it stands. */
export interface Problem {
  readonly severity: Finding["severity"];
  readonly message: string;
  readonly hint?: string;
}

/** One line: `postern.toml:12:5: error: ipc_timeout: Cannot read a time: "soon" (hint)`. */
export function formatFinding(finding: Finding): string {
  const place = [finding.file, finding.line, finding.column].filter((part) => part !== undefined);
  const key = finding.key === undefined ? "" : `${finding.key}: `;
  const hint = finding.hint === undefined ? "" : ` (${finding.hint})`;
  return `${place.join(":")}: ${finding.severity}: ${key}${finding.message}${hint}`;
}

/** A quoted excerpt of foreign text, safe for one line of a terminal or a log. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** Gathers findings; the same fault seen twice, as both roles see a global one, counts once. */
export class FindingList {
  readonly #file: string;
  readonly #seen = new Set<string>();
  readonly #findings: Finding[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds `problem`; without a `place` in the file, `file` may name another source. */
  add(problem: Problem, where: { place?: Place; key?: string; file?: string } = {}): void {
    const finding: Finding = {
      severity: problem.severity,
      file: where.file ?? this.#file,
      ...(where.place && { line: where.place.line, column: where.place.column }),
      ...(where.key !== undefined && { key: where.key }),
      message: problem.message,
      ...(problem.hint !== undefined && { hint: problem.hint }),
    };
    const line = formatFinding(finding);
    if (this.#seen.has(line)) return;
    this.#seen.add(line);
    this.#findings.push(finding);
  }

  hasErrors(): boolean {
    return this.#findings.some((finding) => finding.severity === "error");
  }

  /** In the order of the file; those without a line come last. */
  inOrder(): readonly Finding[] {
    const lineOf = (finding: Finding) => finding.line ?? Number.MAX_SAFE_INTEGER;
    return this.#findings.toSorted((a, b) =>
      lineOf(a) - lineOf(b) || (a.column ?? 0) - (b.column ?? 0)
    );
  }
}
