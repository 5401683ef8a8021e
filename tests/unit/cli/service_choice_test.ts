import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT, FatalError } from "../../../lib/base/errors.ts";
import { chooseInstance, chooseServices } from "../../../lib/cli/service_choice.ts";

const SOURCE = {
  name: "/etc/p/a.toml",
  text: '[instance.edge]\nrole = "tlsproxy"\n[instance.keys]\nrole = "tlsmgr"\n',
};
const none = { role: undefined, instance: undefined };

Deno.test("chooseServices() takes all, those of a role, or one instance", () => {
  const [tlsmgr, tlsproxy] = [{ role: "tlsmgr" }, { role: "tlsproxy" }] as const;
  const edge = { ...tlsproxy, instance: "edge" };
  const keys = { ...tlsmgr, instance: "keys" };
  assertEquals(chooseServices(SOURCE, none), [tlsmgr, tlsproxy, edge, keys]);
  assertEquals(chooseServices(SOURCE, { ...none, role: "tlsmgr" }), [tlsmgr, keys]);
  assertEquals(chooseServices(SOURCE, { ...none, instance: "edge" }), [edge]);
  assertEquals(chooseServices(SOURCE, { role: "tlsproxy", instance: "edge" }), [edge]);
});

Deno.test("chooseInstance() refuses another role as a wrong command line", () => {
  const error = assertThrows(
    () => chooseInstance(SOURCE, { role: "tlsmgr", instance: "edge" }),
    FatalError,
  );
  assertEquals(error.exitCode, EXIT.usage);
  assertStringIncludes(error.message, "--role tlsmgr contradicts --instance edge");
});

Deno.test("chooseInstance() tells what is there where the instance is not", () => {
  const hintOf = (instance: string, text = SOURCE.text) => {
    const source = { ...SOURCE, text };
    const { exitCode, hint } = assertThrows(
      () => chooseInstance(source, { role: undefined, instance }),
      FatalError,
    );
    return [exitCode, hint];
  };
  assertEquals(hintOf("egde"), [EXIT.config, "Did you mean edge? There are edge, keys"]);
  assertEquals(hintOf("tlsproxy"), [EXIT.config, "There are edge, keys"]);
  assertEquals(hintOf("edge", ""), [EXIT.config, "There is none in the file"]);
});
