import { assert, assertEquals } from "@std/assert";
import { latin1 } from "../../../../lib/base/bytes.ts";
import {
  findHeadEnd,
  isLoopbackHost,
  readRequest,
  type Request,
} from "../../../../lib/daemon/desk/request.ts";

function read(text: string) {
  return readRequest(latin1(text));
}

function requestOf(text: string): Request {
  const request = read(text);
  assert("method" in request, JSON.stringify(request));
  return request;
}

Deno.test("findHeadEnd() finds the empty line, with and without CR, and only among what has come", () => {
  const head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const bytes = latin1(`${head}body`);
  assertEquals(findHeadEnd(bytes, bytes.length), head.length);
  for (let length = 0; length < head.length; length++) {
    assertEquals(findHeadEnd(bytes, length), -1, `${length} bytes`);
  }
  const plain = latin1("GET / HTTP/1.0\n\nGET");
  assertEquals(findHeadEnd(plain, plain.length), 16);
});

Deno.test("readRequest() reads method, path and host", () => {
  assertEquals(requestOf("GET /metrics HTTP/1.1\r\nhOsT: LocalHost:9464\r\nAccept: */*\r\n\r\n"), {
    method: "GET",
    path: "/metrics",
    host: "localhost",
  });
  assertEquals(requestOf("GET /metrics?a=/b&c HTTP/1.1\r\nHost:\t[::1]:1\r\n\r\n"), {
    method: "GET",
    path: "/metrics",
    host: "[::1]",
  });
  assertEquals(requestOf("HEAD / HTTP/1.0\r\n\r\n").host, undefined);
  assertEquals(requestOf("GET / HTTP/1.1\nHost:\n\n").host, "");
});

Deno.test("readRequest() refuses what it does not understand for certain", () => {
  const host = "\r\nHost: localhost\r\n\r\n";
  for (
    const text of [
      "",
      "\r\n\r\n",
      `GET${host}`,
      `GET /${host}`,
      `GET / HTTP/1.1 ${host}`,
      `GET  / HTTP/1.1${host}`,
      `GET metrics HTTP/1.1${host}`,
      `GET http://localhost/metrics HTTP/1.1${host}`,
      `GET * HTTP/1.1${host}`,
      `GET /a b HTTP/1.1${host}`,
      `GET /\x00 HTTP/1.1${host}`,
      `GET /\xe9 HTTP/1.1${host}`,
      `G(T / HTTP/1.1${host}`,
      "GET / HTTP/1.1\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: localhost${host}`,
      `GET / HTTP/1.1\r\nno colon${host}`,
      `GET / HTTP/1.1\r\n folded: x${host}`,
      `GET / HTTP/1.1\r\nname : x${host}`,
      `GET / HTTP/1.1\r\nname: \x00${host}`,
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
    ]
  ) {
    const result = read(text);
    assertEquals("status" in result && result.status, 400, JSON.stringify(text));
  }
  const later = read(`GET / HTTP/2.0${host}`);
  assertEquals("status" in later && later.status, 505);
});

Deno.test("isLoopbackHost() knows the loopback's names, and no name that leads there", () => {
  for (const host of [undefined, "localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) {
    assert(isLoopbackHost(host), host);
  }
  for (
    const host of [
      "",
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
      "[::2]",
      "127.0.0",
    ]
  ) {
    assert(!isLoopbackHost(host), host);
  }
});
