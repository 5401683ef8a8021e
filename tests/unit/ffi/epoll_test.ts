import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { EPOLL, Epoll } from "../../../lib/ffi/libc/epoll.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { pipe, send, socketPair } from "../../../lib/ffi/libc/socket.ts";
import { openDescriptors, testDescriptors } from "../../support/descriptors.ts";

function pair(): [number, number] {
  const ends = socketPair();
  assert(typeof ends !== "number");
  return ends;
}

testDescriptors("Epoll gives back both numbers of each event, whatever they are", () => {
  const epoll = new Epoll(8);
  const numbers: [number, number][] = [[0, 0], [-1, 1], [0x7fffffff, -0x80000000], [12345, -2]];
  const pairs = numbers.map(([low, high]) => {
    const [near, far] = pair();
    assertEquals(epoll.add(near, EPOLL.in, low, high), 0);
    send(far, Uint8Array.of(1), 1);
    return [near, far];
  });
  assertEquals(epoll.wait(0), 4);
  const found = [0, 1, 2, 3].map((i) => [epoll.events(i), epoll.low(i), epoll.high(i)].join());
  assertEquals(found.sort(), numbers.map((two) => [EPOLL.in, ...two].join()).sort());
  for (const fd of pairs.flat()) closeFile(fd);
  epoll.close();
});

testDescriptors("Epoll.wait() takes no more events than there is room for", () => {
  const epoll = new Epoll(2);
  const pairs = [pair(), pair(), pair()];
  pairs.forEach(([near], i) => epoll.add(near, EPOLL.out, i, 0));
  assertEquals(epoll.wait(0), 2);
  for (const fd of pairs.flat()) closeFile(fd);
  epoll.close();
});

testDescriptors("Epoll.change() and remove() decide what is reported", () => {
  const epoll = new Epoll(4);
  const [near, far] = pair();
  epoll.add(near, EPOLL.in, 7, 0);
  assertEquals(epoll.wait(0), 0);
  assertEquals(epoll.change(near, EPOLL.in | EPOLL.out, 8, 9), 0);
  assertEquals(epoll.wait(0), 1);
  assertEquals([epoll.events(0), epoll.low(0), epoll.high(0)], [EPOLL.out, 8, 9]);
  assertEquals(epoll.remove(near), 0);
  assertEquals(epoll.wait(0), 0);
  for (const fd of [near, far]) closeFile(fd);
  epoll.close();
});

testDescriptors("Epoll reports that the other end has gone without being asked", () => {
  const epoll = new Epoll(4);
  const [near, far] = pair();
  epoll.add(near, 0, 0, 0);
  closeFile(far);
  assertEquals(epoll.wait(0), 1);
  assertEquals(epoll.events(0) & EPOLL.hangup, EPOLL.hangup);
  closeFile(near);

  const ends = pipe();
  assert(typeof ends !== "number");
  epoll.add(ends[1], EPOLL.out, 0, 0);
  closeFile(ends[0]);
  assertEquals(epoll.wait(0), 1);
  assertEquals(epoll.events(0) & EPOLL.error, EPOLL.error);
  closeFile(ends[1]);
  epoll.close();
});

testDescriptors("Epoll answers -errno for descriptors that cannot be watched", () => {
  const epoll = new Epoll(1);
  const [near, far] = pair();
  assertEquals(epoll.add(-1, EPOLL.in, 0, 0), -ERRNO.EBADF);
  assertEquals(epoll.change(near, EPOLL.in, 0, 0), -ERRNO.ENOENT);
  assertEquals(epoll.remove(near), -ERRNO.ENOENT);
  assertEquals(epoll.add(near, EPOLL.in, 0, 0), 0);
  assertEquals(epoll.add(near, EPOLL.in, 0, 0), -ERRNO.EEXIST);
  for (const fd of [near, far]) closeFile(fd);
  epoll.close();
});

testDescriptors("Epoll lets several instances watch a descriptor exclusively", () => {
  const one = new Epoll(1);
  const two = new Epoll(1);
  const [near, far] = pair();
  assertEquals(one.add(near, EPOLL.in | EPOLL.exclusive, 0, 0), 0);
  assertEquals(two.add(near, EPOLL.in | EPOLL.exclusive, 0, 0), 0);
  send(far, Uint8Array.of(1), 1);
  assertEquals(one.wait(0), 1);
  for (const fd of [near, far]) closeFile(fd);
  one.close();
  two.close();
});

testDescriptors("Epoll's own descriptor is closed on exec", () => {
  const before = openDescriptors();
  const epoll = new Epoll(1);
  const made = [...openDescriptors()].filter(([fd]) => !before.has(fd));
  assertEquals(made.map(([, what]) => what), ["anon_inode:[eventpoll]"]);
  const text = Deno.readTextFileSync(`/proc/self/fdinfo/${made[0][0]}`);
  assert((Number.parseInt(/flags:\s*(\d+)/.exec(text)![1], 8) & 0o2000000) !== 0, text);
  epoll.close();
});
