/**
 * What became of log lines.
 *
 * @module
 */
import type { LogWitness, Severity } from "../../log/log.ts";
import type { Counter, Numbers } from "./numbers.ts";

const SEVERITIES: readonly Severity[] = ["debug", "info", "warning", "error", "fatal"];

/** A witness that counts lines by severity, and those that were lost or folded. */
export function countLog(numbers: Numbers): LogWitness {
  const lost = numbers.counter("postern_log_lines_lost_total");
  const folded = numbers.counter("postern_log_lines_folded_total");
  const written = new Map<Severity, Counter>(
    SEVERITIES.map((severity) => [
      severity,
      numbers.counter("postern_log_lines_total", { severity }),
    ]),
  );
  return {
    written: (severity) => written.get(severity)?.add(),
    lost: () => lost.add(),
    folded: (count) => folded.add(count),
  };
}
