import { assertEquals } from "@std/assert";
import { ABI } from "../../../lib/ffi/abi.ts";
import { OPEN } from "../../../lib/ffi/libc/file.ts";

/** From the headers of glibc 2.36 for x86-64 and arm64: what `offsetof` and `sizeof` say there. */
const EXPECTED = {
  x86_64: {
    epollEvent: { bytes: 12, events: 0, data: 4 },
    stat: {
      bytes: 144,
      dev: 0,
      ino: 8,
      nlink: 16,
      mode: 24,
      uid: 28,
      gid: 32,
      size: 48,
      nlinkBytes: 8,
    },
    directory: 0x10000,
    noFollow: 0x20000,
  },
  aarch64: {
    epollEvent: { bytes: 16, events: 0, data: 8 },
    stat: {
      bytes: 128,
      dev: 0,
      ino: 8,
      nlink: 20,
      mode: 16,
      uid: 24,
      gid: 28,
      size: 48,
      nlinkBytes: 4,
    },
    directory: 0x4000,
    noFollow: 0x8000,
  },
};

/** What `module` of the room exports, loaded on a pretended machine. */
async function loadAs(arch: keyof typeof EXPECTED, module: string): Promise<typeof ABI> {
  const url = new URL(`../../../lib/ffi/${module}`, import.meta.url);
  const real = Deno.build.arch;
  Object.defineProperty(Deno, "build", { value: { ...Deno.build, arch }, configurable: true });
  try {
    return (await import(`${url.href}?arch=${arch}`)).ABI;
  } finally {
    Object.defineProperty(Deno, "build", {
      value: { ...Deno.build, arch: real },
      configurable: true,
    });
  }
}

for (const arch of ["x86_64", "aarch64"] as const) {
  Deno.test(`ABI lays epoll_event and stat out as ${arch} does`, async () => {
    const abi = await loadAs(arch, "abi.ts");
    assertEquals(abi.epollEvent, EXPECTED[arch].epollEvent as typeof abi.epollEvent);
    assertEquals(abi.stat, EXPECTED[arch].stat as typeof abi.stat);
  });
}

Deno.test("ABI lays out what is alike on both machines", () => {
  assertEquals(ABI.msghdr, {
    bytes: 56,
    name: 0,
    namelen: 8,
    iov: 16,
    iovlen: 24,
    control: 32,
    controllen: 40,
    flags: 48,
  });
  assertEquals(ABI.iovec, { bytes: 16, base: 0, len: 8 });
  assertEquals(ABI.cmsghdr, { bytes: 16, len: 0, level: 8, type: 12, data: 16 });
  assertEquals(ABI.sockaddrUn, { bytes: 110, path: 2, pathBytesMax: 107 });
});

Deno.test("OPEN has this machine's flags", () => {
  const { directory, noFollow } = EXPECTED[Deno.build.arch as keyof typeof EXPECTED];
  assertEquals([OPEN.directory, OPEN.noFollow].map(Number), [directory, noFollow]);
});
