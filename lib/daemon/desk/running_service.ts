/**
 * A service as its desk sees it: crews, numbers and reloads in one.
 *
 * @module
 */
import manifest from "../../../deno.json" with { type: "json" };
import type { Settings } from "../../config/settings.ts";
import type { Crews } from "../crew.ts";
import type { NumberBoard } from "../numbers/number_board.ts";
import { renderPrometheus } from "../numbers/prometheus.ts";
import type { Reloader, ReloadOutcome } from "../reload.ts";
import { makeProgress } from "./health.ts";
import type { Subject } from "./routes.ts";
import { numbersStatus, reloadStatus, type ServiceState, type Status } from "./status.ts";

/** What does not change while the process lives. */
export interface ServiceFacts {
  readonly settings: Pick<Settings, "role" | "instance">;
  readonly pid: number;
  /** Seconds since 1970. */
  readonly startedS: number;
  /** What is served, for people. */
  readonly socket: string;
  /** Name of what the settings come from; absent: it has none. */
  readonly settingsFile: string | undefined;
}

/** What is asked. */
export interface ServiceParts {
  readonly crews: Pick<Crews, "all" | "isStopping">;
  readonly board: Pick<NumberBoard, "collect">;
  readonly reloader: Pick<Reloader, "reload" | "last">;
}

/** A service that runs in this process. */
export class RunningService implements Subject {
  readonly #facts: ServiceFacts;
  readonly #parts: ServiceParts;
  #hasBegun = false;

  constructor(facts: ServiceFacts, parts: ServiceParts) {
    this.#facts = facts;
    this.#parts = parts;
  }

  /** Connections are being accepted. */
  begin(): void {
    this.#hasBegun = true;
  }

  get state(): ServiceState {
    if (this.#parts.crews.isStopping) return "draining";
    return this.#hasBegun ? "serving" : "starting";
  }

  isWell(): Promise<boolean> {
    return makeProgress(this.#parts.crews.all.map((crew) => crew.watch()));
  }

  metrics(): string {
    return renderPrometheus(this.#parts.board.collect());
  }

  reload(): Promise<ReloadOutcome> {
    return this.#parts.reloader.reload();
  }

  async status(): Promise<Status> {
    const { settings, startedS, settingsFile, ...facts } = this.#facts;
    const { crews, board, reloader } = this.#parts;
    const [current, ...leaving] = crews.all;
    return {
      role: settings.role,
      instance: settings.instance ?? null,
      state: this.state,
      well: await this.isWell(),
      version: manifest.version,
      ...facts,
      started: startedS,
      settings: settingsFile ?? null,
      crews: [
        { state: this.state === "draining" ? "finishing" : "serving", threads: current.threads },
        ...leaving.map(({ threads }) => ({ state: "finishing", threads }) as const),
      ],
      reload: reloadStatus(reloader.last),
      numbers: numbersStatus(board.collect()),
    };
  }
}
