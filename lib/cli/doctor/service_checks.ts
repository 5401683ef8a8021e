/**
 * Where the services listen, where random bytes come from, what the machine allows and knows.
 *
 * @module
 */
import { resolvePath } from "../../config/paths.ts";
import { FatalError } from "../../base/errors.ts";
import type { ServiceName } from "../../config/services.ts";
import type { Settings } from "../../config/settings.ts";
import { describeFileFault } from "../file_fault.ts";
import type { Check, Finding } from "./finding.ts";
import { type Ground, servicesOf } from "./ground.ts";
import type { Listener, Machine } from "./machine.ts";
import { callOf, socketOf, tableOf, utcTime } from "./wording.ts";

/** sun_path of unix(7), without the NUL at its end. */
const SOCKET_PATH_BYTES_MAX = 107;
/** Sockets, log, caches and libraries of a service; more than any has. */
const OTHER_FILES = 128;
/** A session has a socket on either side. */
const FILES_PER_SESSION = 2;
/** 2026-01-01: no clock that is right is before the making of this program. */
const EARLIEST_S = 1_767_225_600;
/** Files may be this much younger than the clock. */
const SKEW_MAX_S = 86_400;

export const SOCKETS: Check = {
  name: "sockets",
  about: "who listens where clients look for a service",
  applies: ({ services }) => services.length > 0,
  async find({ services, machine }) {
    const findings: Finding[] = [];
    for (const settings of services) findings.push(...await socketFindings(settings, machine));
    return findings;
  },
};

async function socketFindings(settings: Settings, machine: Machine): Promise<Finding[]> {
  const { service, parameters } = settings;
  const { socket } = service;
  const [which, table] = [socketOf(settings), tableOf(settings)];
  const bytes = new TextEncoder().encode(socket).length;
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    return [{
      severity: "error",
      message: `The path of ${which} has ${bytes} bytes, and the system takes ` +
        `${SOCKET_PATH_BYTES_MAX}: "${socket}"`,
      remedy: `Set [${table}] socket to a shorter path`,
    }];
  }
  const folder = socket.slice(0, socket.lastIndexOf("/")) || "/";
  const folderFault = faultOf(folder, ({ isDirectory }) => isDirectory ? "" : "it is no folder");
  if (folderFault !== "") {
    return [{
      severity: "error",
      message: `Cannot look into the folder of ${which}, "${folder}": ${folderFault}`,
      remedy: `Check queue_directory and [${table}] socket; folders of Postfix's own let ` +
        "only root and Postfix in",
    }];
  }
  const listener = await machine.listener(socket);
  if (listener === undefined) return [silent(settings, socket)];
  const findings = clientFindings(table, socket, machine.account(parameters.mail_owner));
  const other = strangerAmong(listener);
  // Where master(8) is to start postern, it holds the socket.
  if (other === undefined || service.mode === "master") return findings;
  return [{
    severity: "warning",
    message:
      `The socket "${socket}" is served by process ${other.pid}, ${other.name}, and not by ` +
      "postern",
    remedy: other.name === "master"
      ? `Put a "#" before the entry ${lastPart(socket)} in master.cf, postfix reload, then start it`
      : "End that process, then start postern",
  }, ...findings];
}

/** What master.cf calls a service with this socket. */
function lastPart(socket: string): string {
  return socket.slice(socket.lastIndexOf("/") + 1);
}

function silent(service: ServiceName, socket: string): Finding {
  const kind = faultOf(socket, ({ isSocket }) => isSocket ? "" : "it is no socket");
  if (kind === "it is no socket") {
    return {
      severity: "error",
      message: `Something that is no socket stands where ${
        callOf(service)
      } would listen: "${socket}"`,
      remedy: "Remove it, or change the path of the socket",
    };
  }
  return {
    severity: "warning",
    message: `Nobody listens on ${socketOf(service)} "${socket}"`,
    remedy: `Start the service: ${startOf(service)}`,
  };
}

/** How it is started; there is no unit for an instance of tlsmgr. */
function startOf({ role, instance }: ServiceName): string {
  if (instance === undefined) return `systemctl start postern-${role}, or postern --role ${role}`;
  const byHand = `postern --instance ${instance}`;
  return role === "tlsmgr" ? byHand : `systemctl start postern-tlsproxy@${instance}, or ${byHand}`;
}

/** Executables that may hold the socket for postern. */
const OURS = ["postern", "systemd"];

/** A process that is not ours, when none that may be seen is; master(8) first, which starts others. */
function strangerAmong({ processes }: Listener): Listener["processes"][number] | undefined {
  if (processes.some(({ name }) => OURS.includes(name))) return undefined;
  return processes.find(({ name }) => name === "master") ?? processes[0];
}

/** Whether Postfix's own account may connect. */
function clientFindings(
  table: string,
  socket: string,
  account: ReturnType<Machine["account"]>,
): Finding[] {
  const { mode, uid, gid } = Deno.statSync(socket);
  if (account === undefined || mode === null) return [];
  const bits = uid === account.uid
    ? mode >> 6
    : account.gids.includes(gid ?? -1)
    ? mode >> 3
    : mode;
  if ((bits & 0o2) !== 0) return [];
  return [{
    severity: "error",
    message: `Postfix's account may not connect to "${socket}": its mode is ` +
      `${(mode & 0o777).toString(8).padStart(4, "0")}`,
    remedy: `Set [${table}] socket_mode = "0666" (the folder private keeps others out), or ` +
      "socket_group to a group of mail_owner",
  }];
}

