/**
 * One Postfix instance with several postscreen(8) services, each with a tlsproxy of its own: Postfix's or
 * ours, under settings of its own.
 *
 * So the same client meets different servers, and what both log can be laid side by side.
 *
 * @module
 */

import { servedBy } from "./interop.ts";
import { freePorts, isListening } from "./ports.ts";
import { type Postern, startPostern } from "./postern.ts";
import { type PostfixOptions, type Side, tlsSettings } from "./postfix_config.ts";
import { Testbed } from "./testbed.ts";
import { waitUntil } from "./wait.ts";

/** One postscreen(8) and what stands behind it. */
export interface StationOptions {
  /** Who serves as tlsproxy. */
  side: Side;
  /** main.cf parameters of this tlsproxy, over and above those of the instance. */
  settings?: Readonly<Record<string, string>>;
}

/** A running station. */
export interface Station {
  /** The port of 127.0.0.1 where its postscreen(8) listens; it wants to be told who comes. */
  readonly port: number;
  /** The socket of its tlsproxy. */
  readonly socket: string;
  /** Texts of all lines that its tlsproxy has logged, in order; a severity above info stands before. */
  lines(): Promise<string[]>;
}

/** The instance with its stations. */
export class Stations<Name extends string> implements AsyncDisposable {
  readonly bed: Testbed;
  readonly #stations: ReadonlyMap<Name, Station>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    bed: Testbed,
    stations: ReadonlyMap<Name, Station>,
    stack: AsyncDisposableStack,
  ) {
    this.bed = bed;
    this.#stations = stations;
    this.#stack = stack;
  }

  /** Starts the instance and all stations; `POSTERN_INTEROP_SERVED_BY` may overrule who serves. */
  static async start<Name extends string>(
    wanted: Readonly<Record<Name, StationOptions>>,
    options: PostfixOptions = {},
  ): Promise<Stations<Name>> {
    const names = Object.keys(wanted) as Name[];
    const ports = freePorts(names.length);
    const services = names.flatMap((name, i) => servicesOf(name, wanted[name], ports[i]));
    const stack = new AsyncDisposableStack();
    try {
      const bed = stack.use(
        await Testbed.start({ ...options, services: [...options.services ?? [], ...services] }),
      );
      const stations = new Map<Name, Station>();
      for (const [i, name] of names.entries()) {
        const port = ports[i];
        const socket = bed.postfix.socketPath(serviceName(name));
        const ours = servedBy(wanted[name].side) === "ours"
          ? stack.use(await startOurs(bed, name, wanted[name]))
          : undefined;
        const lines = ours === undefined
          ? () => linesOfPostfix(bed, name)
          : () => Promise.resolve(linesOfOurs(ours));
        stations.set(name, { port, socket, lines });
        await waitUntil(`the postscreen of ${name} to listen`, () => isListening(port));
      }
      return new Stations(bed, stations, stack);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** The station called `name`. */
  at(name: Name): Station {
    return this.#stations.get(name)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function serviceName(name: string): string {
  return `tlsproxy-${name}`;
}

function servicesOf(name: string, { side, settings }: StationOptions, port: number): string[] {
  const services = [
    `127.0.0.1:${port} inet n - n - 1 postscreen`,
    `  -o tlsproxy_service_name=${serviceName(name)}`,
    "  -o postscreen_upstream_proxy_protocol=haproxy",
    // Without the first half of its greeting it does not wait before the second one.
    "  -o postscreen_greet_banner=",
  ];
  if (servedBy(side) === "ours") return services;
  return [
    ...services,
    `${serviceName(name)} unix - - n - 0 tlsproxy`,
    // Its lines can be told from those of the others.
    `  -o syslog_name=${serviceName(name)}`,
    ...Object.entries(settings ?? {}).map(([key, value]) => `  -o { ${key} = ${value} }`),
  ];
}

function startOurs(bed: Testbed, name: string, options: StationOptions): Promise<Postern> {
  const { folders, layout, options: common } = bed.postfix;
  return startPostern({
    role: "tlsproxy",
    socket: bed.postfix.socketPath(serviceName(name)),
    user: "postfix",
    settingsPath: `${folders.root}/${serviceName(name)}.toml`,
    // The order of log lines is the order of events.
    service: { workers: 1 },
    settings: {
      compatibility_level: "3.6",
      queue_directory: folders.queue,
      data_directory: folders.data,
      ...tlsSettings(layout, common),
      ...options.settings,
    },
  });
}

async function linesOfPostfix(bed: Testbed, name: string): Promise<string[]> {
  const lines = await bed.postfix.maillog.lines();
  const before = `${serviceName(name)}/tlsproxy[`;
  return lines.filter((line) => line.includes(before)).map(textOf);
}

function linesOfOurs(role: Postern): string[] {
  return role.log.split("\n").filter((line) => line !== "").map(textOf);
}

/** A log line without time, host and process. */
function textOf(line: string): string {
  return line.replace(/^.*?\[\d+\]: /, "");
}
