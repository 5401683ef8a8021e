/**
 * The state of a service as text for people: one row a matter, a name and what there is to say.
 *
 * Texts of the service, such as the subject of a certificate, come from files and from peers: what could
 * steer a terminal is taken out.
 *
 * @module
 */
import type { Status } from "../../daemon/desk/status.ts";
import { serviceTitle } from "../../config/services.ts";
import { showTime } from "../cache/entry_text.ts";
import { NumberView } from "./number_view.ts";
import { tlsmgrRows } from "./tlsmgr_rows.ts";
import { tlsproxyRows } from "./tlsproxy_rows.ts";
import type { Row, Tone } from "./wording.ts";
import { showBytes, showCount, showShare, showShortTime, showStretch } from "./units.ts";

/** What is shown. */
export interface Shown {
  readonly status: Status;
  readonly nowS: number;
  /** The look before this one, and how long ago it was. */
  readonly before?: { readonly status: Status; readonly elapsedS: number };
}

const NAME_WIDTH = 14;
const COLOURS: Readonly<Record<Tone, string>> = { good: "\x1b[32m", bad: "\x1b[31m", plain: "" };
const BOLD = "\x1b[1m";
const NORMAL = "\x1b[0m";
/** What steers a terminal, or turns the direction of writing. */
// deno-lint-ignore no-control-regex -- these are meant
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** All lines about one service; the first one says what it is and how it is. */
export function statusText(shown: Shown, { styled }: { readonly styled: boolean }): string {
  const { status } = shown;
  const rows = [...processRows(shown), ...roleRows(shown)];
  const paint = (style: string, text: string) =>
    styled && style !== "" ? `${style}${text}${NORMAL}` : text;
  const title = paint(BOLD, plain(titleOf(status)));
  const state = paint(COLOURS[toneOf(status)], plain(stateOf(shown)));
  const lines = rows.map(({ name, text, tone = "plain" }) =>
    `  ${plain(name).padEnd(NAME_WIDTH)}${paint(COLOURS[tone], plain(text))}`
  );
  return [`${title}: ${state}`, ...lines].map((line) => `${line}\n`).join("");
}

function titleOf({ role, instance }: Status): string {
  return serviceTitle({ role, ...(instance !== null && { instance }) });
}

function toneOf({ state, well }: Status): Tone {
  return state === "serving" && well ? "good" : "bad";
}

function stateOf({ status, nowS }: Shown): string {
  const { state, well, started, pid, version } = status;
  const since = `since ${showTime(started)} (${showStretch(nowS - started)})`;
  const stuck = well ? "" : ", a thread makes no progress";
  return `${state}${stuck}, ${since}, process ${pid}, postern ${version}`;
}

function processRows({ status, before }: Shown): Row[] {
  const { socket, settings, crews, reload } = status;
  const view = viewOf(status, before);
  const rows: Row[] = [{ name: "socket", text: socket }];
  const taken = view.total("postern_reload_last_success_timestamp_seconds");
  if (settings !== null) {
    const since = taken === 0 ? "" : `, in force since ${showTime(Math.floor(taken))}`;
    rows.push({ name: "settings", text: `${settings}${since}` });
  }
  if (reload !== null) {
    const { fault, ended } = reload;
    const text = fault === null ? "done" : `refused: ${fault}`;
    rows.push({
      name: "last reload",
      text: `${showTime(ended)}: ${text}`,
      tone: fault === null ? "plain" : "bad",
    });
  }
  const [current, ...leaving] = crews;
  const old = leaving.reduce((sum, { threads }) => sum + threads, 0);
  const finishing = old === 0 ? "" : `; ${old} more let sessions end from before a reload`;
  rows.push({ name: "threads", text: `${current?.threads ?? 0}${finishing}` });
  return [...rows, ...machineRows(view)];
}

function machineRows(view: NumberView): Row[] {
  const rows: Row[] = [];
  const limit = view.total("postern_watchdog_limit_seconds");
  if (limit > 0) {
    const margin = view.total("postern_watchdog_margin_seconds");
    const text = `${showStretch(margin)} left of ${showStretch(limit)}`;
    rows.push({ name: "watchdog", text, tone: margin < limit / 2 ? "bad" : "plain" });
  }
  const turn = view.mean("postern_event_loop_turn_seconds");
  if (turn !== undefined) {
    const bound = view.bound("postern_event_loop_turn_seconds", 0.99);
    const most = bound === undefined ? "" : `, 99 % up to ${showShortTime(bound)}`;
    rows.push({ name: "event loop", text: `a turn takes ${showShortTime(turn)}${most}` });
  }
  const memory = view.total("process_resident_memory_bytes");
  if (memory > 0) {
    const fds = showCount(view.total("process_open_fds"));
    const share = view.rate("process_cpu_seconds_total");
    const cpu = share === undefined
      ? `${showShortTime(view.total("process_cpu_seconds_total"))} of processor time`
      : `${showShare(share, 1)} of a processor`;
    rows.push({ name: "process", text: `${showBytes(memory)}, ${fds} descriptors, ${cpu}` });
  }
  return rows;
}

function roleRows(shown: Shown): Row[] {
  const view = viewOf(shown.status, shown.before);
  return shown.status.role === "tlsmgr" ? tlsmgrRows(view) : tlsproxyRows(view, shown.nowS);
}

/** Numbers of another process are none to compare with. */
function viewOf(status: Status, before: Shown["before"]): NumberView {
  const isSame = before !== undefined && before.status.pid === status.pid &&
    before.status.started === status.started;
  return new NumberView({
    numbers: status.numbers,
    ...(isSame && { before: before.status.numbers, elapsedS: before.elapsedS }),
  });
}

function plain(text: string): string {
  return text.replace(UNSAFE, "?");
}
