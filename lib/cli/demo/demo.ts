/**
 * `postern demo`: both services in a temporary folder, and TLS sessions that are made and resumed.
 *
 * Leaves nothing behind: neither the folder nor a process, whether it succeeds, fails or is
 * interrupted.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../../base/errors.ts";
import { ClientContext, type ClientPolicy, freeSession } from "../../tls/client.ts";
import { describeFileFault } from "../file_fault.ts";
import { print, printError } from "../output.ts";
import {
  programLine,
  relayProgram,
  sessionTable,
  stayText,
  tlsmgrLine,
  type WayFindings,
} from "./report.ts";
import { type DemoFolder, DemoService, furnish } from "./services.ts";
import { makeSession, type SessionFindings } from "./session.ts";
import { askTlsmgr } from "./tlsmgr_questions.ts";
import { stepFailure } from "./waiting.ts";

/** How the demonstration is run. */
export interface DemoOptions {
  /** Whether the services go on afterwards. */
  readonly stay: boolean;
  /** The lines of `--version`. */
  readonly versions: string;
}

/** The ways to resume a session. */
const WAYS: readonly { how: string; policy: ClientPolicy }[] = [
  { how: "session id", policy: { version: "TLSv1.2", tickets: false, cipherList: "ECDHE+aRSA" } },
  { how: "ticket", policy: { version: "TLSv1.2", tickets: true, cipherList: "ECDHE+aECDSA" } },
  { how: "ticket", policy: { version: "TLSv1.3", tickets: true, cipherList: "" } },
];

/** A full one, a resumed one, and one that resumes what the resumed one has left. */
const SESSIONS_EACH = 3;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Where the relay of `--stay` listens. */
const RELAY_PORT = 12_525;

/** Runs the demonstration. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const interruption = Promise.withResolvers<Deno.Signal>();
  const handlers = SIGNALS.map((signal) => ({
    signal,
    handler: () => interruption.resolve(signal),
  }));
  for (const { signal, handler } of handlers) Deno.addSignalListener(signal, handler);
  let signal: Deno.Signal | undefined;
  const stage = new Stage();
  try {
    signal = await Promise.race([interruption.promise, perform(stage, options)]);
  } catch (error) {
    stage.showLogs();
    throw error;
  } finally {
    await stage.clear();
    for (const { signal, handler } of handlers) Deno.removeSignalListener(signal, handler);
  }
  // To stay until a signal is what was asked for; otherwise whoever waits shall see what happened.
  if (signal !== undefined && !stage.stays) Deno.kill(Deno.pid, signal);
  return EXIT.ok;
}

async function perform(stage: Stage, options: DemoOptions): Promise<undefined> {
  print(programLine(options.versions, executable()));
  const folder = stage.furnish();
  await stage.start("tlsmgr");
  await stage.start("tlsproxy");
  print(`\n${tlsmgrLine(askTlsmgr(folder.tlsmgrSocket))}`);
  print("tlsproxy  takes each connection as a passed descriptor; TLS ends there\n\n");
  print(sessionTable(WAYS.map((way) => tryWay(folder, way))));
  if (!options.stay) return;
  const relay = `${folder.path}/relay.py`;
  Deno.writeTextFileSync(relay, relayProgram(folder, RELAY_PORT));
  print(stayText(folder, relay, RELAY_PORT));
  throw await stage.stay();
}

/** Makes the sessions of one way, each resuming the one before. */
function tryWay(folder: DemoFolder, way: (typeof WAYS)[number]): WayFindings {
  const { how, policy } = way;
  const context = new ClientContext(policy);
  const sessions: SessionFindings[] = [];
  try {
    for (let i = 0; i < SESSIONS_EACH; i++) {
      const resume = sessions.at(-1)?.session;
      sessions.push(makeSession(folder.tlsproxySocket, { context, resume }));
      const { resumed, protocol } = sessions[i].handshake;
      if (protocol !== policy.version) throw stepFailure(`speak ${policy.version}`, protocol);
      if (resumed === (i > 0)) continue;
      throw i === 0
        ? stepFailure(`make a full session of ${protocol}`, "it was resumed")
        : stepFailure(`resume a session of ${protocol} by ${how}`, "it was a full one");
    }
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    const { exitCode } = error;
    const where = `${policy.version}, ${how}, session ${sessions.length || 1}`;
    throw new FatalError(`${error.message} (${where})`, { exitCode, cause: error });
  } finally {
    for (const { session } of sessions) freeSession(session);
    context.close();
  }
  return { protocol: policy.version, how, sessions };
}

function executable(): { path: string; bytes: number } {
  const path = Deno.execPath();
  return { path, bytes: Deno.statSync(path).size };
}

/** The folder and the services: all that must be gone in the end. */
class Stage {
  /** Whether the services are meant to go on. */
  stays = false;
  readonly #services: DemoService[] = [];
  #folder: DemoFolder | undefined;
  #path: string | undefined;

  /** Makes the folder. */
  furnish(): DemoFolder {
    try {
      this.#path = Deno.makeTempDirSync({ prefix: "postern-demo." });
    } catch (cause) {
      throw new FatalError(`Cannot make a temporary folder: ${describeFileFault(cause)}`, {
        hint: "Set TMPDIR to a folder that this user may write",
        cause,
      });
    }
    this.#folder = furnish(this.#path);
    return this.#folder;
  }

  /** Starts a service in it. */
  async start(role: "tlsmgr" | "tlsproxy"): Promise<void> {
    const service = DemoService.start(role, this.#folder!);
    this.#services.push(service);
    await service.whenReady();
  }

  /** Waits for a service to end, which it should not. */
  stay(): Promise<FatalError> {
    this.stays = true;
    for (const service of this.#services) service.isHeard = true;
    return Promise.race(this.#services.map((service) => service.whenEnded()));
  }

  /** Prints what the services have said, for whoever wants to know why it went wrong. */
  showLogs(): void {
    for (const service of this.#services) if (!service.isHeard) printError(service.log);
  }

  /** Ends the services and removes the folder. */
  async clear(): Promise<void> {
    // tlsproxy first: it is a client of the other.
    for (const service of this.#services.toReversed()) await service.stop();
    if (this.#path !== undefined) await Deno.remove(this.#path, { recursive: true });
  }
}
