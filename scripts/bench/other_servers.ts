/**
 * Proxies that end TLS too, as further columns: hitch, haproxy, nginx (stream) and stunnel.
 *
 * Each runs with one worker, the same certificates and the same two kinds of socket: TCP towards the
 * client, UNIX-domain towards the plaintext. What they do for a session differs in one thing: they
 * connect to the plaintext's end themselves, where tlsproxy is asked and given a socket. None of them is
 * installed by the benchmark.
 *
 * @module
 */

import { certificatePems, type PemFiles } from "../../tests/support/certificates.ts";
import { isInstalled } from "../../tests/support/interop.ts";
import { freePorts, isListening } from "../../tests/support/ports.ts";
import { type RunningProcess, startProcess } from "../../tests/support/process.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { cpuSecondsOf, type Memory, memoryOf, startOn } from "./accounting.ts";
import type { Front } from "./commands.ts";
import type { TlsServer } from "./servers.ts";

interface Ground {
  readonly folder: TempFolder;
  readonly port: number;
  readonly backend: string;
  readonly pems: PemFiles;
}

interface Proxy {
  readonly program: string;
  /** More that must be there. */
  readonly needs?: string;
  /** Whether it serves both certificates; else ECDSA alone. */
  readonly rsa: boolean;
  /** Writes its settings; its arguments. */
  prepare(ground: Ground): Promise<string[]>;
}

const NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

const PROXIES: Readonly<Record<string, Proxy>> = {
  hitch: {
    program: "/usr/sbin/hitch",
    rsa: false,
    async prepare({ folder, port, backend, pems }) {
      const pem = await folder.write("ec.pem", pems["ec.key"] + pems["ec.pem"], 0o600);
      const text = `frontend = "[127.0.0.1]:${port}"\nbackend = "${backend}"\nworkers = 1\n` +
        `pem-file = "${pem}"\ndaemon = off\nuser = "postfix"\nsyslog = off\nquiet = on\n`;
      return [`--config=${await folder.write("hitch.conf", text)}`];
    },
  },
  haproxy: {
    program: "/usr/sbin/haproxy",
    // It refuses a client that takes RSA alone, as long as an ECDSA authority has signed the certificate.
    rsa: false,
    async prepare({ folder, port, backend, pems }) {
      const pem = await folder.write("ec.pem", pems["ec.key"] + pems["ec.pem"], 0o600);
      const text = `global\n  nbthread 1\n  maxconn 9000\ndefaults\n  mode tcp\n` +
        `  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n` +
        `listen tls\n  bind 127.0.0.1:${port} ssl crt ${pem}\n` +
        `  server plaintext unix@${backend}\n`;
      return ["-db", "-f", await folder.write("haproxy.cfg", text)];
    },
  },
  nginx: {
    program: "/usr/sbin/nginx",
    needs: NGINX_STREAM,
    rsa: true,
    async prepare({ folder, port, backend, pems }) {
      for (const name of ["ec.pem", "ec.key", "rsa.pem", "rsa.key"] as const) {
        await folder.write(name, pems[name], 0o600);
      }
      const path = (name: string) => folder.file(name);
      const text = `load_module ${NGINX_STREAM};\ndaemon off;\nworker_processes 1;\nuser root;\n` +
        `pid ${path("nginx.pid")};\nerror_log stderr crit;\n` +
        `events { worker_connections 18000; }\nstream {\n  server {\n` +
        `    listen 127.0.0.1:${port} ssl;\n    proxy_pass unix:${backend};\n` +
        `    ssl_certificate ${path("ec.pem")};\n    ssl_certificate_key ${path("ec.key")};\n` +
        `    ssl_certificate ${path("rsa.pem")};\n    ssl_certificate_key ${path("rsa.key")};\n` +
        `    ssl_protocols TLSv1.2 TLSv1.3;\n    proxy_timeout 1h;\n  }\n}\n`;
      return ["-e", "stderr", "-c", await folder.write("nginx.conf", text)];
    },
  },
  stunnel: {
    program: "/usr/bin/stunnel4",
    rsa: false,
    async prepare({ folder, port, backend, pems }) {
      const pem = await folder.write("ec.pem", pems["ec.key"] + pems["ec.pem"], 0o600);
      const text = `foreground = yes\npid =\nsyslog = no\ndebug = err\n[tls]\n` +
        `accept = 127.0.0.1:${port}\nconnect = ${backend}\ncert = ${pem}\n` +
        `sslVersionMin = TLSv1.2\nTIMEOUTidle = 3600\n`;
      return [await folder.write("stunnel.conf", text)];
    },
  },
};

/** Names of all proxies that may be asked for. */
export const PROXY_NAMES: readonly string[] = Object.keys(PROXIES);

/** Those of `names` that are installed here. */
export function installedProxies(names: readonly string[] = PROXY_NAMES): string[] {
  return names.filter((name) => {
    const { program, needs } = PROXIES[name];
    return isInstalled(program) && (needs === undefined || isInstalled(needs));
  });
}

/** A running proxy. */
export class OtherServer implements TlsServer {
  readonly name: string;
  readonly front: Front;
  readonly rsa: boolean;
  readonly #process: RunningProcess;
  readonly #folder: TempFolder;

  private constructor(name: string, ground: Ground, process: RunningProcess) {
    this.name = name;
    this.front = { by: "tcp", port: ground.port, backend: ground.backend };
    this.rsa = PROXIES[name].rsa;
    this.#process = process;
    this.#folder = ground.folder;
  }

  static async start(name: string, processors: readonly number[]): Promise<OtherServer> {
    const folder = await TempFolder.make(name);
    const [port] = freePorts(1);
    const pems = await certificatePems();
    const ground: Ground = { folder, port, backend: folder.file("plaintext"), pems };
    // hitch looks for it at its start; whoever brings the load listens there later.
    Deno.listen({ transport: "unix", path: ground.backend }).close();
    const { program, prepare } = PROXIES[name];
    const args = await prepare(ground);
    const process = await startOn(processors, () => Promise.resolve(startProcess(program, args)));
    const server = new OtherServer(name, ground, process);
    try {
      await process.waitFor("its port", () => isListening(port));
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  cpuSeconds(): Promise<number> {
    return Promise.resolve(this.#pids().reduce((sum, pid) => sum + cpuSecondsOf(pid), 0));
  }

  memory(): Promise<Memory> {
    return Promise.resolve(memoryOf(this.#pids()));
  }

  /** The process and its children, whatever they are for. */
  #pids(): number[] {
    const children = (pid: number): number[] => {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
      return text.trim().split(" ").filter((word) => word !== "").map(Number)
        .flatMap((child) => [child, ...children(child)]);
    };
    return [this.#process.pid, ...children(this.#process.pid)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.signal("SIGTERM");
    await this.#process.ended();
    await this.#process[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
