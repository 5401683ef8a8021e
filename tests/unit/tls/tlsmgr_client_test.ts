import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { accept, receive, send } from "../../../lib/ffi/libc/socket.ts";
import { UnixListener } from "../../../lib/net/unix_listener.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import { type AnswerHandler, isOk, TlsmgrClient } from "../../../lib/tls/tlsmgr_client.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const ANNOUNCEMENT = "protocol|tlsmgr_protocol||";
const FAIL = "4294967295";
const seedReply = (seed: string) => `status|0|seed|${btoa(seed)}||`;
const seedAsk = (size: number) => `request|seed|size|${size}||`;

/** A client and a server that does what each test tells it. */
class Bench {
  readonly clock = new ManualClock();
  readonly reactor = new Reactor(this.clock);
  readonly path: string;
  readonly client: TlsmgrClient;
  readonly reports: string[] = [];
  /** What the questions came to: the seed, `fail`, or `none`. */
  readonly answers: string[] = [];
  /** What the client counted, a status or `none`. */
  readonly counted: (number | "none")[] = [];
  #listener: UnixListener | undefined;
  #fd = -1;

  constructor(folder: TempFolder) {
    this.path = folder.file("tlsmgr");
    this.client = new TlsmgrClient(this.reactor, {
      path: this.path,
      questionLimitMs: 2000,
      idleLimitMs: 5000,
      report: (text) => this.reports.push(text),
      counted: (name, status) => name === "seed" && this.counted.push(status ?? "none"),
    });
    this.listen();
  }

  listen(): void {
    this.#listener = UnixListener.open(this.path, { mode: 0o600, backlog: 5 });
  }

