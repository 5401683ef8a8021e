/**
 * A real postconf(1) on settings of the test's own.
 *
 * Every question has a configuration folder; the system's own settings are not read. The files get
 * an old modification time, because Postfix waits for a file that somebody may still be writing.
 *
 * @module
 */

import { systemClock } from "../../lib/base/clock.ts";
import type { TempFolder } from "./temp_folder.ts";

const POSTCONF = "/usr/sbin/postconf";

/** What one run of postconf came to. */
export interface PostconfAnswer {
  /** `SIGSEGV` and the like, when a signal ended it. */
  readonly signal: string | null;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Configuration folders below one temporary folder. */
export class PostconfFolders {
  readonly #folder: TempFolder;
  #count = 0;

  constructor(folder: TempFolder) {
    this.#folder = folder;
  }

  /** Makes a configuration folder with these files and returns its path. */
  async make(mainCf: string, masterCf = ""): Promise<string> {
    const name = `config${this.#count++}`;
    await Deno.mkdir(this.#folder.file(name));
    const aMinuteAgo = systemClock.unixSeconds() - 60;
    for (const [file, text] of [["main.cf", mainCf], ["master.cf", masterCf]]) {
      const path = await this.#folder.write(`${name}/${file}`, text);
      await Deno.utime(path, aMinuteAgo, aMinuteAgo);
    }
    return this.#folder.file(name);
  }
}

/** Runs postconf(1) on the settings in `folder`. */
export async function postconf(folder: string, ...args: string[]): Promise<PostconfAnswer> {
  const { code, signal, stdout, stderr } = await new Deno.Command(POSTCONF, {
    args: ["-c", folder, ...args],
    env: { MAIL_CONFIG: folder },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * The values in what postconf printed, by name. A line without `name =` continues nothing, because
 * postconf does not fold lines unless it is asked to.
 */
export function postconfValues(stdout: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const match = /^(\S+) = ?(.*)$/.exec(line);
    if (match !== null) values.set(match[1], match[2]);
  }
  return values;
}

/** The version that the installed Postfix says it has, e.g. `3.7.11`. */
export async function postfixVersion(): Promise<string> {
  const { stdout } = await new Deno.Command(POSTCONF, { args: ["-d", "-h", "mail_version"] })
    .output();
  return new TextDecoder().decode(stdout).trim();
}
