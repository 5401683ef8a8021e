/**
 * What a visitor of the desk asks: the head of one HTTP request, and nothing of its body.
 *
 * As much of HTTP/1.1 (RFC 9112) as questions without a body need. What is not understood for certain is
 * refused, never guessed at.
 *
 * @module
 */
import { type Bytes, toLatin1 } from "../../base/bytes.ts";

/** Longest head, bytes: what Prometheus and curl send has a few hundred. */
export const HEAD_BYTES_MAX = 8192;

/** A question. */
export interface Request {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower case, without a port; `undefined` where there is none (HTTP/1.0). */
  readonly host: string | undefined;
}

/** Why there is none: the status of the answer, and a few words. */
export interface BadRequest {
  readonly status: 400 | 431 | 505;
  readonly reason: string;
}

/** Where the head ends in the first `length` bytes, behind its empty line; -1: it does not. */
export function findHeadEnd(bytes: Bytes, length: number): number {
  const LF = 10;
  const CR = 13;
  for (let at = bytes.indexOf(LF); at >= 0 && at < length; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? at + 2 : at + 1;
    if (next < length && bytes[next] === LF) return next + 1;
  }
  return -1;
}

const REQUEST_LINE = /^([A-Za-z]{1,20}) (\/[!-~]*) HTTP\/(\d)\.(\d)$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)$/;

/** Reads a head, its empty line included. Never throws. */
export function readRequest(head: Bytes): Request | BadRequest {
  const [first, ...lines] = toLatin1(head).split(/\r?\n/);
  const [, method, target, major, minor] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined) return bad("the request line is not of HTTP's form");
  if (major !== "1") return { status: 505, reason: "HTTP/1.1 is spoken here" };
  const hosts: string[] = [];
  for (const line of lines) {
    if (line === "") break;
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) return bad("a header line is not of HTTP's form");
    if (name.toLowerCase() === "host") hosts.push(value.trim());
  }
  if (hosts.length > 1 || (hosts.length === 0 && minor !== "0")) {
    return bad("there must be one Host header");
  }
  const [path] = target.split("?", 1);
  return { method, path, host: hosts.length === 0 ? undefined : hostName(hosts[0]) };
}

/** Without its port: `localhost`, `127.0.0.1`, `[::1]`. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "");
}

/** Whether a browser that was lured to this machine by somebody's name would not say this. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host === undefined || host === "localhost" || host === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(host);
}

function bad(reason: string): BadRequest {
  return { status: 400, reason };
}
