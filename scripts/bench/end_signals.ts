/**
 * Whoever stops a run shall find none of its servers afterwards.
 *
 * @module
 */

const END_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Calls `act` for each signal that asks for the end, which ends nothing else then. */
export function onEndSignals(act: (signal: Deno.Signal) => void): Disposable {
  const handlers = END_SIGNALS.map((signal) => ({ signal, handler: () => act(signal) }));
  for (const { signal, handler } of handlers) Deno.addSignalListener(signal, handler);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, handler } of handlers) Deno.removeSignalListener(signal, handler);
    },
  };
}
