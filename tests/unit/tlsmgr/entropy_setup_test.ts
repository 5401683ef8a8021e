import { assert, assertEquals } from "@std/assert";
import type { ServiceHall } from "../../../lib/daemon/service_thread.ts";
import type { EntropyKeeper } from "../../../lib/tlsmgr/entropy.ts";
import { makeEntropyKeeper } from "../../../lib/tlsmgr/entropy_setup.ts";
import { RandomPool } from "../../../lib/tlsmgr/random_pool.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { EgdServer } from "../../support/egd_server.ts";
import { LoopRig } from "./_entropy_rig.ts";
import { ListLog, settingsFrom } from "./_setup.ts";

/** A keeper made from settings, over the real generator. */
class Bed extends LoopRig {
  readonly log = new ListLog();
  /** Bytes that were mixed in and counted. */
  stirredBytes = 0;
  keeper: EntropyKeeper | undefined;

  start(settings: string): void {
    const pool = new RandomPool(this.reactor, {
      fill: (bytes) => bytes.fill(1) !== undefined,
      stir: (bytes) => this.stirredBytes += bytes.length,
      stirUncounted: () => {},
    });
    const hall: Pick<ServiceHall, "reactor" | "settings" | "log" | "slowCalls" | "ownerId"> = {
      reactor: this.reactor,
      settings: settingsFrom(
        `data_directory = "${this.folder}"\nqueue_directory = "${this.folder}"\n${settings}`,
      ),
      log: this.log,
      slowCalls: this.slowCalls,
      ownerId: Deno.uid()!,
    };
    this.keeper = makeEntropyKeeper(hall, pool, {
      leave: () => {},
      fail: (error) => {
        throw error;
      },
    });
    this.keeper.start();
  }

  override [Symbol.dispose](): void {
    this.keeper?.close();
    super[Symbol.dispose]();
  }
}

testDescriptors(
  "makeEntropyKeeper() takes the defaults: a device, and a file among the data",
  () => {
    using bed = new Bed();
    bed.start("");
    assertEquals([bed.stirredBytes, bed.log.lines], [32, []]);
    assertEquals(Deno.statSync(bed.file("prng_exch")).size, 1024);
  },
);

testDescriptors("makeEntropyKeeper() takes a plain file, as much of it as is wanted", () => {
  using bed = new Bed();
  Deno.writeFileSync(bed.file("random"), new Uint8Array(9000));
  bed.start(`tls_random_source = "random"\ntls_random_bytes = 8500\ntls_random_exchange_name = ""`);
  bed.slowCalls.succeedAll();
  assertEquals([bed.stirredBytes, bed.log.lines], [8500, []]);
  assertEquals([...Deno.readDirSync(bed.folder)].map(({ name }) => name), ["random"]);
});

testDescriptors("makeEntropyKeeper() takes an EGD server", async () => {
  using bed = new Bed();
  await using server = EgdServer.start(bed.file("egd"));
  bed.start(`tls_random_source = "egd:egd"\ntls_random_bytes = 300`);
  await bed.turnUntil("the answer", () => bed.stirredBytes > 0);
  assertEquals(server.received, [[1, 255]]);
});

testDescriptors("makeEntropyKeeper() takes no source for an answer", () => {
  using bed = new Bed();
  bed.start(`tls_random_source = ""`);
  assertEquals(bed.log.lines.length, 2);
});

testDescriptors(
  "makeEntropyKeeper() sends a file out of a foreign folder to the data directory",
  () => {
    using bed = new Bed();
    // As root, the folders of root are foreign to the owner of the mail system.
    const isRoot = Deno.uid() === 0;
    const owner = isRoot ? `mail_owner = "daemon"\n` : "";
    bed.start(`${owner}tls_random_exchange_name = "/prng_exch_of_a_test"`);
    assertEquals(Deno.statSync(bed.file("prng_exch_of_a_test")).size, 1024);
    const name = isRoot ? "daemon" : "postfix";
    assertEquals(bed.log.lines, [
      `warning: request to update file /prng_exch_of_a_test in non-${name} directory /`,
      `warning: redirecting the request to ${name}-owned data_directory ${bed.folder}`,
    ]);
    assert(![...Deno.readDirSync("/")].some((entry) => entry.name === "prng_exch_of_a_test"));
  },
);
