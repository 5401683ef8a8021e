/**
 * What a manual says about the numbers that services show, made from their table.
 *
 * @module
 */
import { METRIC_NAMES, metricRow } from "../../daemon/numbers/metric_table.ts";
import { type Block, type Entry, literal, plain, type Span } from "./markup.ts";

/** Whose metrics. */
export type MetricGroup = "both" | "tlsmgr" | "tlsproxy";

/** The metrics that both roles have, or that one of them has alone, as entries. */
export function metricEntries(group: MetricGroup): Block {
  const names = METRIC_NAMES.filter((name) => {
    const { roles } = metricRow(name);
    return group === "both" ? roles.length > 1 : roles.length === 1 && roles[0] === group;
  });
  const items = names.map((name): Entry => {
    const { type, help, labels } = metricRow(name);
    const facts: [string, readonly Span[]][] = [["Type", [plain(type)]]];
    if (labels.length > 0) facts.push(["Labels", labels.flatMap(listed)]);
    return {
      term: [literal(name)],
      blocks: [
        { kind: "paragraph", spans: [plain(`${help}.`)] },
        { kind: "facts", rows: facts },
      ],
    };
  });
  return { kind: "entries", items };
}

function listed(label: string, index: number): Span[] {
  return [...(index === 0 ? [] : [plain(", ")]), literal(label)];
}
