/**
 * Versions of all parts; postern's own is written in deno.json and nowhere else.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import manifest from "../../deno.json" with { type: "json" };

/** postern's version. */
export const VERSION: string = manifest.version;

/** The system's OpenSSL, or why it cannot be used. */
export type InstalledOpenSsl =
  | { readonly text: string; readonly number: number }
  | { readonly fault: FatalError };

/** Looks for OpenSSL. */
export async function findOpenSsl(): Promise<InstalledOpenSsl> {
  try {
    // Loaded only here, because the module opens the libraries.
    const { opensslVersionNumber, opensslVersionText } = await import("../tls/version.ts");
    return { text: opensslVersionText, number: opensslVersionNumber };
  } catch (error) {
    if (error instanceof FatalError) return { fault: error };
    throw error;
  }
}

/** The lines of `--version`. */
export function versionText(openSsl: InstalledOpenSsl): string {
  const { deno, v8 } = Deno.version;
  const library = "text" in openSsl ? openSsl.text : `OpenSSL: not found: ${openSsl.fault.message}`;
  return `postern ${VERSION}\nDeno ${deno}\nV8 ${v8}\n${library}\n`;
}
