/**
 * Hands a connection over to tlsproxy, as postscreen(8) does for a remote SMTP client.
 *
 * @module
 */
import { ListPrinter } from "../../attr/print.ts";
import { ListReader, READ } from "../../attr/read.ts";
import { LIST_FAULT, LIST_MORE, ListScanner } from "../../attr/scan.ts";
import {
  AGAIN,
  closeDescriptor,
  connectUnix,
  describeFailure,
  INTERRUPTED,
  receive,
  sendDescriptor,
  sendWhole,
  socketPair,
} from "../../net/stream.ts";
import {
  decodeTlsproxyAnnouncement,
  decodeTlsproxyStatus,
  type HandOffRequest,
  printHandOff,
  TLSPROXY_FLAG,
} from "../../proto/tlsproxy.ts";
import { awaitAny, STEP_LIMIT_MS, stepFailure } from "./waiting.ts";

/** A session of tlsproxy, seen from outside; owns both descriptors. */
export interface Ends {
  /** The local client's end: plaintext. */
  readonly local: number;
  /** The remote client's end: TLS. */
  readonly remote: number;
}

const USUAL: HandOffRequest = {
  // Whatever the connection is: the log speaks of SMTP clients.
  remoteEndpoint: "[127.0.0.1]:12345",
  flags: TLSPROXY_FLAG.serverRole,
  handshakeTimeoutS: STEP_LIMIT_MS / 1000,
  sessionTimeoutS: STEP_LIMIT_MS / 1000,
  serverId: "demo",
};
const LIST_LIMITS = { bytesMax: 4096, attributesMax: 16 };

/**
 * Begins a session with the tlsproxy at `socket`; the handshake is up to the remote end.
 *
 * @param over what the request says that is not usual
 */
export function beginSession(socket: string, over: Partial<HandOffRequest> = {}): Ends {
  const local = connectUnix(socket);
  if (local < 0) throw stepFailure("connect to tlsproxy", describeFailure(local));
  try {
    askForSession(local, { ...USUAL, ...over });
    return { local, remote: passConnection(local) };
  } catch (error) {
    closeDescriptor(local);
    throw error;
  }
}

/** Closes the remote end, and waits until tlsproxy has closed the local one. */
export function endSession({ local, remote }: Ends): void {
  closeDescriptor(remote);
  const byte = new Uint8Array(1);
  for (;;) {
    const count = receive(local, byte, 1);
    if (count === AGAIN) awaitAny("the end of a session", [{ fd: local }]);
    else if (count !== INTERRUPTED && count <= 0) break;
  }
  closeDescriptor(local);
}

function askForSession(local: number, request: HandOffRequest): void {
  if (!decodeTlsproxyAnnouncement(readList(local, "the announcement of tlsproxy"))) {
    throw stepFailure("read the announcement of tlsproxy", "it is another one");
  }
  const fault = sendWhole(local, printHandOff(new ListPrinter().begin(), request));
  if (fault !== undefined) throw stepFailure("send tlsproxy a request", fault);
  const status = decodeTlsproxyStatus(readList(local, "the status of tlsproxy"));
  if (status !== 1) throw stepFailure("get a session from tlsproxy", `its status is ${status}`);
}

/** Passes one end of a connection; the other one. */
function passConnection(local: number): number {
  const pair = socketPair();
  if (typeof pair === "number") throw stepFailure("make a connection", describeFailure(pair));
  const passed = sendDescriptor(local, pair[1]);
  closeDescriptor(pair[1]);
  if (passed > 0) return pair[0];
  closeDescriptor(pair[0]);
  throw stepFailure("pass a descriptor to tlsproxy", describeFailure(passed));
}

/** Reads one list, byte by byte: what follows it is not ours to read yet. */
function readList(fd: number, what: string): ListReader {
  const bytes = new Uint8Array(LIST_LIMITS.bytesMax);
  const byte = new Uint8Array(1);
  const scanner = new ListScanner(LIST_LIMITS);
  for (let length = 0;;) {
    const count = receive(fd, byte, 1);
    if (count === AGAIN) {
      awaitAny(what, [{ fd }]);
    } else if (count === 1) {
      bytes[length++] = byte[0];
      const end = scanner.scan(bytes, length);
      if (end === LIST_FAULT) throw stepFailure(`read ${what}`, "it is too long");
      if (end !== LIST_MORE) return new ListReader().open(bytes, scanner, READ.strict);
    } else if (count !== INTERRUPTED) {
      throw stepFailure(`read ${what}`, count === 0 ? "it was closed" : describeFailure(count));
    }
  }
}
