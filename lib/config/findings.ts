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

/**
 * How bad it is. An error keeps the program from starting. A warning tells of a setting that does
 * something else than it seems to; a note, of one that does nothing and need not.
 */
export type Severity = "error" | "warning" | "note";

/** One fault of the settings. */
export interface Finding {
  readonly severity: Severity;
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

const QUOTED_LENGTH_MAX = 60;
const KEY_LENGTH_MAX = 200;
/** A message and a hint each; names of the file stand in them, and a name may be long. */
const WORDS_LENGTH_MAX = 600;
/** What steers a terminal, ends a line, or turns the direction of writing. */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- these are meant
  /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** A fault before anybody knows where it stands. */
export interface Problem {
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string;
}

/** One line: `postern.toml:12:5: error: ipc_timeout: Cannot read a time: "soon" (hint)`. */
export function formatFinding(finding: Finding): string {
  const place = [finding.file, finding.line, finding.column].filter((part) => part !== undefined);
  const key = finding.key === undefined ? "" : `${shortened(finding.key, KEY_LENGTH_MAX)}: `;
  const hint = finding.hint === undefined ? "" : ` (${finding.hint})`;
  const line = `${place.join(":")}: ${finding.severity}: ${key}${finding.message}${hint}`;
  return line.replace(UNSAFE, escaped);
}

/** A quoted excerpt of foreign text, safe for one line of a terminal or a log. */
export function quote(text: string): string {
  return JSON.stringify(shortened(text, QUOTED_LENGTH_MAX)).replace(UNSAFE, escaped);
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text;
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Findings of each severity that are kept; a file that is no settings file at all has many more. */
export const FINDINGS_MAX = 1000;

/** Gathers findings; the same fault seen twice, as both roles see a global one, counts once. */
export class FindingList {
  readonly #file: string;
  readonly #seen = new Set<string>();
  readonly #findings: Finding[] = [];
  readonly #count: Record<Severity, number> = { error: 0, warning: 0, note: 0 };

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds `problem`; without a `place` in the file, `file` may name another source. */
  add(problem: Problem, where: { place?: Place; key?: string; file?: string } = {}): void {
    const { severity } = problem;
    if (this.#count[severity] > FINDINGS_MAX) return;
    const finding: Finding = {
      severity,
      file: where.file ?? this.#file,
      ...(where.place && { line: where.place.line, column: where.place.column }),
      ...(where.key !== undefined && { key: where.key }),
      message: shortened(problem.message, WORDS_LENGTH_MAX),
      ...(problem.hint !== undefined && { hint: shortened(problem.hint, WORDS_LENGTH_MAX) }),
    };
    const line = formatFinding(finding);
    if (this.#seen.has(line)) return;
    this.#seen.add(line);
    if (++this.#count[severity] <= FINDINGS_MAX) this.#findings.push(finding);
  }

  hasErrors(): boolean {
    return this.#count.error > 0;
  }

  /** In the order of the file; those without a line come last. */
  inOrder(): readonly Finding[] {
    const lineOf = (finding: Finding) => finding.line ?? Number.MAX_SAFE_INTEGER;
    const sorted = this.#findings.toSorted((a, b) =>
      lineOf(a) - lineOf(b) || (a.column ?? 0) - (b.column ?? 0)
    );
    for (const severity of ["error", "warning", "note"] as const) {
      if (this.#count[severity] <= FINDINGS_MAX) continue;
      const message = `There are more than ${FINDINGS_MAX} ${severity}s; the rest is not told`;
      sorted.push({ severity, file: this.#file, message, hint: "is this the right file?" });
    }
    return sorted;
  }
}
