/**
 * A small SMTP client with STARTTLS on Deno's own TLS (rustls), for many sessions in one process.
 *
 * It is independent of OpenSSL, so that a server which only pleases its own kind is found out.
 *
 * @module
 */

import { CERTIFICATE_NAMES } from "./certificates.ts";
import { inTime } from "./wait.ts";

/** One SMTP connection. */
export class SmtpClient implements Disposable {
  #connection: Deno.TcpConn | Deno.TlsConn;
  #unread = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to 127.0.0.1:`port` and reads the greeting. */
  static async connect(port: number): Promise<SmtpClient> {
    const client = new SmtpClient(await Deno.connect({ hostname: "127.0.0.1", port }));
    try {
      await client.#expect("220 ", "connecting");
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
    return client;
  }

  /** Sends a command and returns the last line of the reply, which must begin with `wanted`. */
  async say(command: string, wanted: string): Promise<string> {
    await this.#write(`${command}\r\n`);
    return await this.#expect(wanted, command);
  }

  /** EHLO, STARTTLS and the handshake; `caPem` is the only authority that counts. */
  async startTls(caPem: string): Promise<void> {
    await this.say("EHLO client.example.test", "250 ");
    await this.say("STARTTLS", "220 ");
    const tls = await Deno.startTls(this.#connection as Deno.TcpConn, {
      hostname: CERTIFICATE_NAMES[0],
      caCerts: [caPem],
    });
    this.#connection = tls;
    await inTime("the TLS handshake", tls.handshake());
  }

  /** The bytes that the peer sends until it closes; for the end of a session. */
  async readToEnd(): Promise<string> {
    let text = this.#unread;
    this.#unread = "";
    for (;;) {
      const more = await this.#read();
      if (more === undefined) return text;
      text += more;
    }
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  async #read(): Promise<string | undefined> {
    const buffer = new Uint8Array(4096);
    const count = await inTime("bytes of the server", this.#connection.read(buffer));
    return count === null ? undefined : new TextDecoder().decode(buffer.subarray(0, count));
  }

  async #expect(wanted: string, after: string): Promise<string> {
    for (;;) {
      const found = /^\d{3} .*(?=\r\n)/m.exec(this.#unread);
      if (found !== null) {
        this.#unread = this.#unread.slice(found.index + found[0].length + 2);
        if (found[0].startsWith(wanted)) return found[0];
        throw new Error(`Wanted a reply like "${wanted}" after ${after}: "${found[0]}"`);
      }
      const more = await this.#read();
      if (more === undefined) {
        throw new Error(
          `Wanted a reply like "${wanted}" after ${after}: the connection ended after ` +
            JSON.stringify(this.#unread),
        );
      }
      this.#unread += more;
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
