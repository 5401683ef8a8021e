/**
 * The socket that a role serves: one of its own, or one that somebody else has opened for it.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import { closeFile } from "../ffi/libc/file.ts";
import { findGroup } from "../ffi/libc/identity.ts";
import { type ListenOptions, UnixListener } from "../net/unix_listener.ts";
import { choosePassedSocket, type PassedSocket } from "./activation.ts";

const BACKLOG = 1024;

/** An open listening socket. */
export interface Listening {
  readonly fd: number;
  /** What people are told. */
  readonly shown: string;
  /** The process has been shut into the folder `jail`. */
  enterJail(jail: string): void;
  /**
   * Gives it back; again is allowed. A socket of our own is closed and its name removed, so that whoever
   * connects finds out at once; another one stays open at its owner's.
   */
  close(): void;
}

/** Who opened the sockets that there are. */
export interface Offer {
  /** The socket of master(8)'s; absent: somebody else has started the process. */
  readonly master: { readonly listenFd: number } | undefined;
  /** Sockets of systemd's. */
  readonly passed: readonly PassedSocket[];
  /** User id that shall own the name of a socket of our own. */
  readonly ownerId: number;
}

/** The socket that `[service] mode` asks for. Throws {@linkcode FatalError} when it cannot be had. */
export function openListening(settings: Settings, { master, passed, ownerId }: Offer): Listening {
  const { mode, socket: path } = settings.service;
  if (master !== undefined) return new ForeignSocket(master.listenFd, "a socket of master(8)'s");
  if (mode === "master") {
    throw new FatalError(`Cannot serve ${settings.role}: master(8) has not started this process`, {
      hint: "Start it from master.cf, or leave [service] mode out",
    });
  }
  if (mode === "systemd" && passed.length === 0) {
    throw new FatalError(
      `Cannot serve ${settings.role}: systemd has passed no socket (LISTEN_FDS)`,
      { hint: "Start the socket unit, or leave [service] mode out" },
    );
  }
  if (passed.length > 0 && mode !== "standalone") {
    const fd = choosePassedSocket(passed, { role: settings.role, path });
    return new ForeignSocket(fd, "a socket of systemd's");
  }
  for (const { fd } of passed) closeFile(fd);
  const { socket_mode, socket_group } = settings.service;
  const options: ListenOptions = { mode: socket_mode, ownerId, backlog: BACKLOG };
  const groupId = groupIdOf(socket_group);
  if (groupId !== undefined) options.groupId = groupId;
  const listener = UnixListener.open(path, options);
  return {
    fd: listener.fd,
    shown: path,
    enterJail: (jail) => listener.enterJail(jail),
    close: () => listener.close(),
  };
}

/** A listening socket whose name belongs to somebody else. */
export class ForeignSocket implements Listening {
  readonly fd: number;
  readonly shown: string;
  #open = true;

  constructor(fd: number, shown: string) {
    this.fd = fd;
    this.shown = shown;
  }

  enterJail(_jail: string): void {
    // Its name is nothing to this process.
  }

  close(): void {
    if (this.#open) closeFile(this.fd);
    this.#open = false;
  }
}

function groupIdOf(group: string): number | undefined {
  if (group === "") return undefined;
  const id = /^[0-9]+$/.test(group) ? Number(group) : findGroup(group);
  if (id !== undefined) return id;
  throw new FatalError(`Cannot find the group "${group}" of the socket: there is none`, {
    hint: "Create the group, or change [service.ROLE] socket_group",
  });
}
