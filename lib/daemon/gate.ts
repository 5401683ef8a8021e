/**
 * The gate between opening and serving: all service threads wait at it, the control thread opens it once.
 *
 * @module
 */

const CLOSED = 0;
const SERVE = 1;
const LEAVE = 2;

/** Memory of a closed gate. */
export function makeGate(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** Lets all threads that wait, and those that still come, serve or leave. The first word counts. */
export function openGate(gate: SharedArrayBuffer, way: "serve" | "leave"): void {
  const state = new Int32Array(gate);
  Atomics.compareExchange(state, 0, CLOSED, way === "serve" ? SERVE : LEAVE);
  Atomics.notify(state, 0);
}

/** Waits until the gate is open. Blocks the thread: not for the control thread. */
export function waitAtGate(gate: SharedArrayBuffer): "serve" | "leave" {
  const state = new Int32Array(gate);
  Atomics.wait(state, 0, CLOSED);
  return Atomics.load(state, 0) === SERVE ? "serve" : "leave";
}
