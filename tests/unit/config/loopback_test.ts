import { assertEquals, assertStringIncludes } from "@std/assert";
import { readLoopbackPlace } from "../../../lib/config/loopback.ts";
import { loadSettings } from "../../../lib/config/settings.ts";

Deno.test("readLoopbackPlace() reads paths, and ports of the loopback in every way to write it", () => {
  assertEquals(readLoopbackPlace("/run/x:1"), { transport: "unix", path: "/run/x:1" });
  const tcp = (hostname: string, port: number) => ({ transport: "tcp" as const, hostname, port });
  for (
    const [text, hostname, port] of [
      ["127.0.0.1:9464", "127.0.0.1", 9464],
      ["127.255.0.9:1", "127.255.0.9", 1],
      ["localhost:65535", "127.0.0.1", 65535],
      ["LocalHost:80", "127.0.0.1", 80],
      ["[::1]:9464", "::1", 9464],
      ["[0:0:0:0:0:0:0:1]:9464", "::1", 9464],
      ["[0000::0001]:9464", "::1", 9464],
    ] as const
  ) {
    assertEquals(readLoopbackPlace(text), tcp(hostname, port), text);
  }
});

Deno.test("readLoopbackPlace() refuses whatever another machine could reach, with a remedy", () => {
  for (
    const text of [
      "0.0.0.0:1",
      "10.0.0.1:1",
      "[::]:1",
      "[::2]:1",
      "[fe80::1]:1",
      "[::ffff:127.0.0.1]:1",
      "[::1:0]:1",
      "128.0.0.1:1",
      "127.0.0.256:1",
      "127.1:1",
      "2130706433:1",
      "0x7f.0.0.1:1",
      "mail.example:1",
      "localhost.example:1",
      ":1",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:0",
      "127.0.0.1:65536",
      "127.0.0.1:http",
      "::1:1",
      "9464",
      "metrics",
      "127.0.0.1:1 ",
    ]
  ) {
    const problem = readLoopbackPlace(text);
    assertEquals("severity" in problem && problem.severity, "error", text);
    assertStringIncludes("hint" in problem ? problem.hint ?? "" : "", "127.0.0.1:PORT", text);
  }
});

function load(text: string, instance?: string) {
  return loadSettings({
    text,
    file: "/etc/postern/postern.toml",
    role: "tlsproxy",
    ...(instance !== undefined && { instance }),
    overrides: [],
  });
}

Deno.test("loadSettings() gives each service a metrics and a control place of its own", () => {
  const text = `
[service.tlsmgr]
metrics = "127.0.0.1:9463"
[service.tlsproxy]
metrics = "[::1]:9464"
control = "/run/postern/proxy"
[instance.edge]
role = "tlsproxy"
`;
  const plain = load(text);
  assertEquals(plain.findings, []);
  assertEquals(plain.settings?.service.metrics, "[::1]:9464");
  assertEquals(plain.settings?.service.control, "/run/postern/proxy");
  const { metrics, control } = load(text, "edge").settings!.service;
  assertEquals([metrics, control], ["", ""], "an instance has its own, or none");
});

Deno.test("loadSettings() refuses places that are none, in line and column", () => {
  const told = (line: string) =>
    load(`[service.tlsproxy]\n${line}`).findings.map((
      found,
    ) => [found.line, found.key, found.hint]);
  const remedy = 'write an absolute path, "127.0.0.1:PORT", "[::1]:PORT" or "localhost:PORT"; ' +
    "other machines cannot be let in";
  const metrics = [[2, "service.tlsproxy.metrics", remedy]];
  assertEquals(told('metrics = "0.0.0.0:9464"'), metrics);
  assertEquals(told("metrics = 9464"), [[2, "service.tlsproxy.metrics", "write it in quotes"]]);
  const control = [[2, "service.tlsproxy.control", 'write an absolute path, or "off"']];
  assertEquals(told('control = "none"'), control);
  assertEquals(told('control = "control.sock"'), control);
  assertEquals(told("control = false"), control);
  assertEquals(told('control = "off"'), []);
});

Deno.test("loadSettings() knows where a service is, however many errors its file has", () => {
  const text = `
queue_directory = "/q"
ipc_timeout = "never"
[service]
mode = "systemd"
[service.tlsproxy]
control = "/run/x"
workers = "many"
`;
  const { settings, whereabouts } = load(text);
  assertEquals(settings, undefined);
  assertEquals(whereabouts, { mode: "systemd", socket: "/q/private/tlsproxy", control: "/run/x" });
  assertEquals(load("no TOML at all").whereabouts?.control, "");
  assertEquals(load("", "edge").whereabouts, undefined);
});

Deno.test("loadSettings() refuses one place for two", () => {
  const told = (text: string) =>
    load(text).findings.map(({ key, message }) => `${key}: ${message}`);
  assertEquals(
    told(`
[service.tlsmgr]
metrics = "127.0.0.1:9464"
socket = "/run/a"
control = "off"
[service.tlsproxy]
metrics = "127.0.0.1:9464"
control = "/run/a"
[instance.edge]
role = "tlsproxy"
control = "off"
metrics = ""
`),
    [
      'service.tlsproxy.metrics: Cannot listen twice at "127.0.0.1:9464": it is "metrics" of ' +
      "[service.tlsmgr] too",
      'service.tlsproxy.control: Cannot listen twice at "/run/a": it is "socket" of ' +
      "[service.tlsmgr] too",
    ],
  );
});