export const LIMITS: Check = {
  name: "limits",
  about: "whether as many files may be open as connections and sessions need",
  applies: ({ services }) => services.length > 0,
  async find({ services, machine }) {
    const findings: Finding[] = [];
    for (const settings of services) {
      const { role, service } = settings;
      const running = (await machine.listener(service.socket))?.processes
        .find(({ name }) => name === "postern");
      const allowed = machine.openFilesMax(running?.pid);
      const wanted = OTHER_FILES +
        (role === "tlsmgr" ? service.max_connections : FILES_PER_SESSION * service.max_sessions);
      if (allowed === undefined || allowed >= wanted) continue;
      const setting = role === "tlsmgr" ? "max_connections" : "max_sessions";
      const who = running === undefined
        ? "A process started from here"
        : `The running ${callOf(settings)}`;
      findings.push({
        severity: running === undefined ? "note" : "warning",
        message: `${who} may open ${allowed} files, and [${
          tableOf(settings)
        }] ${setting} needs ${wanted}`,
        remedy: `LimitNOFILE=${wanted} in its unit, ulimit -n ${wanted} before the start, or a ` +
          `smaller ${setting}`,
      });
    }
    return findings;
  },
};

export const CLOCK: Check = {
  name: "clock",
  about: "whether the clock can be right",
  applies: () => true,
  find({ machine, source, services }) {
    const nowS = machine.clock.unixSeconds();
    const remedy = "Set the clock, and keep it right with NTP: certificates, caches and tickets " +
      "depend on it";
    if (nowS < EARLIEST_S) {
      const message = `The clock says ${utcTime(nowS)}, before this program was made`;
      return [{ severity: "error", message, remedy }];
    }
    const files = [
      ...(source instanceof FatalError ? [] : [source.name]),
      ...new Set(services.map(({ parameters }) => parameters.data_directory)),
    ];
    const young = files.find((path) => changedAt(path) > nowS + SKEW_MAX_S);
    if (young === undefined) return [];
    const message = `The clock says ${utcTime(nowS)}, but "${young}" was changed on ` +
      utcTime(changedAt(young));
    return [{ severity: "warning", message, remedy }];
  },
};

function changedAt(path: string): number {
  try {
    return (Deno.statSync(path).mtime?.getTime() ?? 0) / 1000;
  } catch {
    // What is not there says nothing about the clock.
    return 0;
  }
}

/** Why `path` cannot be used: a system's reason, or what `judge` says; empty when it can. */
export function faultOf(path: string, judge: (status: Deno.FileInfo) => string): string {
  try {
    return judge(Deno.statSync(path));
  } catch (error) {
    return describeFileFault(error);
  }
}

export const ENTROPY: Check = {
  name: "entropy",
  about: "the source of random bytes, and the folder of the exchange file",
  applies: ({ services }) => servicesOf(services, "tlsmgr").length > 0,
  async find({ services, machine }: Ground) {
    const findings: Finding[] = [];
    for (const { parameters } of servicesOf(services, "tlsmgr")) {
      findings.push(...await entropyFindings(parameters, machine));
    }
    return findings;
  },
};

async function entropyFindings(
  parameters: Settings["parameters"],
  machine: Machine,
): Promise<Finding[]> {
  const { tls_random_source: name, tls_random_exchange_name: exchange } = parameters;
  const findings: Finding[] = [];
  const remedy = 'tls_random_source = "dev:/dev/urandom" is right for every Linux';
  const add = (severity: Finding["severity"], message: string) =>
    findings.push({
      severity,
      message: `Cannot use tls_random_source = ${name}: ${message}`,
      remedy,
    });
  if (name !== "") {
    const { parseSourceName } = await import("../../tlsmgr/entropy_source.ts");
    const { kind, path: given } = parseSourceName(name);
    const path = resolvePath(given, parameters.queue_directory);
    const fault = faultOf(path, (status) => {
      if (kind === "device") return status.isCharDevice ? "" : "it is no device";
      if (kind === "egd") return status.isSocket ? "" : "it is no socket";
      if (!status.isFile) return "it is no regular file";
      return status.size >= parameters.tls_random_bytes ? "" : `it has ${status.size} bytes`;
    });
    if (fault !== "") add("error", fault);
    else if (kind === "egd" && await machine.listener(path) === undefined) {
      add("error", "nobody listens there");
    }
  }
  const folder = resolvePath(exchange, parameters.queue_directory).replace(/\/[^/]*$/, "");
  const fault = exchange === "" ? "" : faultOf(
    folder || "/",
    ({ isDirectory }) => isDirectory ? "" : "it is no folder",
  );
  // The check of the data directory says it where it is that one.
  if (fault !== "" && folder !== parameters.data_directory) {
    findings.push({
      severity: "error",
      message: `Cannot write tls_random_exchange_name = ${exchange}: "${folder}": ${fault}`,
      remedy: "Name a file below data_directory, or make it empty",
    });
  }
  return findings;
}
