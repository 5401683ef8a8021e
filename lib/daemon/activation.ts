/**
 * Sockets that systemd has opened for the service (sd_listen_fds(3)).
 *
 * LISTEN_PID says whom they are for, LISTEN_FDS how many there are, from descriptor 3 on, and
 * LISTEN_FDNAMES what the socket units call them. A socket fits by its name (the role, or a unit called
 * after it) or by its path; a single one fits whatever it is called, unless it is called after the other
 * role. It belongs to systemd, which goes on listening when the service has ended: its name in the file
 * system is never removed here.
 *
 * Among them stand the descriptors that a run before this one has had kept; they are no sockets, and go by
 * their names.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { ROLE_NAMES, type RoleName } from "../config/parameters.ts";
import { closeFile } from "../ffi/libc/file.ts";
import {
  setCloseOnExec,
  setNonBlocking,
  SOCKET,
  socketOption,
  socketPath,
} from "../ffi/libc/socket.ts";
import { describeErrno } from "../ffi/errno.ts";
import { type Environment, readNumber } from "./environment.ts";

/** sd-daemon.h: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** More than any unit passes. */
const SOCKETS_MAX = 1_000;

const HINT = "The socket unit needs ListenStream= with an absolute path, and Accept=no";

/** A descriptor that was passed, and what its unit calls it. */
export interface PassedSocket {
  readonly fd: number;
  readonly name: string;
}

/** The sockets that are for process `pid`; none when there are none. The variables are removed. */
export function takePassedSockets(
  environment: Environment,
  pid: number,
): readonly PassedSocket[] {
  const forPid = readNumber(environment, "LISTEN_PID");
  const count = readNumber(environment, "LISTEN_FDS") ?? 0;
  const names = (environment.get("LISTEN_FDNAMES") ?? "").split(":");
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) environment.delete(name);
  if (forPid !== pid || count > SOCKETS_MAX) return [];
  return Array.from({ length: count }, (_, index) => {
    const fd = FIRST_FD + index;
    setCloseOnExec(fd);
    return { fd, name: names[index] ?? "" };
  });
}

/** What ticket keys are kept in, by the name that it was given to the service manager with. */
export const TICKET_KEYS_NAME = "ticket-keys";

/** Tells what a run before this one has had kept from the sockets, whatever kind of descriptor it is. */
export function splitKept(
  passed: readonly PassedSocket[],
): { readonly sockets: readonly PassedSocket[]; readonly kept: readonly number[] } {
  const isKept = ({ name }: PassedSocket) => name === TICKET_KEYS_NAME;
  return {
    sockets: passed.filter((one) => !isKept(one)),
    kept: passed.filter(isKept).map(({ fd }) => fd),
  };
}

/**
 * The descriptor that `role` shall listen on, non-blocking; the others are closed. Throws
 * {@linkcode FatalError} when none of them fits, or the one that does is no listening UNIX-domain stream
 * socket.
 *
 * @param path the socket of the settings
 */
export function choosePassedSocket(
  sockets: readonly PassedSocket[],
  { role, path }: { readonly role: RoleName; readonly path: string },
): number {
  const chosen = sockets.find(({ name }) => isCalledAfter(name, role)) ??
    sockets.find(({ fd }) => socketPath(fd) === path) ??
    onlyOne(sockets);
  for (const socket of sockets) if (socket !== chosen) closeFile(socket.fd);
  if (chosen === undefined) {
    const names = sockets.map(({ name }) => `"${name}"`).join(", ");
    throw new FatalError(
      `Cannot choose a socket of systemd's for ${role}: none of ${names} has its name or path`,
      { hint: `Write FileDescriptorName=${role} in the socket unit` },
    );
  }
  demandListener(chosen, role);
  return chosen.fd;
}

function isCalledAfter(name: string, role: RoleName): boolean {
  return new RegExp(`^(?:postern-)?${role}(?:@[^.]*)?(?:\\.socket)?$`).test(name);
}

function onlyOne(sockets: readonly PassedSocket[]): PassedSocket | undefined {
  if (sockets.length !== 1) return undefined;
  const [socket] = sockets;
  return ROLE_NAMES.some((role) => isCalledAfter(socket.name, role)) ? undefined : socket;
}

function demandListener({ fd, name }: PassedSocket, role: RoleName): void {
  const why = findListenerFault(fd);
  if (why === undefined) return;
  throw new FatalError(`Cannot serve ${role} on the socket "${name}" of systemd's: ${why}`, {
    hint: HINT,
  });
}

/**
 * Why connections of UNIX-domain streams cannot be accepted on `fd`; `undefined`: they can, and the
 * descriptor does not block.
 */
export function findListenerFault(fd: number): string | undefined {
  const domain = socketOption(fd, SOCKET.SO_DOMAIN);
  if (domain < 0) return describeErrno(-domain);
  if (domain !== SOCKET.AF_UNIX) return "it is not a UNIX-domain socket";
  if (socketOption(fd, SOCKET.SO_TYPE) !== SOCKET.SOCK_STREAM) return "it is not a stream socket";
  if (socketOption(fd, SOCKET.SO_ACCEPTCONN) !== 1) return "it does not listen";
  const result = setNonBlocking(fd);
  return result < 0 ? describeErrno(-result) : undefined;
}
