/**
 * Reads a service's numbers as Prometheus would: one GET of /metrics at a UNIX-domain socket.
 *
 * It reads the text format on its own and shares no code with `lib/`.
 *
 * @module
 */

import { inTime } from "./wait.ts";

/** One line of the text. */
export interface MetricSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What one GET has brought. */
export class Metrics {
  readonly text: string;
  readonly samples: readonly MetricSample[];

  constructor(text: string) {
    this.text = text;
    this.samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map(
      sampleOf,
    );
  }

  /** The sum of all series called `name` that have these labels; 0 without any. */
  sum(name: string, labels: Record<string, string> = {}): number {
    return this.#find(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** Values that are not 0, by the values of `by`, joined by a blank. */
  table(name: string, ...by: string[]): Record<string, number> {
    const table: Record<string, number> = {};
    for (const { labels, value } of this.#find(name, {})) {
      const key = by.map((label) => labels[label]).join(" ");
      if (value !== 0) table[key] = (table[key] ?? 0) + value;
    }
    return table;
  }

  #find(name: string, labels: Record<string, string>): MetricSample[] {
    return this.samples.filter((sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    );
  }
}

/** GETs /metrics at the socket `path`. */
export async function readMetrics(path: string): Promise<Metrics> {
  const reply = await inTime("the numbers", get(path));
  const [head, body] = [
    reply.slice(0, reply.indexOf("\r\n\r\n")),
    reply.slice(reply.indexOf("\r\n\r\n") + 4),
  ];
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`Cannot read the numbers: ${head}`);
  return new Metrics(body);
}

async function get(path: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  const request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(request));
  const decoder = new TextDecoder();
  let reply = "";
  const chunk = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(chunk);
    if (count === null) return reply;
    reply += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
}

function sampleOf(line: string): MetricSample {
  const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`Cannot read a line of numbers: ${line}`);
  const [, name, pairs = "", value] = match;
  const labels: Record<string, string> = {};
  for (const [, label, text] of pairs.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[label] = text.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char);
  }
  return { name, labels, value: value === "+Inf" ? Infinity : Number(value) };
}
