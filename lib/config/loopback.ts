/**
 * Where the numbers of a service may be offered: a UNIX-domain socket, or a port of the loopback.
 *
 * Whoever may connect may read, so no address is taken that another machine could reach.
 *
 * @module
 */

import { type Problem, quote } from "./findings.ts";

/** A place to listen. */
export type LoopbackPlace =
  | { readonly transport: "unix"; readonly path: string }
  /** `hostname` is an IP address, without brackets. */
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number };

const PORT_MAX = 65_535;
const HINT =
  'write an absolute path, "127.0.0.1:PORT", "[::1]:PORT" or "localhost:PORT"; other machines ' +
  "cannot be let in";

/** The place that `text` names, or what is wrong with it. `text` is not empty. */
export function readLoopbackPlace(text: string): LoopbackPlace | Problem {
  if (text.startsWith("/")) return { transport: "unix", path: text };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  if (digits === undefined) {
    return refuse(`Cannot listen at ${quote(text)}: it is no path and no HOST:PORT`);
  }
  const port = Number(digits);
  if (port < 1 || port > PORT_MAX) {
    return refuse(`Cannot listen at ${quote(text)}: ports go from 1 to ${PORT_MAX}`);
  }
  const hostname = bracketed === undefined ? readName(plain) : isIpv6Loopback(bracketed);
  if (hostname !== undefined) return { transport: "tcp", hostname, port };
  return refuse(
    `Cannot listen at ${quote(text)}: ${quote(bracketed ?? plain)} is no loopback address`,
  );
}

/** The name is not looked up: what a resolver says of it is no matter of ours. */
function readName(name: string): string | undefined {
  if (name.toLowerCase() === "localhost") return "127.0.0.1";
  const parts = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) === true ? `127.${parts.join(".")}` : undefined;
}

/** RFC 4291, section 2.5.3: one address, whatever number of zeros it is written with. */
function isIpv6Loopback(text: string): string | undefined {
  return /^(?:::|(?:0{1,4}:){7}|(?:0{1,4}:){1,6}:)0{0,3}1$/.test(text) ? "::1" : undefined;
}

function refuse(message: string): Problem {
  return { severity: "error", message, hint: HINT };
}
