/**
 * The desk of a service: where its numbers are shown, and where it takes an administrator's wishes.
 *
 * It lives on the control thread, and no service thread waits for it. Doors are opened when the rights of
 * root are gone, so that their names belong to the account that serves. A metrics door that cannot be
 * opened ends the start, because somebody has asked for it; without the control socket, which is there
 * unasked, the service goes on.
 *
 * A process that lets its last sessions end keeps its control socket, so that one can see how far it is.
 * A successor tries until it gets the name. A metrics door of a process with a socket of its own goes
 * with that socket, because the successor needs it to start.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { FatalError } from "../../base/errors.ts";
import { type LoopbackPlace, readLoopbackPlace } from "../../config/loopback.ts";
import { withoutEndSlashes } from "../../config/paths.ts";
import type { ServiceSettings } from "../../config/settings.ts";
import type { Log } from "../../log/log.ts";
import { Door } from "./door.ts";
import { controlPath, isDefaultPlace, isInRunFolder, type SocketOpener } from "./place.ts";
import { answerFor, type Subject } from "./routes.ts";

const RETRY_MS = 2_000;

/** What a desk is made of. */
export interface DeskGround {
  readonly service: Pick<ServiceSettings, "mode" | "socket" | "control" | "metrics">;
  readonly opener: SocketOpener;
  /** The folder that the process is shut into; absent: none. */
  readonly jail: string | undefined;
  readonly log: Pick<Log, "info" | "warn">;
  /** Between two tries to take a name that somebody else has, milliseconds. @default {2000} */
  readonly retryMs?: number;
}

/** A door that is wanted. */
interface Plan {
  readonly title: string;
  readonly setting: string;
  /** As the settings have it. */
  readonly place: LoopbackPlace;
  readonly mayControl: boolean;
  /** Whether the service can do without it. */
  readonly isOptional: boolean;
  /** Nobody misses it where its folder is not there. */
  readonly isTacit: boolean;
}

/** The doors of one service. */
export class Desk implements Disposable {
  readonly #ground: DeskGround;
  readonly #subject: Subject;
  readonly #doors = new Map<Plan, Door>();
  readonly #tries = new Set<ReturnType<typeof setInterval>>();

  constructor(ground: DeskGround, subject: Subject) {
    this.#ground = ground;
    this.#subject = subject;
  }

  /** Opens the doors that are asked for. Throws {@linkcode FatalError}. */
  open(): void {
    for (const plan of plansOf(this.#ground)) this.#open(plan);
  }

  /** The service accepts no more, and another process may take its place. */
  giveWay(): void {
    this.#stopTrying();
    if (this.#ground.opener === "systemd") return;
    for (const [plan, door] of this.#doors) if (!plan.mayControl) door.close();
  }

  /** Closes all doors; again is allowed. */
  [Symbol.dispose](): void {
    this.#stopTrying();
    for (const door of this.#doors.values()) door.close();
  }

  /** What others have is from now on theirs. */
  #stopTrying(): void {
    for (const timer of this.#tries) clearInterval(timer);
  }

  #open(plan: Plan): void {
    try {
      this.#tryToOpen(plan);
    } catch (error) {
      if (!(error instanceof FatalError) || !plan.isOptional) throw error;
      if (plan.isTacit && !isFolder(folderOf(plan.place))) return;
      const hint = error.hint === undefined ? "" : `; ${error.hint}`;
      this.#ground.log.warn(`${plan.title}: ${error.message}${hint}`);
      this.#keepTrying(plan);
    }
  }

  #tryToOpen(plan: Plan): void {
    const { title, mayControl, setting } = plan;
    const place = seenFromInside(plan.place, this.#ground.jail, setting);
    const isPort = place.transport === "tcp";
    const answer = answerFor(this.#subject, { mayControl, isPort });
    const ground = { answer, title, log: this.#ground.log, clock: systemClock };
    this.#doors.set(plan, Door.open(place, ground, setting));
  }

  #keepTrying(plan: Plan): void {
    const timer = setInterval(() => {
      try {
        this.#tryToOpen(plan);
      } catch (error) {
        // Has been told of.
        if (error instanceof FatalError) return;
        throw error;
      }
      clearInterval(timer);
      this.#ground.log.info(`${plan.title}: open`);
    }, this.#ground.retryMs ?? RETRY_MS);
    this.#tries.add(timer);
  }
}

function plansOf({ service, opener }: DeskGround): readonly Plan[] {
  const plans: Plan[] = [];
  const path = controlPath(service, opener);
  if (path !== undefined) {
    plans.push({
      title: "control socket",
      setting: "[service.ROLE] control",
      place: { transport: "unix", path },
      mayControl: true,
      isOptional: true,
      isTacit: isDefaultPlace(service) && isInRunFolder(path),
    });
  }
  const place = service.metrics === "" ? undefined : readLoopbackPlace(service.metrics);
  if (place !== undefined && "transport" in place) {
    plans.push({
      title: "metrics",
      setting: "[service.ROLE] metrics",
      place,
      mayControl: false,
      // Two processes of one service may run side by side there, and one of them has it.
      isOptional: opener === "master",
      isTacit: false,
    });
  }
  return plans;
}

/** The place as a process sees it that is shut into `jail`. Throws {@linkcode FatalError}. */
function seenFromInside(
  place: LoopbackPlace,
  jail: string | undefined,
  setting: string,
): LoopbackPlace {
  if (jail === undefined || place.transport === "tcp") return place;
  const folder = withoutEndSlashes(jail);
  const { path } = place;
  if (path.startsWith(`${folder}/`)) return { transport: "unix", path: path.slice(folder.length) };
  throw new FatalError(`Cannot listen on "${path}": the process is shut into "${jail}"`, {
    hint: `Choose a path below that folder in ${setting}`,
  });
}

function folderOf(place: LoopbackPlace): string {
  return place.transport === "tcp" ? "/" : place.path.replace(/[^/]*$/, "");
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
