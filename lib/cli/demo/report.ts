/**
 * What the demonstration prints.
 *
 * @module
 */
import type { SessionFindings } from "./session.ts";
import type { TlsmgrFindings } from "./tlsmgr_questions.ts";
import type { DemoFolder } from "./services.ts";

/** One way of resuming, and what came of its sessions, in order. */
export interface WayFindings {
  readonly protocol: string;
  /** What is resumed: a session id or a ticket. */
  readonly how: string;
  readonly sessions: readonly SessionFindings[];
}

const HEADINGS = ["protocol", "by", "first", "second", "third", "cipher", "bytes to and fro"];

/** The line about the program itself. */
export function programLine(versions: string, executable: { path: string; bytes: number }): string {
  const megabytes = (executable.bytes / 1e6).toFixed(1);
  const parts = versions.trim().split("\n").join(", ");
  return `${parts}\n${executable.path}: ${megabytes} MB\n`;
}

/** The line about tlsmgr. */
export function tlsmgrLine(found: TlsmgrFindings): string {
  return `tlsmgr    gave ${found.randomBytes} random bytes and a ticket key of ` +
    `${found.ticketKeyBytes} bytes; keeps sessions for ${found.timeoutS} s\n`;
}

/** The table of sessions. */
export function sessionTable(ways: readonly WayFindings[]): string {
  const rows = ways.map(({ protocol, how, sessions }) => [
    protocol,
    how,
    ...sessions.map(describe),
    sessions[0].handshake.cipher,
    bytesOf(sessions),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column].length))
  );
  return [HEADINGS, ...rows].map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd() + "\n"
  ).join("");
}

function describe({ handshake, handshakeMs }: SessionFindings): string {
  return `${handshake.resumed ? "resumed" : "full"} ${handshakeMs.toFixed(1)} ms`;
}

function bytesOf(sessions: readonly SessionFindings[]): string {
  return `${sessions.reduce((sum, { echoedBytes }) => sum + echoedBytes, 0)} intact`;
}

/** How to use the services that stay. */
export function stayText(folder: DemoFolder, relayPath: string, port: number): string {
  return `
Both services stay, until Ctrl-C:
    tlsmgr     ${folder.tlsmgrSocket}
    tlsproxy   ${folder.tlsproxySocket}
    settings   ${folder.settingsFile}

To connect, put a small TCP server in front of tlsproxy, and have openssl resume six times:
    $ python3 ${relayPath} &
    $ openssl s_client -connect 127.0.0.1:${port} -tls1_2 -reconnect </dev/null | grep -E '^(New|Reused)'
A Postfix with queue_directory = ${folder.path} finds both where it looks for them.
`;
}

/** A program in Python that hands TCP connections over to tlsproxy, and echoes what comes. */
export function relayProgram(folder: DemoFolder, port: number): string {
  return `\
# Hands each connection to TCP port ${port} over to tlsproxy, and sends back what it deciphers.
import socket, threading

REQUEST = {"remote_endpoint": "[127.0.0.1]:1", "flags": "1", "timeout": "10"}
BYTES = "".join(f"{name}\\0{value}\\0" for name, value in REQUEST.items())
BYTES += "timeout\\0" "300\\0" "serverid\\0" "demo\\0" "\\0"

def serve(connection):
    with socket.socket(socket.AF_UNIX) as tlsproxy:
        tlsproxy.connect(${JSON.stringify(folder.tlsproxySocket)})
        tlsproxy.recv(100)  # protocol=tlsproxy_protocol
        tlsproxy.sendall(BYTES.encode())
        tlsproxy.recv(100)  # status=1
        socket.send_fds(tlsproxy, [b"\\0"], [connection.fileno()])
        connection.close()
        while data := tlsproxy.recv(65536):
            tlsproxy.sendall(data)

with socket.create_server(("127.0.0.1", ${port})) as server:
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
`;
}
