/**
 * A local client of tlsproxy that hands a TCP connection over, and the remote peer at its other end.
 *
 * Deno cannot pass descriptors, so the client is the Python script beside this file; it needs
 * `python3` and shares no code with `lib/`. The remote peer is Deno's own TLS (rustls).
 *
 * @module
 */

import { CERTIFICATE_NAMES } from "./certificates.ts";
import { supportPath } from "./paths.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { inTime } from "./wait.ts";

/** Options of {@linkcode passDescriptor}. */
export interface PassOptions {
  /** How many descriptors go with the byte. @default {1} */
  descriptors?: number;
  /** The step after which the client goes away. */
  stopAfter?: "connect" | "announcement" | "half-request" | "request" | "status";
}

/** Both ends of a session that is being handed over. */
export class PassedSession implements AsyncDisposable {
  /** The script: its standard streams are the plaintext side, its standard error tells the steps. */
  readonly local: RunningProcess;
  /** The remote peer's end of the TCP connection that was passed. */
  readonly remote: Deno.TcpConn;
  #tls: Deno.TlsConn | undefined;

  constructor(local: RunningProcess, remote: Deno.TcpConn) {
    this.local = local;
    this.remote = remote;
  }

  /** Waits until the script has reported `step`, and returns what it said. */
  reported(step: string): Promise<string> {
    const pattern = new RegExp(`^${step}: (.*)$`, "m");
    return this.local.waitFor(step, () => pattern.exec(this.local.stderr)?.[1]);
  }

  /** The remote peer's TLS handshake, as a client. */
  async handshake(caPem: string): Promise<Deno.TlsConn> {
    const hostname = CERTIFICATE_NAMES[0];
    this.#tls = await Deno.startTls(this.remote, { hostname, caCerts: [caPem] });
    await inTime("the TLS handshake", this.#tls.handshake());
    return this.#tls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      (this.#tls ?? this.remote).close();
    } catch (error) {
      // A test may have closed it, or a failed start of TLS may have taken it.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await this.local[Symbol.asyncDispose]();
  }
}

/** Starts a hand-over to the tlsproxy that listens at `socketPath`. */
export async function passDescriptor(
  socketPath: string,
  options: PassOptions = {},
): Promise<PassedSession> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = [supportPath("pass_fd.py"), socketPath, `127.0.0.1:${listener.addr.port}`];
  if (options.descriptors !== undefined) args.push("--descriptors", String(options.descriptors));
  if (options.stopAfter !== undefined) args.push("--stop-after", options.stopAfter);
  const local = startProcess("python3", args);
  // The script connects to the listener first, so that its connection waits there by then.
  await local.waitFor("the connection to tlsproxy", () => /^connect: /m.test(local.stderr));
  const remote = await listener.accept();
  return new PassedSession(local, remote);
}
