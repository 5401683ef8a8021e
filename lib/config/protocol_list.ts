/**
 * Lists of TLS protocols such as `>=TLSv1.2, !TLSv1.3`, read by the rules of tls_misc.c
 * (tls_proto_mask_lims()), and what is odd about them.
 *
 * Postfix takes several lists for something else than they look like, and finds an invalid one only
 * when a session or a role starts. Here each is told when the settings are read. One is refused that
 * Postfix takes: a bound that names no version, which would count as no bound.
 *
 * @module
 */

import { type Problem, quote } from "./findings.ts";

/** Names by age, each with its version on the wire. OpenSSL 3 cannot speak SSLv2, whose version is 0. */
const VERSIONS: ReadonlyMap<string, number> = new Map([
  ["sslv2", 0],
  ["sslv3", 0x0300],
  ["tlsv1", 0x0301],
  ["tlsv1.1", 0x0302],
  ["tlsv1.2", 0x0303],
  ["tlsv1.3", 0x0304],
]);
const VERSION_MIN = 0x0300;
const VERSION_MAX = 0x0304;
/** From here on a gap between two protocols is a trap; SSLv3 is hardly ever built in. */
const TLS_VERSION_MIN = 0x0301;

const NAMES_HINT = "names are SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3";

/** What is wrong with the elements of a list, and what is odd about them. */
export function checkProtocols(elements: readonly string[]): readonly Problem[] {
  const problems: Problem[] = [];
  const included = new Set<number>();
  const excluded = new Set<number>();
  const bounds = { floor: 0, ceiling: 0 };
  for (const [i, element] of elements.entries()) {
    const sign = element.slice(0, 2);
    if (sign === ">=" || sign === "<=") {
      const version = parseBound(element.slice(2));
      if (version === undefined) problems.push(unknownProtocol(element));
      else if (version !== 0 && (version < VERSION_MIN || version > VERSION_MAX)) {
        problems.push(unknownBound(element));
      } else bounds[sign === ">=" ? "floor" : "ceiling"] = version;
      if (element === sign && i + 1 < elements.length) {
        problems.push(blankAfter(sign, elements[i + 1]));
      }
      continue;
    }
    const excludes = element.startsWith("!");
    const version = VERSIONS.get(element.slice(excludes ? 1 : 0).toLowerCase());
    if (version === undefined) problems.push(unknownProtocol(element));
    else (excludes ? excluded : included).add(version);
  }
  if (problems.some(({ severity }) => severity === "error")) return problems;
  if (included.size === 1 && included.has(0)) problems.push(SSLV2_ONLY);
  included.delete(0);
  const left = [...VERSIONS.values()].filter((version) =>
    version !== 0 && version >= bounds.floor && version <= (bounds.ceiling || VERSION_MAX) &&
    !excluded.has(version) && (included.size === 0 || included.has(version))
  );
  if (left.length === 0) problems.push(NOTHING_LEFT);
  else if (hasGap(left)) problems.push(GAP);
  return problems;
}

function parseBound(text: string): number | undefined {
  const name = text.toLowerCase();
  if (name === "" || name === "none") return 0;
  // SSLv2 is no bound.
  const version = VERSIONS.get(name);
  if (version !== undefined) return version === 0 ? undefined : version;
  return /^(?:0x)?[0-9a-f]{1,4}$/.test(name) ? Number.parseInt(name, 16) : undefined;
}

function hasGap(versions: readonly number[]): boolean {
  const tls = versions.filter((version) => version >= TLS_VERSION_MIN);
  return tls.some((version, i) => i > 0 && version !== tls[i - 1] + 1);
}

function unknownProtocol(element: string): Problem {
  const message = `Cannot read a protocol list: ${quote(element)} names no protocol`;
  return { severity: "error", message, hint: NAMES_HINT };
}

function unknownBound(element: string): Problem {
  const message = `Cannot read a protocol list: OpenSSL knows no version ${quote(element)}`;
  return { severity: "error", message, hint: "versions are 0300 to 0304" };
}

function blankAfter(sign: string, next: string): Problem {
  return {
    severity: "warning",
    message: `A blank after ${quote(sign)}: it bounds nothing, and ${quote(next)} stands alone`,
    hint: `write "${sign}${next}"`,
  };
}

const SSLV2_ONLY: Problem = {
  severity: "warning",
  message: 'A list of "SSLv2" alone excludes nothing: all protocols are on',
  hint: 'write for example ">=TLSv1.2"',
};
const NOTHING_LEFT: Problem = {
  severity: "warning",
  message: "No protocol is left: no handshake can succeed",
  hint: 'write for example ">=TLSv1.2"',
};
const GAP: Problem = {
  severity: "warning",
  message: "A protocol in the middle is excluded: clients lose all protocols above it",
  hint: 'write a bound in its place, for example ">=TLSv1.2"',
};