  unlisten(): void {
    this.hangUp();
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Takes the connection that waits; whether there was one. */
  take(greeting = ANNOUNCEMENT): boolean {
    const fd = accept(this.#listener!.fd);
    if (fd < 0) return false;
    this.hangUp();
    this.#fd = fd;
    this.say(greeting);
    return true;
  }

  hangUp(): void {
    if (this.#fd >= 0) closeFile(this.#fd);
    this.#fd = -1;
  }

  /** The server sends `text`, whose `|` stand for NUL. */
  say(text: string): void {
    const bytes = latin1(text.replaceAll("|", "\0"));
    assertEquals(send(this.#fd, bytes, bytes.length), bytes.length);
    this.reactor.turn(0);
  }

  /** What has arrived at the server, with `|` for NUL. */
  heard(): string {
    const parts: Bytes[] = [];
    for (;;) {
      const bytes = new Uint8Array(65536);
      const count = receive(this.#fd, bytes, bytes.length);
      if (count <= 0) return toLatin1(concat(...parts)).replaceAll("\0", "|");
      parts.push(bytes.slice(0, count));
    }
  }

  /** Whether the client has closed the connection. */
  get hungUp(): boolean {
    return receive(this.#fd, new Uint8Array(1), 1) === 0;
  }

  note: AnswerHandler = (answer) => {
    if (answer === undefined) this.answers.push("none");
    else this.answers.push(isOk(answer) ? toLatin1(answer.seed.data()) : "fail");
  };

  ask(size: number): void {
    this.client.seed(size, this.note);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    this.reactor.turn(0);
  }

  close(): void {
    this.client.close();
    this.unlisten();
    // Each question is counted once, in the order in which they are settled.
    const kinds = this.answers.map((answer) => answer === "none" || answer === "fail" ? answer : 0);
    assertEquals(this.counted.map((status) => Number(status) < 0 ? "fail" : status), kinds);
    assertEquals(this.reactor.watched, 0);
    this.reactor.close();
  }
}

function testClient(name: string, run: (bench: Bench) => void): void {
  testDescriptors(name, async () => {
    await using folder = await TempFolder.make("client");
    const bench = new Bench(folder);
    run(bench);
    bench.close();
  });
}

testClient(
  "TlsmgrClient waits for the announcement, then asks one question after the other",
  (bench) => {
    for (const size of [1, 2, 3]) bench.ask(size);
    bench.take("");
    assertEquals(bench.heard(), "");
    bench.say(ANNOUNCEMENT);
    assertEquals(bench.heard(), seedAsk(1));
    bench.say(seedReply("one"));
    assertEquals(bench.heard(), seedAsk(2));
    bench.say(seedReply("two"));
    assertEquals(bench.heard(), seedAsk(3));
    bench.say(seedReply("three"));
    assertEquals([bench.answers, bench.reports], [["one", "two", "three"], []]);
  },
);

testClient("every kind of question goes out as Postfix words it", (bench) => {
  const { client } = bench;
  const ignore = () => {};
  client.policy("smtpd", ignore);
  client.lookup("smtpd", "AB&s=x", ignore);
  client.update("smtpd", "AB&s=x", latin1("session"));
  client.delete("smtpd", "AB&s=x", ignore);
  client.ticketKey(undefined, ignore);
  client.ticketKey(new Uint8Array(16).fill(0x41), ignore);
  bench.take();
  const asked: string[] = [];
  for (const reply of ["cachable|1|timeout|3600|", "session||", "", "", "keybuf||", "keybuf||"]) {
    asked.push(bench.heard());
    bench.say(`status|0|${reply}|`);
  }
  assertEquals(asked, [
    "request|policy|cache_type|smtpd||",
    "request|lookup|cache_type|smtpd|cache_id|AB&s=x||",
    `request|update|cache_type|smtpd|cache_id|AB&s=x|session|${btoa("session")}||`,
    "request|delete|cache_type|smtpd|cache_id|AB&s=x||",
    "request|tktkey|keyname|||",
    `request|tktkey|keyname|${btoa("A".repeat(16))}||`,
  ]);
  assertEquals(bench.reports, []);
});

testClient("an answer of failure is an answer", (bench) => {
  bench.ask(1);
  bench.take();
  bench.say(`status|${FAIL}|seed|||`);
  assertEquals([bench.answers, bench.reports], [["fail"], []]);
});

testClient("an update and a delete are answered to whoever waits for that", (bench) => {
  const { client } = bench;
  const statuses: (number | undefined)[] = [];
  const note: AnswerHandler = (answer) => statuses.push(answer?.status);
  client.update("smtpd", "AB&s=x", latin1("session"), note);
  client.delete("smtpd", "AB&s=x", note);
  client.delete("smtpd", "AB&s=x", note);
  bench.take();
  bench.say("status|0||");
  bench.say(`status|${FAIL}||`);
  bench.say("status|many||");
  assertEquals(statuses, [0, -1, undefined]);
});

testClient("a question asked inside an answer waits for its turn", (bench) => {
  bench.client.seed(1, (answer) => {
    bench.note(answer);
    bench.ask(3);
  });
  bench.ask(2);
  bench.take();
  for (const word of ["a", "b", "c"]) bench.say(seedReply(word));
  assertEquals(bench.answers, ["a", "b", "c"]);
  assertEquals(bench.heard(), seedAsk(1) + seedAsk(2) + seedAsk(3));
});

testClient("another service's announcement fails all questions, in one line", (bench) => {
  for (const size of [1, 2]) bench.ask(size);
  bench.take("protocol|anvil_protocol||");
  assertEquals(bench.answers, ["none", "none"]);
  assertEquals(bench.reports.length, 1);
  assert(bench.reports[0].includes("this is not a tlsmgr"), bench.reports[0]);
  assertEquals(bench.hungUp, true);
  bench.ask(3);
  assertEquals(bench.answers.length, 3, "it is left alone for a moment");
  bench.pass(250);
  bench.ask(4);
  bench.take();
  bench.say(seedReply("better"));
  assertEquals(bench.answers[3], "better");
});

testClient(
  "a reply that comes too late is dropped, and the next one is not mistaken for it",
  (bench) => {
    bench.ask(1);
    bench.take();
    bench.pass(1999);
    bench.ask(2);
    assertEquals(bench.answers, []);
    bench.pass(1);
    assertEquals(bench.answers, ["none"]);
    assertEquals(bench.reports, [
      'problem talking to server private/tlsmgr: no reply to a "seed" request in time',
    ]);
    assertEquals(bench.heard(), seedAsk(1), "the wire is not free yet");
    bench.say(seedReply("late"));
    assertEquals([bench.answers, bench.heard()], [["none"], seedAsk(2)]);
    bench.say(seedReply("second"));
    assertEquals(bench.answers, ["none", "second"]);
  },
);

testClient("a question that waits for its turn too long is never sent", (bench) => {
  bench.ask(1);
  bench.take();
  bench.pass(1500);
  bench.ask(2);
  bench.pass(499);
  bench.ask(3);
  bench.pass(1501);
  assertEquals(bench.answers, ["none", "none"]);
  bench.say(seedReply("late"));
  assertEquals(bench.heard(), seedAsk(1) + seedAsk(3));
  bench.say(seedReply("third"));
  assertEquals(bench.answers, ["none", "none", "third"]);
});

testClient("a server that is stuck is not waited for again until it replies", (bench) => {
  bench.ask(1);
  bench.take();
  bench.pass(2000);
  assertEquals(bench.answers, ["none"]);
  bench.ask(2);
  assertEquals(bench.answers, ["none", "none"]);
  bench.say(seedReply("late"));
  bench.ask(3);
  bench.say(seedReply("third"));
  assertEquals(bench.answers, ["none", "none", "third"]);
  assertEquals(bench.heard(), seedAsk(1) + seedAsk(3));
});

testClient("a server that is stuck gets another chance after a while", (bench) => {
  bench.ask(1);
  bench.take();
  bench.pass(2000);
  bench.pass(5000);
  bench.ask(2);
  assertEquals(bench.answers, ["none"]);
  bench.say(seedReply("late"));
  bench.say(seedReply("second"));
  assertEquals(bench.answers, ["none", "second"]);
});

testClient("a question that meets a connection closed in idleness is asked once more", (bench) => {
  bench.ask(1);
  bench.take();
  bench.say(seedReply("one"));
  bench.hangUp();
  // The client has not seen the end yet.
  bench.ask(2);
  bench.reactor.turn(0);
  assertEquals(bench.take(), true);
  assertEquals(bench.heard(), seedAsk(2));
  bench.say(seedReply("two"));
  assertEquals([bench.answers, bench.reports], [["one", "two"], []]);
});

testClient("a question is not asked a third time", (bench) => {
  bench.ask(1);
  bench.ask(2);
  bench.take();
  bench.hangUp();
  bench.reactor.turn(0);
  bench.take();
  assertEquals(bench.heard(), seedAsk(1));
  bench.hangUp();
  bench.reactor.turn(0);
  assertEquals(bench.answers, ["none"]);
  assertEquals(bench.reports, [
    "problem talking to server private/tlsmgr: lost the connection: closed by the server",
  ]);
  bench.take();
  bench.say(seedReply("two"));
  assertEquals(bench.answers, ["none", "two"]);
});

testClient("a server that closes before it has spoken fails what waits", (bench) => {
  bench.ask(1);
  bench.take("");
  bench.hangUp();
  bench.reactor.turn(0);
  assertEquals([bench.answers, bench.reports.length], [["none"], 1]);
});

testClient(
  "a server that cannot be reached fails everything at once, and is found again",
  (bench) => {
    bench.unlisten();
    bench.ask(1);
    bench.ask(2);
    assertEquals(bench.answers, ["none", "none"]);
    assertEquals(bench.reports, [
      `problem talking to server private/tlsmgr: connect to ${bench.path}: No such file or directory`,
    ]);
    bench.listen();
    bench.ask(3);
    assertEquals(bench.answers.length, 3, "it is left alone for a moment");
    bench.pass(250);
    bench.ask(4);
    bench.take();
    bench.say(seedReply("here"));
    assertEquals(bench.answers[3], "here");
    assertEquals(bench.reports.length, 1);
  },
);

testClient("a spell of trouble is told once, and another one again", (bench) => {
  for (let spell = 1; spell <= 2; spell++) {
    bench.unlisten();
    for (let i = 0; i < 5; i++) {
      bench.reactor.turn(0);
      bench.ask(1);
      bench.pass(250);
    }
    assertEquals(bench.reports.length, spell);
    bench.listen();
    bench.ask(2);
    bench.take();
    bench.say(seedReply("fine"));
  }
});

for (
  const [what, reply] of [
    ["a wrong attribute", "status|0|session|QUJD||"],
    ["a word for a number", "status|zero|seed|QUJD||"],
    ["bytes that are not base64", "status|0|seed|***||"],
    ["no attributes", "|"],
    ["no seed", "status|0||"],
  ]
) {
  testClient(`a reply with ${what} closes the connection`, (bench) => {
    bench.ask(1);
    bench.ask(2);
    bench.take();
    bench.say(reply);
    assertEquals([bench.answers, bench.reports.length], [["none", "none"], 1]);
    bench.heard();
    assertEquals(bench.hungUp, true);
    bench.pass(250);
    bench.ask(3);
    assertEquals(bench.take(), true);
    bench.say(seedReply("good"));
    assertEquals(bench.answers, ["none", "none", "good"]);
  });
}

testClient(
  "a handler that asks again after garbage is refused, and no connection is left",
  (bench) => {
    bench.client.seed(1, (answer) => {
      bench.note(answer);
      bench.ask(2);
    });
    bench.take();
    bench.say("garbage|1||");
    assertEquals(bench.answers, ["none", "none"]);
    assertEquals(bench.take(), false, "it does not connect again at once");
  },
);

testClient("something that nobody asked for closes the connection", (bench) => {
  bench.ask(1);
  bench.take();
  bench.say(seedReply("one") + seedReply("two"));
  assertEquals(bench.answers, ["one"]);
  assertEquals(bench.reports.length, 1);
  bench.heard();
  assertEquals(bench.hungUp, true);
});

testClient("an idle connection is closed after its time, and a busy one is not", (bench) => {
  bench.ask(1);
  bench.take();
  bench.say(seedReply("one"));
  bench.pass(4999);
  bench.heard();
  assertEquals(bench.hungUp, false);
  bench.ask(2);
  bench.say(seedReply("two"));
  bench.pass(4999);
  bench.heard();
  assertEquals(bench.hungUp, false);
  bench.pass(1);
  assertEquals(bench.hungUp, true);
  bench.ask(3);
  assertEquals(bench.take(), true);
  bench.say(seedReply("three"));
  assertEquals([bench.answers, bench.reports], [["one", "two", "three"], []]);
});

testClient(
  "TlsmgrClient.close() answers all questions with nothing, and takes no more",
  (bench) => {
    for (const size of [1, 2, 3]) bench.ask(size);
    bench.take();
    bench.client.close();
    assertEquals(bench.answers, ["none", "none", "none"]);
    bench.ask(4);
    assertEquals(bench.answers.length, 4);
    bench.heard();
    assertEquals(bench.hungUp, true);
    bench.pass(60_000);
    assertEquals(bench.answers.length, 4);
  },
);
