import { assert, assertEquals } from "@std/assert";
import { FlightRecorder, STEPS_MAX } from "../../../lib/tls/flight_recorder.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { Hall, Meeting, TLS13, withCertificates } from "./_setup.ts";

Deno.test("FlightRecorder tells steps with their times", () => {
  const flight = FlightRecorder.take();
  assertEquals(flight.describe(), "");
  flight.note("handed over", 0.04);
  flight.note("want read", 12.345);
  flight.note("time is up", 300_000);
  assertEquals(flight.describe(), "0.0 handed over, 12.3 want read, 300000.0 time is up");
  flight.giveBack();
});

Deno.test("FlightRecorder keeps the last steps, and tells how many there were before", () => {
  const flight = FlightRecorder.take();
  for (let i = 0; i < STEPS_MAX + 5; i++) flight.note("want read", i);
  const [before, ...steps] = flight.describe().split(", ");
  assertEquals(before, "5 steps before");
  assertEquals(steps.length, STEPS_MAX);
  assertEquals([steps[0], steps.at(-1)], ["5.0 want read", `${STEPS_MAX + 4}.0 want read`]);
  flight.giveBack();
});

Deno.test("FlightRecorder.take() gives a record that another session has given back, and empty", () => {
  const flight = FlightRecorder.take();
  flight.note("failed", 1);
  flight.giveBack();
  const next = FlightRecorder.take();
  assert(next === flight);
  assertEquals(next.describe(), "");
  next.giveBack();
});

testDescriptors("ServerEngine.noteStep() notes where OpenSSL stands", async () => {
  await withCertificates((paths) => {
    const hall = new Hall(paths);
    const flight = FlightRecorder.take();
    {
      using meeting = new Meeting(hall, { version: TLS13 });
      meeting.engine.noteStep(flight, "handed over", 0);
      meeting.shake();
      meeting.engine.noteStep(flight, "done", 1);
    }
    hall.close();
    assertEquals(
      flight.describe(),
      "0.0 handed over (before SSL initialization), 1.0 done (SSL negotiation finished successfully)",
    );
    flight.giveBack();
  });
});
