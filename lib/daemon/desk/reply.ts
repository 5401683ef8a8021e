/**
 * What the desk answers, as HTTP/1.1 has it (RFC 9110, RFC 9112).
 *
 * Every answer is the last one of its connection. No other origin may read one (there is no
 * Access-Control-Allow-Origin), and nobody keeps one.
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../../base/bytes.ts";

const REASONS = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
} as const;

/** Codes that are used here. */
export type Status = keyof typeof REASONS;

/** One answer. */
export interface Reply {
  readonly status: Status;
  readonly type: string;
  readonly body: string;
  /** Methods that would have been right. */
  readonly allow?: string;
}

/** A line for people. */
export function textReply(status: Status, text: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}

/** Data for programs. */
export function jsonReply(status: Status, value: unknown): Reply {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** The bytes of an answer. `nowS`: seconds since 1970. */
export function encodeReply(
  { status, type, body, allow }: Reply,
  { withBody, nowS }: { readonly withBody: boolean; readonly nowS: number },
): Bytes {
  const content = utf8(body);
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    `Date: ${new Date(nowS * 1000).toUTCString()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${content.length}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    ...(allow === undefined ? [] : [`Allow: ${allow}`]),
    "Connection: close",
  ];
  const head = utf8(`${lines.join("\r\n")}\r\n\r\n`);
  return withBody ? concat(head, content) : head;
}
