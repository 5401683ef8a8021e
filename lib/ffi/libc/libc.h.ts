/**
 * The functions of glibc that postern uses, with their C parameters.
 *
 * Lengths are declared 32 bits wide and results of type `ssize_t` are read as 32-bit integers: no
 * transfer here comes near 2 GiB, and a BigInt on every call would cost more than the call.
 * The same C function may stand here twice, once for JavaScript memory and once for a C address.
 *
 * @module
 */

/** Signatures for `Deno.dlopen`. */
export const LIBC = {
  // errno.h, string.h
  __errno_location: { parameters: [], result: "pointer" },
  strerror: { parameters: ["i32" /* errnum */], result: "pointer" },
  // stdlib.h
  malloc: { parameters: ["usize" /* size */], result: "pointer" },
  free: { parameters: ["pointer" /* ptr */], result: "void" },
  // sys/mman.h
  mmap: {
    parameters: ["pointer", "usize", /* length */ "i32", /* prot */ "i32", "i32", "i64"],
    // addr, …, flags, fd, offset
    result: "pointer",
  },
  munmap: { parameters: ["pointer", "usize" /* length */], result: "i32" },
  madvise: { parameters: ["pointer", "usize", /* length */ "i32" /* advice */], result: "i32" },
  // string.h; the same copy in both directions between JavaScript and C memory
  copy_to_c: {
    name: "memcpy",
    parameters: ["pointer", "buffer", "u32" /* n */],
    result: "pointer",
  },
  copy_from_c: {
    name: "memcpy",
    parameters: ["buffer", "pointer", "u32" /* n */],
    result: "pointer",
  },
  copy_from_address: {
    name: "memcpy",
    parameters: ["buffer", "u64", "u32" /* n */],
    result: "void",
  },
  // unistd.h, fcntl.h, sys/stat.h, sys/file.h
  open: { parameters: ["buffer", /* path */ "i32", /* flags */ "u32" /* mode */], result: "i32" },
  close: { parameters: ["i32" /* fd */], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32" /* count */], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32" /* count */], result: "i32" },
  pread: { parameters: ["i32", "buffer", "u32", /* count */ "i64" /* offset */], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "u32", /* count */ "i64" /* offset */], result: "i32" },
  lseek: { parameters: ["i32", "i64", /* offset */ "i32" /* whence */], result: "i64" },
  getdents64: { parameters: ["i32", "buffer", /* dirp */ "u32" /* count */], result: "i32" },
  ftruncate: { parameters: ["i32", "i64" /* length */], result: "i32" },
  fsync: { parameters: ["i32"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32" },
  // The same on threads of Deno's own: no JavaScript memory, no errno.
  fdatasync_slowly: {
    name: "fdatasync",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  close_slowly: { name: "close", parameters: ["i32"], result: "i32", nonblocking: true },
  fsync_slowly: { name: "fsync", parameters: ["i32"], result: "i32", nonblocking: true },
  pread_slowly: {
    name: "pread",
    parameters: ["i32", "pointer", "u32", /* count */ "i64" /* offset */],
    result: "i32",
    nonblocking: true,
  },
  pwrite_slowly: {
    name: "pwrite",
    parameters: ["i32", "pointer", "u32", /* count */ "i64" /* offset */],
    result: "i32",
    nonblocking: true,
  },
  fstat: { parameters: ["i32", "buffer" /* statbuf */], result: "i32" },
  lstat: { parameters: ["buffer", /* path */ "buffer" /* statbuf */], result: "i32" },
  flock: { parameters: ["i32", "i32" /* operation */], result: "i32" },
  dup3: { parameters: ["i32", /* oldfd */ "i32", /* newfd */ "i32" /* flags */], result: "i32" },
  openat: {
    parameters: ["i32", /* dirfd */ "buffer", /* path */ "i32", /* flags */ "u32" /* mode */],
    result: "i32",
  },
  renameat: {
    parameters: ["i32", /* olddirfd */ "buffer", /* old */ "i32", /* newdirfd */ "buffer"],
    result: "i32",
  },
  unlinkat: { parameters: ["i32", /* dirfd */ "buffer", /* path */ "i32"], result: "i32" },
  unlink: { parameters: ["buffer" /* path */], result: "i32" },
  chmod: { parameters: ["buffer", /* path */ "u32" /* mode */], result: "i32" },
  chown: { parameters: ["buffer", "u32", /* owner */ "u32" /* group */], result: "i32" },
  // sys/prctl.h
  prctl: { parameters: ["i32", /* option */ "u64", "u64", "u64", "u64"], result: "i32" },
  fchown: { parameters: ["i32", "u32", /* owner */ "u32" /* group */], result: "i32" },
  umask: { parameters: ["u32" /* mask */], result: "u32" },
  // time.h
  clock_gettime: { parameters: ["i32", /* clockid */ "buffer" /* tp */], result: "i32" },
  _exit: { parameters: ["i32" /* status */], result: "void" },
  getpid: { parameters: [], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  // glibc changes the ids of all threads that it knows (nptl: setxid).
  initgroups: { parameters: ["buffer", /* user */ "u32" /* group */], result: "i32" },
  setresgid: { parameters: ["u32", /* rgid */ "u32", /* egid */ "u32"], result: "i32" },
  setresuid: { parameters: ["u32", /* ruid */ "u32", /* euid */ "u32"], result: "i32" },
  chroot: { parameters: ["buffer" /* path */], result: "i32" },
  // pwd.h, grp.h; the name service of the machine answers
  getpwnam: { parameters: ["buffer" /* name */], result: "pointer" },
  getgrnam: { parameters: ["buffer" /* name */], result: "pointer" },
  // sys/mman.h
  memfd_create: { parameters: ["buffer", /* name */ "u32" /* flags */], result: "i32" },
  pipe2: { parameters: ["buffer", /* pipefd */ "i32" /* flags */], result: "i32" },
  // sys/socket.h
  socket: { parameters: ["i32", /* domain */ "i32", /* type */ "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer" /* sv */], result: "i32" },
  bind: { parameters: ["i32", "buffer", /* addr */ "u32" /* addrlen */], result: "i32" },
  listen: { parameters: ["i32", "i32" /* backlog */], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32" /* flags */], result: "i32" },
  connect: { parameters: ["i32", "buffer", /* addr */ "u32" /* addrlen */], result: "i32" },
  shutdown: { parameters: ["i32", "i32" /* how */], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", /* addr */ "buffer" /* addrlen */], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", /* len */ "i32" /* flags */], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", /* len */ "i32" /* flags */], result: "i32" },
  sendmsg: { parameters: ["i32", "pointer", /* msghdr */ "i32" /* flags */], result: "i32" },
  recvmsg: { parameters: ["i32", "pointer", /* msghdr */ "i32" /* flags */], result: "i32" },
  fcntl: { parameters: ["i32", "i32", /* cmd */ "i32" /* arg */], result: "i32" },
  // poll.h
  poll: {
    parameters: ["buffer", /* fds */ "u32", /* nfds */ "i32" /* timeout, ms */],
    result: "i32",
  },
  // sys/epoll.h
  epoll_create1: { parameters: ["i32" /* flags */], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", /* op */ "i32", /* fd */ "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32" /* timeout, ms */], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;
