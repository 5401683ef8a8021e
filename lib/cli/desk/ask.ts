/**
 * Asks a service through its control socket: one HTTP request, one answer, which ends with the connection.
 *
 * @module
 */
import { type Bytes, concat, fromUtf8, toLatin1, utf8 } from "../../base/bytes.ts";
import { messageOf } from "../../base/errors.ts";
import { findHeadEnd } from "../../daemon/desk/request.ts";

/** More than any service says. */
const ANSWER_BYTES_MAX = 16 << 20;

/** One question. */
export interface Question {
  readonly method: "GET" | "POST";
  readonly target: string;
  /** How long the service may take in all, milliseconds. */
  readonly limitMs: number;
}

/** What a service says. */
export interface DeskAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why there is no answer. */
export interface NoAnswer {
  /** Half a sentence. */
  readonly why: string;
}

/** Asks whoever serves the socket at `path`. */
export async function askDesk(path: string, question: Question): Promise<DeskAnswer | NoAnswer> {
  let connection: Deno.Conn;
  try {
    connection = await Deno.connect({ transport: "unix", path });
  } catch (error) {
    return { why: describeConnectFault(error) };
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, question.limitMs);
  try {
    return readAnswer(await talk(connection, question));
  } catch (error) {
    if (isLate) return { why: `there is no answer after ${question.limitMs / 1000} seconds` };
    return { why: messageOf(error) };
  } finally {
    clearTimeout(timer);
    if (!isLate) connection.close();
  }
}

async function talk(connection: Deno.Conn, { method, target }: Question): Promise<Bytes> {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: localhost", "Connection: close"];
  if (method === "POST") lines.push("Content-Length: 0");
  const request = utf8(`${lines.join("\r\n")}\r\n\r\n`);
  for (let at = 0; at < request.length;) at += await connection.write(request.subarray(at));
  const parts: Uint8Array[] = [];
  for (let length = 0; length <= ANSWER_BYTES_MAX;) {
    const part = new Uint8Array(65_536);
    const count = await connection.read(part);
    if (count === null) break;
    parts.push(part.subarray(0, count));
    length += count;
  }
  return concat(...parts);
}

/** The answer in the bytes of a connection that has come to its end. */
export function readAnswer(bytes: Bytes): DeskAnswer | NoAnswer {
  if (bytes.length === 0) return { why: "it closed the connection without a word" };
  const end = findHeadEnd(bytes, bytes.length);
  const head = toLatin1(bytes, 0, Math.max(end, 0));
  const [, status] = /^HTTP\/1\.\d (\d{3}) /.exec(head) ?? [];
  const [, length] = /^content-length: *(\d{1,9})\r?$/im.exec(head) ?? [];
  if (status === undefined || length === undefined) return { why: "it is no service of postern's" };
  const body = bytes.subarray(end);
  if (body.length !== Number(length)) return { why: "the answer ends in the middle" };
  return { status: Number(status), body: fromUtf8(body) };
}

function describeConnectFault(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such socket";
  if (error instanceof Deno.errors.ConnectionRefused) return "nobody serves it";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return messageOf(error);
}
