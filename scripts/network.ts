/**
 * What the bootstrap asks of the network before it can use any package; hence no imports.
 *
 * A site that does not answer within five seconds counts as not reached.
 *
 * @module
 */

const USAGE = `Usage:
    network.ts jsr                       exit 0 if JSR can be reached, 3 if not
    network.ts denort URL SHA256 FILE    download a zip, write the denort in it to FILE;
                                         exit 3 if not reached, 4 if it is not the right file
`;
const NOT_REACHED = 3;
const WRONG_FILE = 4;
const ANSWER_TIMEOUT_MS = 5000;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/** The answer to a request, or why there is none. The body has a limit of its own. */
async function request(url: string): Promise<Response | string> {
  const abort = new AbortController();
  const answerTimer = setTimeout(() => abort.abort("no answer"), ANSWER_TIMEOUT_MS);
  const bodyTimer = setTimeout(() => abort.abort("too slow"), DOWNLOAD_TIMEOUT_MS);
  Deno.unrefTimer(bodyTimer);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (response.ok) return response;
    await response.body?.cancel();
    return `status ${response.status}`;
  } catch (error) {
    return String(error);
  } finally {
    clearTimeout(answerTimer);
  }
}

async function reachJsr(): Promise<number> {
  const response = await request("https://jsr.io/@std/toml/meta.json");
  if (typeof response === "string") return NOT_REACHED;
  try {
    // A portal that answers everything with a page of its own is not JSR.
    const meta = await response.json();
    return typeof meta?.versions === "object" ? 0 : NOT_REACHED;
  } catch {
    return NOT_REACHED;
  }
}

/**
 * The content of the file `name` in a zip archive (APPNOTE.TXT 4.3: end record, central directory,
 * local header), or `undefined` if there is none.
 */
async function readZipEntry(
  zip: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  let end = zip.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return undefined;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) =>
      view.getUint16(at + o, true)
    );
    if (new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameBytes)) !== name) {
      at += 46 + nameBytes + extraBytes + commentBytes;
      continue;
    }
    const header = view.getUint32(at + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) +
      view.getUint16(header + 28, true);
    const packed = zip.subarray(start, start + view.getUint32(at + 20, true));
    if (view.getUint16(at + 10, true) === 0) return packed;
    const inflated = new Blob([packed]).stream().pipeThrough(
      new DecompressionStream("deflate-raw"),
    );
    return new Uint8Array(await new Response(inflated).arrayBuffer());
  }
  return undefined;
}

async function downloadDenort(url: string, sha256: string, file: string): Promise<number> {
  const response = await request(url);
  if (typeof response === "string") return NOT_REACHED;
  let denort: Uint8Array<ArrayBuffer> | undefined;
  try {
    denort = await readZipEntry(new Uint8Array(await response.arrayBuffer()), "denort");
  } catch (error) {
    console.error(`bootstrap: ${url} could not be read: ${error}`);
    return WRONG_FILE;
  }
  if (denort === undefined) {
    console.error(`bootstrap: ${url} holds no denort`);
    return WRONG_FILE;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", denort));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) {
    console.error(`bootstrap: ${url} is not used: expected sha256 ${sha256}, found ${found}`);
    return WRONG_FILE;
  }
  await Deno.writeFile(file, denort);
  return 0;
}

if (import.meta.main) {
  const [what, ...rest] = Deno.args;
  if (what === "jsr" && rest.length === 0) Deno.exit(await reachJsr());
  if (what === "denort" && rest.length === 3) {
    Deno.exit(await downloadDenort(rest[0], rest[1], rest[2]));
  }
  const asked = what === "--help" || what === "-h";
  (asked ? console.log : console.error)(USAGE);
  Deno.exit(asked ? 0 : 2);
}
