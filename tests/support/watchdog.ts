/**
 * Says which input a long run hangs on.
 *
 * A synchronous loop that never ends leaves nobody to say so: this looks from another thread whether
 * the loop still counts, and ends the process with the number it stopped at. For the nightly run; the
 * usual one is short, and bounded by its runner.
 *
 * @module
 */

/** Milliseconds for one input, on the slowest machine. */
const LIMIT_MS = 120_000;

const SOURCE = `
  onmessage = ({ data: { shared, what, limitMs } }) => {
    const counter = new Int32Array(shared);
    let last = -1;
    setInterval(() => {
      const now = Atomics.load(counter, 0);
      if (now === last) {
        console.error(what + ": no end at input " + now);
        Deno.exit(1);
      }
      last = now;
    }, limitMs);
  };
`;

/** Watches a loop until it is disposed of. */
export class Watchdog implements Disposable {
  readonly #counter = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #url: string;

  constructor(what: string) {
    this.#url = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
    this.#worker = new Worker(this.#url, { type: "module" });
    this.#worker.postMessage({ shared: this.#counter.buffer, what, limitMs: LIMIT_MS });
  }

  /** Input `number` is next. */
  reached(number: number): void {
    Atomics.store(this.#counter, 0, number);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
    URL.revokeObjectURL(this.#url);
  }
}
