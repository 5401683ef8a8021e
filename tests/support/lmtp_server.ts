/**
 * An LMTP server with STARTTLS beside a test; it needs `python3`, because Deno cannot take a
 * connection over into TLS on the server's side.
 *
 * @module
 */

import type { CertificatePaths } from "./certificates.ts";
import { supportPath } from "./paths.ts";
import { freePorts } from "./ports.ts";
import { type RunningProcess, startProcess } from "./process.ts";

/** What the server offers. */
export interface LmtpServerOptions {
  certificates: CertificatePaths;
  version?: "TLSv1.2" | "TLSv1.3";
  /** @default {true} */
  tickets?: boolean;
}

/** A running server. */
export class LmtpServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: RunningProcess;

  private constructor(port: number, process: RunningProcess) {
    this.port = port;
    this.#process = process;
  }

  /** Starts a server and waits until it listens. */
  static async start(options: LmtpServerOptions): Promise<LmtpServer> {
    const [port] = freePorts(1);
    const { rsaCertificate, rsaKey } = options.certificates;
    const args = [supportPath("lmtp_server.py"), String(port), rsaCertificate, rsaKey];
    if (options.version === "TLSv1.2") args.push("--tls12");
    if (options.tickets === false) args.push("--no-tickets");
    const process = startProcess("python3", args);
    try {
      await process.waitFor("listening", () => process.stdout.startsWith("listening\n"));
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    return new LmtpServer(port, process);
  }

  /** What it said of each TLS session so far: `TLSv1.3 full`, `TLSv1.2 resumed`. */
  sessions(): string[] {
    return [...this.#process.stdout.matchAll(/^session: (.*)$/gm)].map(([, what]) => what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
