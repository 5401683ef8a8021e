/**
 * Converting texts, and looking at what the loader finds in the result.
 *
 * @module
 */

import { assertEquals, assertExists } from "@std/assert";
import { utf8 } from "../../../../lib/base/bytes.ts";
import { formatFinding } from "../../../../lib/config/findings.ts";
import {
  type Imported,
  type ImportRequest,
  importSettings,
} from "../../../../lib/config/import/import_settings.ts";
import { describeSettings } from "../../../../lib/config/describe.ts";

/** What may be chosen about a conversion; the rest is as the command does it by default. */
export interface ConvertOptions extends Partial<Pick<ImportRequest, "style" | "oursOnly">> {
  /** Text of master.cf. */
  readonly master?: string;
  /** As if main.cf came from standard input. */
  readonly folderUnknown?: boolean;
}

/** Converts a main.cf that is called `/etc/postfix/main.cf`. */
export function convert(main: string | Uint8Array, options: ConvertOptions = {}): Imported {
  return importSettings({
    main: {
      name: "/etc/postfix/main.cf",
      bytes: typeof main === "string" ? utf8(main) : main,
    },
    ...(options.master !== undefined && {
      master: { name: "/etc/postfix/master.cf", bytes: utf8(options.master) },
    }),
    ...(options.folderUnknown !== true && { configDirectory: "/etc/postfix" }),
    style: options.style ?? "strings",
    oursOnly: options.oursOnly ?? false,
  });
}

/** The converted text. */
export function textOf(main: string | Uint8Array, options: ConvertOptions = {}): string {
  const { text, findings, differences } = convert(main, options);
  assertEquals(differences, []);
  assertExists(text, findings.map(formatFinding).join("\n"));
  return text;
}

/** The converted text without its first lines, which say where it comes from. */
export function bodyOf(main: string, options: ConvertOptions = {}): string {
  return textOf(`compatibility_level = 3.6\n${main}`, options)
    .replace(/^# Converted by [^\n]*\n\ncompatibility_level = (?:"3.6"|3.6)\n/, "");
}

/** Every finding, as it is printed. */
export function linesOf(main: string, options: ConvertOptions = {}): string[] {
  return convert(main, options).findings.map(formatFinding);
}

/** `name`'s value, as a role sees it in TOML `text`: before expansion and after it. */
export function valueIn(text: string, name: string, role: "tlsmgr" | "tlsproxy" = "tlsmgr") {
  const file = "/etc/postern/postern.toml";
  const found = describeSettings({ text, file, role, overrides: [] })
    .find((setting) => setting.name === name);
  return found && { canonical: found.canonical, expanded: found.expanded };
}
