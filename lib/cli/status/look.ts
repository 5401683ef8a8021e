/**
 * A look at services: what each of them says of itself, as text.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT, type ExitCode, FatalError } from "../../base/errors.ts";
import type { Status } from "../../daemon/desk/status.ts";
import { asciiJson } from "../cache/entry_text.ts";
import { askAt, type DeskPlace } from "../desk/find.ts";
import { describeFatal } from "../failure.ts";
import { isStyledOutput } from "../manual/terminal.ts";
import { statusText } from "./status_text.ts";

/** A service that finds its threads stuck takes two seconds to say so. */
const LIMIT_MS = 10_000;

/** What one service has said, and when. */
interface Said {
  readonly status: Status;
  readonly atMs: number;
}

/** One look at all services, as text. */
export interface Looked {
  readonly text: string;
  /** About those that did not say anything. */
  readonly faults: string;
  readonly code: ExitCode;
}

/** Looks at services, and remembers what it saw. */
export class Looker {
  readonly #places: readonly DeskPlace[];
  readonly #json: boolean;
  readonly #said = new Map<DeskPlace, Said>();

  constructor(places: readonly DeskPlace[], { json }: { readonly json: boolean }) {
    this.#places = places;
    this.#json = json;
  }

  /** Whether any service has ever said something. */
  get hasSeen(): boolean {
    return this.#said.size > 0;
  }

  /** Asks all of them, one after the other. */
  async look(): Promise<Looked> {
    const texts: string[] = [];
    let faults = "";
    let code: ExitCode = EXIT.ok;
    for (const place of this.#places) {
      try {
        const status = await askStatus(place);
        texts.push(this.#textOf(place, { status, atMs: systemClock.monotonicMs() }));
        if (status.state !== "serving") code = EXIT.unavailable;
      } catch (error) {
        if (!(error instanceof FatalError)) throw error;
        faults += describeFatal(error);
        code = error.exitCode;
      }
    }
    return { text: texts.join(this.#json ? "" : "\n"), faults, code };
  }

  #textOf(place: DeskPlace, said: Said): string {
    const last = this.#said.get(place);
    this.#said.set(place, said);
    const { status, atMs } = said;
    if (this.#json) return `${asciiJson(status)}\n`;
    const shown = {
      status,
      nowS: systemClock.unixSeconds(),
      ...(last !== undefined && {
        before: { status: last.status, elapsedS: (atMs - last.atMs) / 1000 },
      }),
    };
    return statusText(shown, { styled: isStyledOutput() });
  }
}

async function askStatus(place: DeskPlace): Promise<Status> {
  const question = { method: "GET", target: "/status", limitMs: LIMIT_MS } as const;
  const { status, body } = await askAt(place, question);
  const said = status === 200 ? readStatus(body) : undefined;
  if (said !== undefined) return said;
  throw new FatalError(
    `Cannot read what ${place.title} says: ${JSON.stringify(body.slice(0, 80))}`,
    {
      hint: "See that the service and this command are of the same version",
      exitCode: EXIT.unavailable,
    },
  );
}

/** What a service says of itself, if it is that. */
export function readStatus(body: string): Status | undefined {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    // No JSON is no status.
    return undefined;
  }
  if (typeof said !== "object" || said === null) return undefined;
  const members = ["role", "state", "well", "version", "pid", "started", "crews", "numbers"];
  return members.every((name) => Object.hasOwn(said, name)) ? said as Status : undefined;
}
