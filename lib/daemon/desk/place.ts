/**
 * Where the control socket of a service is: the one rule for the service that opens it and for the
 * commands that look for it.
 *
 * @module
 */
import type { Whereabouts } from "../../config/settings.ts";

/** Who opened the socket that a service serves. */
export type SocketOpener = "self" | "systemd" | "master";

/** The folder for sockets that tmpfiles.d makes; units let their service write there. */
const RUN_FOLDER = "/run/postern";
const SUFFIX = ".control";

/**
 * The path of the control socket; `undefined`: there is none.
 *
 * Beside a socket of its own a service may write, or it could not have made that one. Where systemd holds
 * the socket, its folder may be closed to the service, and {@linkcode RUN_FOLDER} is not. Under master(8)
 * two processes of one service may run side by side, and neither owns a name.
 */
export function controlPath(
  { socket, control }: Whereabouts,
  opener: SocketOpener,
): string | undefined {
  if (control === "off") return undefined;
  if (control !== "") return control;
  switch (opener) {
    case "self":
      return `${socket}${SUFFIX}`;
    case "systemd":
      return `${RUN_FOLDER}/${socket.replace(/^.*\//s, "")}${SUFFIX}`;
    case "master":
      return undefined;
  }
}

/** Where the control socket may be, for whoever does not know how the service was started. */
export function controlPaths(wishes: Whereabouts): readonly string[] {
  const openers: readonly SocketOpener[] = wishes.mode === "master"
    ? ["master"]
    : wishes.mode === "standalone"
    ? ["self"]
    : wishes.mode === "systemd"
    ? ["systemd"]
    : ["self", "systemd"];
  const paths = openers.map((opener) => controlPath(wishes, opener));
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** Whether it is the place that is used unless the settings name one. */
export function isDefaultPlace({ control }: Pick<Whereabouts, "control">): boolean {
  return control === "";
}

/** Whether `path` is a name in the folder for sockets that need not be there. */
export function isInRunFolder(path: string): boolean {
  return path.startsWith(`${RUN_FOLDER}/`);
}
