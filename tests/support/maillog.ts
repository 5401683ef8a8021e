/**
 * Reading the log file of a private Postfix instance.
 *
 * @module
 */

import { waitUntil } from "./wait.ts";

/** The log file at `path`; it need not exist yet. */
export class Maillog {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** All text so far. */
  async text(): Promise<string> {
    try {
      return await Deno.readTextFile(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** All lines so far that match `pattern`; without a pattern all lines. */
  async lines(pattern?: RegExp): Promise<string[]> {
    const lines = (await this.text()).split("\n").filter((line) => line !== "");
    return pattern === undefined ? lines : lines.filter((line) => pattern.test(line));
  }

  /** Waits until a line matches `pattern` (no `g` flag) and returns the match. */
  waitForLine(pattern: RegExp): Promise<RegExpExecArray> {
    return waitUntil(`a log line like ${pattern}`, async () => {
      for (const line of await this.lines()) {
        const found = pattern.exec(line);
        if (found !== null) return found;
      }
      return undefined;
    }, { explain: () => this.text() });
  }

  /** All lines with a severity above info; a healthy instance has none. */
  problems(): Promise<string[]> {
    return this.lines(/\]: (?:warning|error|fatal|panic): /);
  }
}
