/**
 * What there is to say about a tlsmgr: clients, requests, caches, keys, entropy.
 *
 * @module
 */
import type { NumberView } from "./number_view.ts";
import { showBytes, showCount, showShare } from "./units.ts";
import { listed, type Row, withRate } from "./wording.ts";

/** The rows. */
export function tlsmgrRows(view: NumberView): Row[] {
  const connections = "postern_tlsmgr_connections_total";
  const clients = [
    `${showCount(view.total("postern_tlsmgr_clients"))} connected`,
    withRate(view, connections, { outcome: "accepted" }, "accepted"),
    `${showCount(view.total(connections, { outcome: "refused" }))} refused`,
  ];
  const rows: Row[] = [{ name: "clients", text: clients.join(", ") }, requestRow(view)];
  for (const { labels, value = 0 } of view.series("postern_tlsmgr_cache_entries")) {
    const { cache = "" } = labels;
    const isUsed = value > 0 || view.total("postern_tlsmgr_cache_lookups_total", { cache }) > 0 ||
      view.total("postern_tlsmgr_cache_bytes", { cache }) > 0;
    if (isUsed) rows.push(...cacheRows(view, cache));
  }
  const made = view.total("postern_tlsmgr_ticket_keys_made_total");
  rows.push({ name: "ticket keys", text: `${showCount(made)} made` });
  for (const { labels, value } of view.series("postern_tlsmgr_entropy_source_up")) {
    const reseeds = "postern_tlsmgr_entropy_reseeds_total";
    const asked = listed(view.by(reseeds, "outcome"));
    const text = `${labels.source}: ${value === 1 ? "answers" : "fails"}${asked}`;
    rows.push({ name: "entropy", text, tone: value === 1 ? "plain" : "bad" });
  }
  return rows;
}

function requestRow(view: NumberView): Row {
  const name = "postern_tlsmgr_requests_total";
  const failed = view.total(name, { status: "fail" }) + view.total(name, { status: "ignored" });
  const bad = failed === 0 ? "" : `; ${showCount(failed)} were bad or impossible`;
  const text = withRate(view, name, {}, "") + listed(view.by(name, "type")) + bad;
  return { name: "requests", text };
}

function cacheRows(view: NumberView, cache: string): Row[] {
  const bytes = (kind: string) =>
    showBytes(view.total("postern_tlsmgr_cache_bytes", { cache, kind }));
  const entries = showCount(view.total("postern_tlsmgr_cache_entries", { cache }));
  const lookups = "postern_tlsmgr_cache_lookups_total";
  const asked = view.total(lookups, { cache });
  const hits = showShare(view.total(lookups, { cache, result: "hit" }), asked);
  const count = (text: string, sum: number) => sum === 0 ? [] : [`${showCount(sum)} ${text}`];
  const more = [
    ...count("evicted", view.total("postern_tlsmgr_cache_evicted_entries_total", { cache })),
    ...count("expired", view.total("postern_tlsmgr_cache_expired_entries_total", { cache })),
    ...count("lost", view.total("postern_tlsmgr_cache_lost_entries_total", { cache })),
    ...count("compactions", view.total("postern_tlsmgr_cache_compactions_total", { cache })),
  ];
  const unsaved = view.total("postern_tlsmgr_cache_flushes_total", { cache, result: "failed" });
  return [
    {
      name: `cache ${cache}`,
      text: `${entries} entries, ${bytes("live")}, ${bytes("file")} on disk`,
    },
    {
      name: "",
      text: [`${hits} of ${showCount(asked)} lookups found one`, ...more].join(", "),
    },
    ...(unsaved === 0 ? [] : [
      {
        name: "",
        text: `${showCount(unsaved)} times the disk did not take what was to be written`,
        tone: "bad",
      } as const,
    ]),
  ];
}
