/**
 * Which question gets which answer.
 *
 * The metrics door shows and changes nothing. The control door, which only the account of the service can
 * open, has all of that and may change something: `POST /reload`. A browser cannot reach it, for it is
 * always a UNIX-domain socket; and at a port of the loopback only somebody who knows that it is one gets
 * an answer, so that no web page reads it through a name of its own (DNS rebinding).
 *
 * @module
 */
import { PROMETHEUS_TYPE } from "../numbers/prometheus.ts";
import type { ReloadOutcome } from "../reload.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";
import { isLoopbackHost, type Request } from "./request.ts";
import type { ServiceState, Status } from "./status.ts";
import type { Answer } from "./visitor.ts";

/** The service behind the desk. */
export interface Subject {
  readonly state: ServiceState;
  /** Whether the threads make progress. */
  isWell(): Promise<boolean>;
  /** The numbers as Prometheus reads them. */
  metrics(): string;
  status(): Promise<Status>;
  reload(): Promise<ReloadOutcome>;
}

/** What visitors of a door may do, and whether they come from anywhere in this machine. */
export interface DoorRights {
  readonly mayControl: boolean;
  readonly isPort: boolean;
}

type Route = (subject: Subject) => Reply | Promise<Reply>;

const SHOWN: Readonly<Record<string, Route>> = {
  "/metrics": (subject) => ({ status: 200, type: PROMETHEUS_TYPE, body: subject.metrics() }),
  "/healthz": async (subject) =>
    await subject.isWell()
      ? textReply(200, "ok")
      : textReply(503, "a service thread makes no progress"),
  "/readyz": ({ state }) => textReply(state === "serving" ? 200 : 503, state),
};

const CONTROL: Readonly<Record<string, Route>> = {
  "/status": async (subject) => jsonReply(200, await subject.status()),
};

const CHANGES: Readonly<Record<string, Route>> = {
  "/reload": async (subject) => {
    const { fault, lines } = await subject.reload();
    return jsonReply(fault === undefined ? 200 : 409, { fault: fault ?? null, lines });
  },
};

/** Answers for `subject` at a door. */
export function answerFor(subject: Subject, { mayControl, isPort }: DoorRights): Answer {
  const shown = mayControl ? { ...SHOWN, ...CONTROL } : SHOWN;
  const changes = mayControl ? CHANGES : {};
  return async ({ method, path, host }: Request) => {
    if (isPort && !isLoopbackHost(host)) return textReply(421, "ask by an address of the loopback");
    const reading = Object.hasOwn(shown, path) ? shown[path] : undefined;
    const changing = Object.hasOwn(changes, path) ? changes[path] : undefined;
    const allowed = reading !== undefined
      ? ["GET", "HEAD"]
      : changing !== undefined
      ? ["POST"]
      : [];
    const route = reading ?? changing;
    if (route === undefined) {
      const known = [...Object.keys(shown), ...Object.keys(changes)].join(", ");
      return textReply(404, `there are ${known}`);
    }
    if (allowed.includes(method)) return await route(subject);
    const allow = allowed.join(", ");
    return { ...textReply(405, `write ${allow}`), allow };
  };
}
