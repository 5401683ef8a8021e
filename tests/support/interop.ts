/**
 * Tests that need the real Postfix and its friends.
 *
 * Where something is missing the test is skipped, and its name says why; with
 * `POSTERN_REQUIRE_INTEROP=1` it fails instead, so that a skip cannot hide in a green run.
 * `POSTERN_INTEROP_SERVED_BY=postfix` puts Postfix's own daemons in the place of postern everywhere:
 * that proves the tests themselves, and shows what a difference is due to.
 *
 * @module
 */

import type { Side } from "./postfix_config.ts";
import { posternBinary } from "./postern.ts";

/** What the tests run, all of it unmodified. */
const PROGRAMS = [
  "/usr/lib/postfix/sbin/master",
  "/usr/lib/postfix/sbin/tlsmgr",
  "/usr/lib/postfix/sbin/tlsproxy",
  "openssl",
  "swaks",
  "python3",
  "strace",
];

/** Who really serves a part that a test wants to be served by `side`. */
export function servedBy(side: Side): Side {
  return Deno.env.get("POSTERN_INTEROP_SERVED_BY") === "postfix" ? "postfix" : side;
}

/** Options of {@linkcode interopTest}. */
export interface InteropOptions {
  /** Whether the test needs the compiled executable. @default {true} */
  needsPostern?: boolean;
  /** More that must be there: absolute paths of files or folders. */
  needsPaths?: readonly string[];
}

/** Registers a test that runs only where the real thing is installed and the user is root. */
export function interopTest(
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
  options: InteropOptions = {},
): void {
  const needsPostern = options.needsPostern !== false && servedBy("ours") === "ours";
  const missing = [
    ...whatIsMissing(needsPostern),
    ...(options.needsPaths ?? []).filter((path) => !isThere(path)).map((path) => `no ${path}`),
  ];
  if (missing.length === 0) {
    Deno.test(name, fn);
  } else if (Deno.env.get("POSTERN_REQUIRE_INTEROP") === "1") {
    Deno.test(name, () => {
      throw new Error(`Cannot run an interoperability test: ${missing.join("; ")}`);
    });
  } else {
    Deno.test({ name: `${name} (skipped: ${missing.join("; ")})`, ignore: true, fn });
  }
}

/** Why interoperability tests cannot run here, one reason an element. */
export function whatIsMissing(needsPostern: boolean): string[] {
  const missing: string[] = [];
  if (Deno.build.os !== "linux") missing.push("not Linux");
  else if (Deno.uid() !== 0) missing.push("not root");
  for (const program of PROGRAMS) {
    if (!isInstalled(program)) missing.push(`no ${program}`);
  }
  if (needsPostern && !isInstalled(posternBinary())) missing.push(`no ${posternBinary()}`);
  return missing;
}

/** Whether `program` is there: an absolute path, or a name in one of the usual folders. */
export function isInstalled(program: string): boolean {
  const folders = program.includes("/") ? [""] : ["/usr/bin/", "/usr/local/bin/", "/bin/"];
  return folders.some((folder) => isThere(folder + program));
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
