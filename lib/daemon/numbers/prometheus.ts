/**
 * Numbers as Prometheus reads them: its text format, version 0.0.4.
 *
 * @module
 */
import type { Family, HistogramSample } from "./number_board.ts";

/** The media type of the text. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The text of all families, a line each value; ends with an end of line unless it is empty. */
export function renderPrometheus(families: readonly Family[]): string {
  let text = "";
  for (const family of families) {
    const { name, type, help } = family;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    if (family.type === "histogram") {
      for (const sample of family.samples) text += renderHistogram(name, sample);
    } else {
      for (const { labels, value } of family.samples) text += renderLine(name, labels, value);
    }
  }
  return text;
}

function renderHistogram(name: string, { labels, buckets, sum }: HistogramSample): string {
  let text = "";
  let count = 0;
  for (const bucket of buckets) {
    text += renderLine(`${name}_bucket`, { ...labels, le: renderNumber(bucket.le) }, bucket.count);
    count = bucket.count;
  }
  return text + renderLine(`${name}_sum`, labels, sum) + renderLine(`${name}_count`, labels, count);
}

function renderLine(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  const shown = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${shown} ${renderNumber(value)}\n`;
}

function renderNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
