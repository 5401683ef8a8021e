/**
 * Lines in Postfix's shapes: `postfix/tlsproxy[1234]: warning: text`.
 *
 * The text of everything above information begins with its severity, as people's log watchers expect.
 * Text of peers may stand in a line as it is: control characters are replaced here, in one place, so
 * that nobody can forge a line.
 *
 * @module
 */
import type { Line } from "./line.ts";
import { wordsOf } from "./line.ts";

/** What stands before the text of a line. */
export interface HeadOptions {
  /** Identity, for example `postfix/tlsmgr`. */
  readonly name: string;
  /** Process id shown with it. */
  readonly pid: number;
  /** Host name and time of day precede the identity, as in Postfix's `maillog_file`. */
  readonly stamped: boolean;
  /** Host shown then. @default the machine's name up to its first dot */
  readonly host?: string;
  /** Lines begin with the priority that systemd's journal reads, `<6>` for information. */
  readonly priorities?: boolean;
  /** Number of a syslog facility: lines begin as those of syslog(3) do, with priority and time. */
  readonly facility?: number;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Replaces what could end a line or drive a terminal by `?` (Postfix's util/printable.c). */
export function printable(text: string): string {
  return isPlain(text) ? text : replaceControls(text);
}

/** Whether there is nothing but printable ASCII in `text`: cheaper to find out than to replace nothing. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

function replaceControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "?");
}

/** What stands before the text. */
export class Head {
  readonly #identity: string;
  readonly #host: string | undefined;
  readonly #facility: number | undefined;
  readonly #isTimed: boolean;
  /** The last one, which most lines of the same second have too. */
  #last = "";
  #lastLevel = -1;
  #lastSecond = -1;

  constructor(options: HeadOptions) {
    this.#identity = `${options.name}[${options.pid}]: `;
    // The journal knows the facility, and reads a number without it.
    this.#facility = options.facility ?? (options.priorities === true ? 0 : undefined);
    this.#isTimed = options.stamped || options.facility !== undefined;
    this.#host = options.stamped ? options.host ?? Deno.hostname().split(".")[0] : undefined;
  }

  /** `<22>` and its like; empty where nobody reads it. */
  priority({ level }: Line): string {
    return this.#facility === undefined ? "" : `<${this.#facility * 8 + wordsOf(level).priority}>`;
  }

  /** Priority, time, host and identity, as far as they are shown. */
  of(line: Line): string {
    const second = this.#isTimed ? Math.floor(line.time.getTime() / 1000) : 0;
    if (line.level === this.#lastLevel && second === this.#lastSecond) return this.#last;
    this.#lastLevel = line.level;
    this.#lastSecond = second;
    return this.#last = this.#make(line);
  }

  #make(line: Line): string {
    const stamp = this.#isTimed ? `${stampOf(line.time)} ` : "";
    const host = this.#host === undefined ? "" : `${this.#host} `;
    return this.priority(line) + stamp + host + this.#identity;
  }
}

/** A line as Postfix writes it. */
export function textForm(line: Line, head: Head): string {
  return head.of(line) + wordsOf(line.level).prefix + printable(line.text);
}

/** The time of day as syslog writes it: `Nov  1 09:05:03`, local time. */
export function stampOf(time: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = String(time.getDate()).padStart(2, " ");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${MONTHS[time.getMonth()]} ${day} ${clock}`;
}
