/**
 * What systemd is told about the state of the service: datagrams of `NAME=value` lines (sd_notify(3)).
 *
 * Nothing is said where NOTIFY_SOCKET is not set. A message that cannot be sent is counted as nothing:
 * the service does its work whoever listens. One that finds the socket's buffer full is lost, which for
 * WATCHDOG=1 a later one makes good.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { closeFile } from "../ffi/libc/file.ts";
import {
  abstractAddress,
  connect,
  send,
  sendWithDescriptor,
  unixAddress,
  unixDatagram,
} from "../ffi/libc/socket.ts";
import { describeErrno } from "../ffi/errno.ts";
import { type Environment, readNumber } from "./environment.ts";

/** Says nothing more often than this, milliseconds. */
const PULSE_MS_MIN = 50;

/** The notification socket of one process, or the absence of one. */
export class Notifier {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Connects to the socket that NOTIFY_SOCKET names: an absolute path, or `@name` for an abstract one.
   * The variable is removed. `complain` takes a line when it is set and cannot be used.
   */
  static fromEnvironment(
    environment: Environment,
    complain: (text: string) => void,
  ): Notifier {
    const name = environment.get("NOTIFY_SOCKET") ?? "";
    environment.delete("NOTIFY_SOCKET");
    if (name === "") return new Notifier(-1);
    const address = name.startsWith("@")
      ? abstractAddress(name.slice(1))
      : name.startsWith("/")
      ? unixAddress(name)
      : undefined;
    const fd = address === undefined ? -1 : unixDatagram();
    const result = address === undefined || fd < 0 ? fd : connect(fd, address);
    if (address !== undefined && result >= 0) return new Notifier(fd);
    const why = address === undefined ? "it is no socket's name" : describeErrno(-result);
    complain(`cannot notify systemd at NOTIFY_SOCKET=${name}: ${why}`);
    if (fd >= 0) closeFile(fd);
    return new Notifier(-1);
  }

  /** Connections are served. `status` is for people. */
  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`);
  }

  /**
   * The settings are being read again; {@linkcode Notifier.ready} ends that.
   *
   * @param monotonicUs CLOCK_MONOTONIC of this moment, microseconds: Type=notify-reload wants it
   */
  reloading(monotonicUs: bigint): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs}\nSTATUS=Reading the settings again`);
  }

  /** The end has begun. */
  stopping(status: string): void {
    this.#send(`STOPPING=1\nSTATUS=${status}`);
  }

  /** The service is alive. */
  pulse(): void {
    this.#send("WATCHDOG=1");
  }

  /** Whether somebody is told. */
  get isConnected(): boolean {
    return this.#fd >= 0;
  }

  /** Has the service manager keep a descriptor for the next run, under a name; 0, or `-errno`. */
  keep(name: string, descriptor: number): number {
    if (this.#fd < 0) return 0;
    const bytes = utf8(`FDSTORE=1\nFDNAME=${name}`);
    return Math.min(sendWithDescriptor(this.#fd, bytes, descriptor), 0);
  }

  /** Has the service manager forget all descriptors that it keeps under a name. */
  forget(name: string): void {
    this.#send(`FDSTOREREMOVE=1\nFDNAME=${name}`);
  }

  /** Closes the socket; nothing is said any more. */
  close(): void {
    if (this.#fd >= 0) closeFile(this.#fd);
    this.#fd = -1;
  }

  #send(text: string): void {
    if (this.#fd < 0) return;
    const bytes = utf8(text);
    send(this.#fd, bytes, bytes.length);
  }
}

/**
 * How often systemd wants to hear that the service is alive, in milliseconds: half of WATCHDOG_USEC, or
 * of `limitMs` where that is shorter. `undefined`: systemd does not watch this process. The variables
 * are removed.
 */
export function takePulseInterval(
  environment: Environment,
  process: { readonly pid: number; readonly limitMs: number },
): number | undefined {
  const microseconds = readNumber(environment, "WATCHDOG_USEC");
  const pid = readNumber(environment, "WATCHDOG_PID");
  environment.delete("WATCHDOG_USEC");
  environment.delete("WATCHDOG_PID");
  if (microseconds === undefined || microseconds === 0) return undefined;
  if (pid !== undefined && pid !== process.pid) return undefined;
  return Math.max(Math.min(microseconds / 1000, process.limitMs) / 2, PULSE_MS_MIN);
}
