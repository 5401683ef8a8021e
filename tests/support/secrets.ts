/**
 * Secrets of the tests' own sessions, and the search for them in what a role has logged.
 *
 * Clients write their secrets into an NSS key log; what it holds, and whatever else a test adds, must not
 * be in any log: not as hexadecimal, not in base64, not byte by byte as a dump of packets would show it,
 * and not as it is. Two things are searched for in linear time, so that every log of the suite can be
 * looked at: runs of hexadecimal digits and runs of base64.
 *
 * @module
 */

/** Bytes of a secret that are looked for; a log that has so many of them has too many. */
const WINDOW_BYTES = 12;
/** Characters of base64 that no neighbour of the secret has a part in. */
const BASE64_WINDOW = 14;

/** Finds what it has been told in logs. */
export class SecretFinder {
  /** What a secret is, by the first bytes of it: in hexadecimal, in base64, and as they are. */
  readonly #hex = new Map<string, string>();
  readonly #base64 = new Map<string, string>();
  readonly #raw = new Map<string, string>();

  get count(): number {
    return this.#hex.size;
  }

  /** A secret, at least {@linkcode WINDOW_BYTES} long. */
  add(what: string, secret: Uint8Array): void {
    if (secret.length < WINDOW_BYTES) throw new Error(`${what} is too short to be looked for`);
    const window = secret.subarray(0, WINDOW_BYTES);
    this.#hex.set(hexOf(window), what);
    for (let before = 0; before < 3; before++) {
      const padded = new Uint8Array(before + WINDOW_BYTES);
      padded.set(window, before);
      const begin = Math.ceil(before * 4 / 3);
      const text = btoa(String.fromCharCode(...padded)).slice(begin, begin + BASE64_WINDOW);
      this.#base64.set(text, what);
    }
    // As the log shows what it is given: what drives terminals is replaced.
    for (const text of [String.fromCharCode(...window), new TextDecoder().decode(window)]) {
      this.#raw.set(text, what);
      this.#raw.set(text.replace(CONTROLS, "?"), what);
    }
  }

  /** The secrets of an NSS key log (`LABEL client_random secret`). */
  addKeyLog(text: string): void {
    for (const [, label, digits] of text.matchAll(/^([A-Z0-9_]+) [0-9a-f]{64} ([0-9a-f]+)$/gmi)) {
      const bytes = digits.match(/../g)!.map((pair) => Number.parseInt(pair, 16));
      this.add(label, Uint8Array.from(bytes));
    }
  }

  /** What `log` gives away in digits; `undefined` when nothing. */
  find(log: string): string | undefined {
    for (const [run] of log.matchAll(/[0-9a-fA-F]{24,}/g)) {
      const found = findWindow(run.toLowerCase(), 2 * WINDOW_BYTES, this.#hex);
      if (found !== undefined) return `${found} in hexadecimal`;
    }
    // Pairs with something in between: dumps, fingerprints.
    for (const [run] of log.matchAll(/(?:\b[0-9a-fA-F]{2}[ :|-]){12,}/g)) {
      const digits = run.replace(/[ :|-]/g, "").toLowerCase();
      const found = findWindow(digits, 2 * WINDOW_BYTES, this.#hex);
      if (found !== undefined) return `${found} in pairs of digits`;
    }
    const dumped = findWindow(dumpedIn(log), 2 * WINDOW_BYTES, this.#hex);
    if (dumped !== undefined) return `${dumped} in a dump`;
    for (const [run] of log.matchAll(/[A-Za-z0-9+/_-]{14,}/g)) {
      const text = run.replaceAll("-", "+").replaceAll("_", "/");
      const found = findWindow(text, BASE64_WINDOW, this.#base64);
      if (found !== undefined) return `${found} in base64`;
    }
  }

  /** As {@linkcode SecretFinder.find}, and byte by byte as well; slow where there are many secrets. */
  findAnyhow(log: string): string | undefined {
    const found = this.find(log);
    if (found !== undefined) return found;
    for (const [text, what] of this.#raw) if (log.includes(text)) return `${what} as it is`;
  }
}

// deno-lint-ignore no-control-regex -- they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

function findWindow(
  text: string,
  length: number,
  secrets: ReadonlyMap<string, string>,
): string | undefined {
  for (let at = 0; at + length <= text.length; at++) {
    const what = secrets.get(text.slice(at, at + length));
    if (what !== undefined) return what;
  }
}

/** All bytes that lines like `0010 16 03 01|… text` show, in hexadecimal, one after the other. */
function dumpedIn(log: string): string {
  let digits = "";
  for (const [, pairs] of log.matchAll(/\b[0-9a-f]{4} ((?:[0-9a-f]{2}[ |])+)/g)) {
    digits += pairs.replace(/[ |]/g, "");
  }
  return digits;
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let keyLog: string | undefined;

/** The key log of this process: clients of the tests append to it. */
export function keyLogPath(): string {
  if (keyLog !== undefined) return keyLog;
  const path = keyLog = Deno.makeTempFileSync({ prefix: "postern-keys-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(path));
  return path;
}

/** Fails if `log` has a secret of any session of this process's clients in it. */
export function assertKeepsSecrets(log: string): void {
  if (keyLog === undefined) return;
  const finder = new SecretFinder();
  finder.addKeyLog(Deno.readTextFileSync(keyLog));
  const found = finder.find(log);
  if (found !== undefined) throw new Error(`The log gives away a secret: ${found}\n${log}`);
}
