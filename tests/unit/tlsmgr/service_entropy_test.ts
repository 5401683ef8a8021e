import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { MIX_INTERVAL_MS, openSslGenerator } from "../../../lib/tlsmgr/random_pool.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { runChecked } from "../../support/process.ts";
import { ServiceRig } from "./_service_rig.ts";

const POLICY = ["request", "policy", "cache_type", "smtpd"];
const SEED = ["request", "seed", "size", "32"];
const SEED_REPLY = /^status\|0\|seed\|[A-Za-z0-9+/]{43}=\|\|$/;
const KEY = ["request", "tktkey", "keyname", ""];
const EXCHANGE = 'tls_random_exchange_name = "${data_directory}/prng_exch"\n';
const HOUR_MS = 3_600_000;

function contentOf(rig: ServiceRig): string {
  return Deno.readFileSync(`${rig.folder}/prng_exch`).join();
}

testDescriptors(
  "service: a source that stalls delays no request, and is reported after ten seconds",
  async () => {
    const folder = Deno.makeTempDirSync({ prefix: "postern-rig-" });
    await runChecked("mkfifo", [`${folder}/fifo`]);
    {
      using rig = new ServiceRig(`tls_random_source = "${folder}/fifo"`, folder);
      const client = rig.connect();
      for (let i = 0; i < 11; i++) {
        assertMatch(client.ask(...SEED), SEED_REPLY);
        rig.advance(1000);
      }
      assertEquals(rig.log.lines, [
        `warning: cannot read from entropy file ${folder}/fifo: Connection timed out; trying again`,
      ]);
      assertMatch(client.ask(...SEED), SEED_REPLY);
    }
    Deno.removeSync(folder, { recursive: true });
  },
);

testDescriptors("service: a disk that stalls with the exchange file delays no request", () => {
  using rig = new ServiceRig(EXCHANGE);
  const client = rig.connect();
  const atStart = contentOf(rig);
  rig.advance(HOUR_MS);
  assertEquals(rig.slowCalls.waiting.map(({ call }) => call), ["read"]);
  assertMatch(client.ask(...SEED), SEED_REPLY);
  assertEquals(contentOf(rig), atStart);
  rig.slowCalls.succeedAll();
  assertNotEquals(contentOf(rig), atStart);
});

testDescriptors(
  "service: the exchange file is rewritten at the start and at each kind of end",
  () => {
    const folder = Deno.makeTempDirSync({ prefix: "postern-rig-" });
    const seen = new Set<string>();
    for (const end of ["drain", "close"] as const) {
      using rig = new ServiceRig(EXCHANGE, folder);
      seen.add(contentOf(rig));
      rig.service[end]();
      rig.settle();
      rig.service.close();
      seen.add(contentOf(rig));
    }
    assertEquals(seen.size, 4);
    Deno.removeSync(folder, { recursive: true });
  },
);

testDescriptors(
  "service: two of them that start from equal exchange files give different seeds",
  () => {
    const seeds = new Set<string>();
    const contents = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const folder = Deno.makeTempDirSync({ prefix: "postern-rig-" });
      Deno.writeFileSync(`${folder}/prng_exch`, new Uint8Array(1024).fill(7), { mode: 0o600 });
      {
        using rig = new ServiceRig(`${EXCHANGE}tls_random_source = ""`, folder);
        seeds.add(rig.connect().ask(...SEED));
        contents.add(contentOf(rig));
      }
      Deno.removeSync(folder, { recursive: true });
    }
    assertEquals([seeds.size, contents.size], [2, 2]);
  },
);

testDescriptors(
  'service: with on_failure = "exit" a missing source ends it in order, after a second',
  () => {
    using rig = new ServiceRig(
      `tls_random_source = "dev:/no/such/device"\n[entropy]\non_failure = "exit"`,
    );
    assertEquals(rig.log.lines, [
      "warning: cannot open entropy device /no/such/device: No such file or directory",
      "exiting to reopen external entropy source dev:/no/such/device",
    ]);
    assertMatch(rig.connect().ask(...SEED), SEED_REPLY);
    assertEquals(rig.drained, 0);
    rig.advance(1000);
    assertEquals(rig.drained, 1);
  },
);

testDescriptors(
  "service: a bad exchange file is a warning, or the end before anything is open",
  () => {
    const bad = `tls_random_exchange_name = "/no/such/folder/prng_exch"\n`;
    const text = "tls_prng_exch_open: cannot open PRNG exchange file /no/such/folder/prng_exch: " +
      "No such file or directory";
    {
      using rig = new ServiceRig(bad);
      assertEquals(rig.log.lines.length, 1);
      assert(rig.log.lines[0].startsWith(`warning: ${text}; trying again`));
      assertMatch(rig.connect().ask(...SEED), SEED_REPLY);
    }
    assertThrows(
      () => new ServiceRig(`${bad}[entropy]\non_failure = "exit"`),
      FatalError,
      text,
    );
  },
);

testDescriptors(
  'service: with on_failure = "exit" an exchange file that fails later ends it',
  () => {
    using rig = new ServiceRig(`${EXCHANGE}[entropy]\non_failure = "exit"`);
    const client = rig.connect();
    rig.advance(HOUR_MS);
    const [read] = rig.slowCalls.waiting;
    assertThrows(() => read.fail(), FatalError, "cannot read PRNG exchange file");
    assertEquals(client.read().closed, true);
  },
);

testDescriptors(
  "service: the time of each request and the secret of each session reach the generator",
  () => {
    const { stirUncounted } = openSslGenerator;
    const stirred: Uint8Array[] = [];
    openSslGenerator.stirUncounted = (bytes) => {
      stirred.push(bytes.slice());
      stirUncounted(bytes);
    };
    try {
      using rig = new ServiceRig(`smtpd_tls_session_cache_database = "memory:"`);
      const client = rig.connect();
      const session = btoa("s".repeat(200));
      const entry = ["cache_type", "smtpd", "cache_id", "x"];
      rig.advance(MIX_INTERVAL_MS);
      assertEquals(client.ask("request", "update", ...entry, "session", session), "status|0||");
      rig.advance(777.25);
      client.ask("request", "lookup", ...entry);
      const before = stirred.length;
      assertMatch(client.ask(...SEED), SEED_REPLY);
      assertEquals(stirred.length, before + 1);
      const [last] = stirred.slice(-1);
      const times = [...new Float64Array(last.buffer, 0, 4)];
      const sample = String.fromCharCode(...last.subarray(512));
      assertEquals(times[0], rig.clock.unixSeconds());
      assertEquals(times.slice(1), [
        MIX_INTERVAL_MS,
        MIX_INTERVAL_MS + 777.25,
        MIX_INTERVAL_MS + 777.25,
      ]);
      assert(sample.length >= 64 && session.includes(sample), sample);
    } finally {
      openSslGenerator.stirUncounted = stirUncounted;
    }
  },
);

testDescriptors("service: ticket keys last as long as they should though the clock is set", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  const first = client.ask(...KEY);
  rig.advance(1000);
  rig.clock.setUnixSeconds(rig.clock.unixSeconds() - 5);
  assertEquals(client.ask(...KEY), first);
  rig.advance(HOUR_MS / 2);
  const second = client.ask(...KEY);
  assertNotEquals(second, first);
  rig.clock.setUnixSeconds(1);
  const third = client.ask(...KEY);
  assertNotEquals(third, second);
  assertEquals(client.ask(...KEY), third);
  assertEquals(client.ask(...POLICY), "status|0|cachable|0|timeout|3600||");
});
