/**
 * Plain HTTP over one connection, byte for byte: what a test sends is what travels.
 *
 * @module
 */

import { inTime } from "./wait.ts";

/** What a door sends until it closes; "" for nothing. */
export async function readToEnd(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const part = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    try {
      const count = await inTime("the end of a visit", connection.read(part));
      if (count === null) return text;
      text += decoder.decode(part.subarray(0, count), { stream: true });
    } catch (error) {
      // A visitor that was sent away in the middle may see a reset.
      if (error instanceof Deno.errors.ConnectionReset) return text;
      throw error;
    }
  }
}

/** Connects, sends `text`, and reads all there is. */
export async function visit(
  to: string | { readonly port: number; readonly hostname?: string },
  text: string,
): Promise<string> {
  using connection = await connectTo(to);
  await send(connection, text);
  return await readToEnd(connection);
}

/** A connection to a path or a port. */
export async function connectTo(
  to: string | { readonly port: number; readonly hostname?: string },
): Promise<Deno.Conn> {
  return typeof to === "string"
    ? await Deno.connect({ transport: "unix", path: to })
    : await Deno.connect(to);
}

/** Writes all of `text`. */
export async function send(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** A whole request. */
export function request(path: string, { method = "GET", host = "localhost" } = {}): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/** Leaves a socket's name at `path`, as a process that was killed does. */
export function leaveDeadName(path: string): void {
  const listener = Deno.listen({ transport: "unix", path: `${path}.alive` });
  // The runtime may take the name away with the socket, and finds none.
  Deno.renameSync(`${path}.alive`, path);
  listener.close();
}
