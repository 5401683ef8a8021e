/**
 * The load program, seen from the benchmark: a process that is given commands and answers them.
 *
 * @module
 */

import { startOn } from "./accounting.ts";
import type { Command, Outcome } from "./commands.ts";

const PROGRAM = new URL("load.ts", import.meta.url);

/** A running load program; disposing of it ends it. */
export class LoadProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = linesOf(child.stdout);
  }

  /** Starts one on `processors`. */
  static async start(processors: readonly number[]): Promise<LoadProcess> {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-config", "--no-lock", "--quiet", PROGRAM.pathname],
      stdin: "piped",
      stdout: "piped",
    });
    return await startOn(processors, () => Promise.resolve(new LoadProcess(command.spawn())));
  }

  /** Has a command carried out. */
  async run(command: Command): Promise<Outcome> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("Cannot go on: the load program has ended");
    const answer = JSON.parse(value);
    if (answer.error !== undefined) {
      throw new Error(`Cannot run ${command.do} (${JSON.stringify(command)}): ${answer.error}`);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
    // Its last lines are nobody's; the stream must be at its end all the same.
    while (!(await this.#lines.next()).done);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
