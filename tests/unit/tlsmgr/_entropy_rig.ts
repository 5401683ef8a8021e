/**
 * What the tests of entropy share: a loop that turns when told to, a clock that stands still, slow calls
 * that wait, and the answers of a source in order.
 *
 * @module
 */
import type { Bytes } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import type { EntropySource, SourceFault } from "../../../lib/tlsmgr/entropy_source.ts";
import { FakeSlowCalls } from "../../support/fake_slow_calls.ts";
import { waitUntil } from "../../support/wait.ts";

/** The loop and what belongs to it, and a folder. */
export class LoopRig implements Disposable {
  readonly clock = new ManualClock();
  readonly reactor = new Reactor(this.clock);
  readonly slowCalls = new FakeSlowCalls();
  readonly folder = Deno.makeTempDirSync({ prefix: "postern-loop-" });

  /** Path of `name` in the folder. */
  file(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Moves the clock and lets the loop turn. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.reactor.turn(0);
  }

  /** Turns while others work, until `probe` is true. */
  async turnUntil(what: string, probe: () => boolean): Promise<void> {
    await waitUntil(what, () => {
      this.reactor.turn(0);
      return probe();
    });
  }

  [Symbol.dispose](): void {
    this.reactor.close();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** One question to a source, and what came of it. */
export class Asked {
  /** All bytes, in order. */
  readonly bytes: number[] = [];
  /** How many bytes each piece had. */
  readonly pieces: number[] = [];
  /** How often `done` was called. */
  ends = 0;
  fault: SourceFault | undefined;

  constructor(source: EntropySource, count: number) {
    source.ask(
      count,
      (piece: Bytes) => {
        this.pieces.push(piece.length);
        this.bytes.push(...piece);
      },
      (fault) => {
        this.ends++;
        this.fault = fault;
      },
    );
  }
}
