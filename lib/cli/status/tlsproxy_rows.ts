/**
 * What there is to say about a tlsproxy: sessions, handshakes, resumption, bytes, tlsmgr, certificates.
 *
 * @module
 */
import { showTime } from "../cache/entry_text.ts";
import type { NumberView } from "./number_view.ts";
import { showBytes, showCount, showRate, showShare, showShortTime, showStretch } from "./units.ts";
import { listed, type Row, type Tone, withRate } from "./wording.ts";

const SESSIONS = "postern_tlsproxy_sessions_total";
const HANDSHAKES = "postern_tlsproxy_handshakes_total";
const DAY_S = 86_400;
/** A certificate that ends sooner wants attention. */
const SOON_S = 14 * DAY_S;
/** What a handshake is called that resumed nothing. */
const FULL = "full";

/** The rows. */
export function tlsproxyRows(view: NumberView, nowS: number): Row[] {
  const open = view.by("postern_tlsproxy_sessions", "state");
  const sum = view.total("postern_tlsproxy_sessions");
  return [
    { name: "sessions", text: `${showCount(sum)} open${listed(open)}` },
    {
      name: "",
      text: withRate(view, SESSIONS, {}, "ended") + listed(view.by(SESSIONS, "outcome")),
    },
    ...handshakeRows(view),
    bytesRow(view),
    tlsmgrRow(view),
    ...certificateRows(view, nowS),
  ];
}

function handshakeRows(view: NumberView): Row[] {
  const done = view.total(HANDSHAKES);
  const mean = view.mean("postern_tlsproxy_handshake_seconds");
  const failed = view.by(SESSIONS, "reason", { outcome: "failed" });
  const resumed = view.by(HANDSHAKES, "resumed").filter(([kind]) => kind !== FULL);
  const full = view.total(HANDSHAKES, { resumed: FULL });
  const refused = view.by("postern_tlsproxy_resumption_refusals_total", "reason");
  const took = mean === undefined ? "" : `, ${showShortTime(mean)} each`;
  const rows: Row[] = [{
    name: "handshakes",
    text: withRate(view, HANDSHAKES, {}, "done") + took + listed(view.by(HANDSHAKES, "protocol")),
  }];
  if (failed.length > 0) {
    const count = showCount(view.total(SESSIONS, { outcome: "failed" }));
    rows.push({ name: "", text: `${count} failed${listed(failed)}` });
  }
  rows.push({
    name: "resumption",
    text: `${showShare(done - full, done)} of all handshakes${listed(resumed)}`,
  });
  if (refused.length > 0) rows.push({ name: "", text: `offered in vain${listed(refused)}` });
  return rows;
}

function bytesRow(view: NumberView): Row {
  const name = "postern_tlsproxy_bytes_total";
  const way = (direction: string, word: string) => {
    const rate = view.rate(name, { direction });
    const now = rate === undefined ? "" : ` (${showBytes(rate)}/s)`;
    return `${showBytes(view.total(name, { direction }))} ${word}${now}`;
  };
  return {
    name: "payload",
    text: `${way("from_peer", "from peers")}, ${way("to_peer", "to peers")}`,
  };
}

function tlsmgrRow(view: NumberView): Row {
  const name = "postern_tlsproxy_tlsmgr_questions_total";
  const lost = view.total(name, { outcome: "no answer" });
  const rate = view.rate(name);
  const now = rate === undefined ? "" : ` (${showRate(rate)})`;
  const text = `${showCount(view.total(name))} questions${now}${listed(view.by(name, "type"))}`;
  return lost === 0
    ? { name: "tlsmgr", text }
    : { name: "tlsmgr", text: `${text}; ${showCount(lost)} had no answer`, tone: "bad" };
}

function certificateRows(view: NumberView, nowS: number): Row[] {
  return view.series("postern_tlsproxy_certificate_expiry_timestamp_seconds")
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))
    .map(({ labels, value: endsS = 0 }, index) => {
      const left = endsS - nowS;
      const when = left < 0 ? "has ended" : `${showStretch(left)} left`;
      const tone: Tone = left < SOON_S ? "bad" : "plain";
      const text = `${showTime(endsS)} (${when}): ${labels.subject}, ${labels.certificate}`;
      return { name: index === 0 ? "certificates" : "", text, tone };
    });
}
