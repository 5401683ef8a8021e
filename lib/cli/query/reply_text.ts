/**
 * The reply of tlsmgr as text and as JSON.
 *
 * Names of JSON members are part of the interface to scripts: members may be added, none changes.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { decodeTicketKey } from "../../proto/ticket_key.ts";
import { TLSMGR_STATUS } from "../../proto/tlsmgr.ts";
import { showTime } from "../cache/entry_text.ts";
import type { Encoding } from "./encoding.ts";
import type { Request } from "./request.ts";

/** A reply; what the request has no use for is empty. */
export interface Reply {
  readonly status: number;
  readonly cachable: number;
  /** Seconds. */
  readonly timeout: number;
  readonly seed: Bytes;
  readonly session: Bytes;
  /** The structure that holds a ticket key. */
  readonly key: Bytes;
}

/** What to print, and how. */
export interface ShownReply {
  readonly request: Request;
  readonly reply: Reply;
  readonly encoding: Encoding;
  /** Whether sessions and keys are printed. */
  readonly showSecrets: boolean;
}

type Member = readonly [name: string, value: string | number | boolean];

const RESULTS: ReadonlyMap<number, string> = new Map([
  [TLSMGR_STATUS.ok, "ok"],
  [TLSMGR_STATUS.err, "err"],
  [TLSMGR_STATUS.fail, "fail"],
]);

/** Width of the first column of the text. */
const NAME_WIDTH = 20;

/** One line. */
export function replyJson(shown: ShownReply): string {
  return `${JSON.stringify(Object.fromEntries(membersOf(shown)))}\n`;
}

/** A line for each member, and a few words behind the numbers. */
export function replyText(shown: ShownReply): string {
  const [, ...members] = membersOf(shown);
  return members.filter(([name]) => name !== "result")
    .map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${inWords(name, value)}\n`).join("");
}

function membersOf(shown: ShownReply): readonly Member[] {
  const { request, reply } = shown;
  const { status } = reply;
  const result = RESULTS.get(status) ?? "unknown";
  return [
    ["request", request.name],
    ["status", status],
    ["result", result],
    ...(status === TLSMGR_STATUS.ok ? contentsOf(shown) : []),
  ];
}

/** What a reply that is not a failure holds. */
function contentsOf({ request, reply, encoding, showSecrets }: ShownReply): readonly Member[] {
  const secret = (name: string, bytes: Bytes): Member[] =>
    showSecrets ? [[name, encoding.write(bytes)]] : [];
  switch (request.name) {
    case "seed":
      return [["seed", encoding.write(reply.seed)]];
    case "policy":
      return [["cachable", reply.cachable !== 0], ["timeout", reply.timeout]];
    case "lookup":
      return [["session_bytes", reply.session.length], ...secret("session", reply.session)];
    case "tktkey":
      return [...describeKey(reply.key, encoding), ...secret("key", reply.key)];
    case "update":
    case "delete":
      return [];
  }
}

function describeKey(bytes: Bytes, encoding: Encoding): Member[] {
  const key = decodeTicketKey(bytes);
  const size: Member = ["key_bytes", bytes.length];
  if (key === undefined) return [size];
  return [
    size,
    ["key_name", encoding.write(key.name)],
    ["key_encrypts_until", key.encryptUntil],
  ];
}

function inWords(name: string, value: Member[1]): string {
  switch (name) {
    case "status":
      return `${value} (${describeStatus(Number(value))})`;
    case "cachable":
      return value === true ? "yes" : "no";
    case "timeout":
      return `${value} seconds`;
    case "key_encrypts_until":
      return showTime(Number(value));
    default:
      return String(value);
  }
}

function describeStatus(status: number): string {
  switch (status) {
    case TLSMGR_STATUS.ok:
      return "done";
    case TLSMGR_STATUS.err:
      return "nothing was found or done";
    case TLSMGR_STATUS.fail:
      return "refused";
    default:
      return "a status that tlsmgr does not have";
  }
}
