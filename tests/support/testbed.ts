/**
 * One Postfix instance with each TLS service served by whom the test wants.
 *
 * It starts the parts in the order in which they need each other: our tlsmgr, Postfix, our tlsproxy
 * (which may ask Postfix's tlsmgr at its start), and ends them the other way round.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { servedBy } from "./interop.ts";
import { type Postern, type Role, startPostern } from "./postern.ts";
import { type PostfixInstance, preparePostfix } from "./postfix.ts";
import { type PostfixOptions, tlsSettings } from "./postfix_config.ts";
import { countDescriptorsOf } from "./process.ts";
import { waitUntil } from "./wait.ts";

/** A running instance with its TLS services. */
export class Testbed implements AsyncDisposable {
  readonly postfix: PostfixInstance;
  /** Our tlsmgr, when it serves. */
  tlsmgr: Postern | undefined;
  /** Our tlsproxy, when it serves. */
  tlsproxy: Postern | undefined;
  readonly #stack: AsyncDisposableStack;

  private constructor(postfix: PostfixInstance, stack: AsyncDisposableStack) {
    this.postfix = postfix;
    this.#stack = stack;
  }

  /** Starts everything. `wanted` says who serves; `POSTERN_INTEROP_SERVED_BY` may overrule it. */
  static async start(wanted: PostfixOptions = {}): Promise<Testbed> {
    const options: PostfixOptions = {
      ...wanted,
      tlsmgr: servedBy(wanted.tlsmgr ?? "postfix"),
      tlsproxy: servedBy(wanted.tlsproxy ?? "postfix"),
    };
    const stack = new AsyncDisposableStack();
    try {
      const postfix = stack.use(await preparePostfix(options));
      const bed = new Testbed(postfix, stack);
      if (options.tlsmgr === "ours") bed.tlsmgr = stack.use(await bed.#startRole("tlsmgr"));
      stack.defer(() => postfix.stop());
      await postfix.start();
      if (options.tlsproxy === "ours") bed.tlsproxy = stack.use(await bed.#startRole("tlsproxy"));
      return bed;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** Ends our tlsmgr as a crash would, and starts another one in its place. */
  async killTlsmgr(): Promise<void> {
    const { tlsmgr } = this;
    if (tlsmgr === undefined) return;
    tlsmgr.signal("SIGKILL");
    await waitUntil("the end of tlsmgr", () => !tlsmgr.alive);
    this.tlsmgr = this.#stack.use(await this.#startRole("tlsmgr"));
  }

  #startRole(role: Role): Promise<Postern> {
    const { folders, layout, options } = this.postfix;
    return startPostern({
      role,
      socket: this.postfix.socketPath(role),
      user: "postfix",
      settingsPath: `${folders.root}/${role}.toml`,
      settings: {
        queue_directory: folders.queue,
        data_directory: folders.data,
        ...tlsSettings(layout, options),
      },
    });
  }

  /**
   * Open descriptors of whoever serves `private/tlsproxy`. Ours is one process; Postfix starts another
   * one when it likes.
   */
  async tlsproxyDescriptors(): Promise<{ processes: number; descriptors: number }> {
    const pids = this.tlsproxy === undefined
      ? await this.postfix.pidsOf("tlsproxy")
      : [this.tlsproxy.pid];
    let descriptors = 0;
    for (const pid of pids) descriptors += await countDescriptorsOf(pid);
    return { processes: pids.length, descriptors };
  }

  /** Asserts that neither Postfix nor postern logged anything worse than info. */
  async assertNoProblems(): Promise<void> {
    assertEquals(await this.postfix.maillog.problems(), []);
    assertEquals(this.tlsmgr?.problems() ?? [], []);
    assertEquals(this.tlsproxy?.problems() ?? [], []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
