/**
 * Looking again and again, until somebody has seen enough.
 *
 * @module
 */
import { EXIT, type ExitCode } from "../../base/errors.ts";
import { printError, writeTo } from "../output.ts";
import type { Looker } from "./look.ts";

/** The cursor goes home, and the screen is empty (ECMA-48: CUP, ED). */
const CLEAR = "\x1b[H\x1b[2J";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How to look. */
export interface WatchOptions {
  readonly json: boolean;
  readonly intervalS: number;
}

/** Shows look after look; ends with a signal, or when nobody reads any more. */
export async function watch(
  looker: Looker,
  { json, intervalS }: WatchOptions,
): Promise<ExitCode> {
  using end = awaitEnd();
  const isScreen = Deno.stdout.isTerminal() && !json;
  for (let isFirst = true;; isFirst = false) {
    const looked = await Promise.race([looker.look(), end.promise]);
    if (looked === undefined) return EXIT.ok;
    const { text, faults, code } = looked;
    // Whoever watches nothing wants to know at once.
    if (!looker.hasSeen) {
      printError(faults);
      return code;
    }
    const gap = isScreen ? CLEAR : isFirst || json ? "" : "\n";
    if (!writeTo(Deno.stdout, gap + text + (isScreen ? faults : ""))) return EXIT.ok;
    if (!isScreen) printError(faults);
    await end.within(intervalS);
    if (end.hasCome) return EXIT.ok;
  }
}

/** The wish of whoever watches to end it. */
interface End extends Disposable {
  readonly hasCome: boolean;
  readonly promise: Promise<undefined>;
  /** Comes back after `seconds`, or when the end has come. */
  within(seconds: number): Promise<void>;
}

function awaitEnd(): End {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let hasCome = false;
  const come = () => {
    hasCome = true;
    resolve(undefined);
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, come);
  return {
    get hasCome() {
      return hasCome;
    },
    promise,
    async within(seconds) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const pause = new Promise<void>((done) => timer = setTimeout(done, seconds * 1000));
      await Promise.race([pause, promise]);
      clearTimeout(timer);
    },
    [Symbol.dispose]() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, come);
    },
  };
}
