/**
 * Free TCP ports on 127.0.0.1 for servers that must be told their port beforehand.
 *
 * Ports come from below the range that Linux uses for outgoing connections, so that between the
 * choice and the server's `bind` no client takes the port by accident, and start at a random place,
 * so that test processes that run side by side seldom ask for the same one.
 *
 * @module
 */

const LOWEST = 10_000;
const COUNT = 22_000;

const handedOut = new Set<number>();

/** Chooses `count` different ports that nobody listens on. */
export function freePorts(count: number): number[] {
  const ports: number[] = [];
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  for (let step = 0; ports.length < count; step++) {
    if (step >= COUNT) throw new Error(`Cannot find ${count} free ports: all are in use`);
    const port = LOWEST + (random + step) % COUNT;
    if (handedOut.has(port) || !isFree(port)) continue;
    handedOut.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/**
 * Whether a TCP server listens on 127.0.0.1:`port`; asks the kernel's table (`/proc/net/tcp`), so the
 * server sees no connection.
 */
export async function isListening(port: number): Promise<boolean> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await Deno.readTextFile("/proc/net/tcp");
  // Columns: number, local address, remote address, state; 0A is LISTEN.
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === "0A" && (local?.endsWith(`:${hexPort}`) ?? false);
  });
}
