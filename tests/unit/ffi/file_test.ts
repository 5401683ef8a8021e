import { assert, assertEquals } from "@std/assert";
import { latin1, utf8 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import {
  chmod,
  chown,
  closeFile,
  countEntries,
  fdatasync,
  FILE_KIND,
  type FileStatus,
  flock,
  fstat,
  fsync,
  ftruncate,
  LOCK,
  lstat,
  OPEN,
  openFile,
  openFileAt,
  pread,
  pwrite,
  readFile,
  renameAt,
  unlink,
  unlinkAt,
  writeFile,
} from "../../../lib/ffi/libc/file.ts";
import { setFileCreationMask } from "../../../lib/ffi/libc/process.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

function assertSameFile(found: FileStatus | number, wanted: Deno.FileInfo): void {
  assert(typeof found !== "number", `stat failed: ${found}`);
  assertEquals(found, {
    dev: BigInt(wanted.dev),
    ino: BigInt(wanted.ino!),
    mode: wanted.mode!,
    nlink: wanted.nlink!,
    uid: wanted.uid!,
    gid: wanted.gid!,
    size: wanted.size,
  });
}

testDescriptors("fstat() and lstat() read every field as Deno does", async () => {
  await using folder = await TempFolder.make("stat");
  const path = await folder.write("file", "twelve bytes", 0o640);
  await Deno.link(path, folder.file("second-name"));
  await Deno.symlink(path, folder.file("link"));
  if (Deno.uid() === 0) assertEquals(chown(path, 1234, 5678), 0);
  const fd = openFile(path, OPEN.readOnly | OPEN.closeOnExec);
  assertSameFile(fstat(fd), Deno.statSync(path));
  closeFile(fd);
  assertSameFile(lstat(path), Deno.statSync(path));
  assertSameFile(lstat(folder.path), Deno.statSync(folder.path));
  assertSameFile(lstat(folder.file("link")), Deno.lstatSync(folder.file("link")));
  const status = lstat(path) as FileStatus;
  assertEquals([status.nlink, status.size, status.mode], [2, 12, 0o100640]);
  assertEquals((lstat(folder.path) as FileStatus).mode & FILE_KIND.mask, FILE_KIND.directory);
});

testDescriptors("fstat() reads a size beyond 32 bits", async () => {
  await using folder = await TempFolder.make("stat");
  const path = await folder.write("sparse", "");
  const fd = openFile(path, OPEN.readWrite | OPEN.closeOnExec);
  assertEquals(ftruncate(fd, 5 * 2 ** 30 + 7), 0);
  assertEquals((fstat(fd) as FileStatus).size, 5 * 2 ** 30 + 7);
  assertEquals(pwrite(fd, latin1("x"), 1, 5 * 2 ** 30), 1);
  const byte = new Uint8Array(1);
  assertEquals(pread(fd, byte, 1, 5 * 2 ** 30), 1);
  assertEquals(byte, latin1("x"));
  closeFile(fd);
});

testDescriptors(
  "countEntries() counts a folder's entries from the beginning, each time",
  async () => {
    await using folder = await TempFolder.make("entries");
    const fd = openFile(folder.path, OPEN.readOnly | OPEN.directory | OPEN.closeOnExec);
    assertEquals(countEntries(fd), 2);
    // More than one call's worth.
    for (let i = 0; i < 1500; i++) Deno.writeTextFileSync(folder.file(`entry-${i}`), "");
    assertEquals([countEntries(fd), countEntries(fd)], [1502, 1502]);
    closeFile(fd);
  },
);

testDescriptors("calls that fail answer -errno", async () => {
  await using folder = await TempFolder.make("errno");
  const bytes = new Uint8Array(4);
  const absent = folder.file("absent");
  assertEquals(openFile(absent, OPEN.readOnly), -ERRNO.ENOENT);
  assertEquals(openFile(folder.path, OPEN.writeOnly), -ERRNO.EISDIR);
  assertEquals(lstat(absent), -ERRNO.ENOENT);
  assertEquals(fstat(-1), -ERRNO.EBADF);
  assertEquals(readFile(-1, bytes, 4), -ERRNO.EBADF);
  assertEquals(writeFile(-1, bytes, 4), -ERRNO.EBADF);
  assertEquals(pread(-1, bytes, 4, 0), -ERRNO.EBADF);
  assertEquals(pwrite(-1, bytes, 4, 0), -ERRNO.EBADF);
  assertEquals(ftruncate(-1, 0), -ERRNO.EBADF);
  assertEquals(countEntries(-1), -ERRNO.EBADF);
  assertEquals(fsync(-1), -ERRNO.EBADF);
  assertEquals(fdatasync(-1), -ERRNO.EBADF);
  assertEquals(flock(-1, LOCK.exclusive), -ERRNO.EBADF);
  assertEquals(openFileAt(-1, "absent", OPEN.readOnly), -ERRNO.EBADF);
  assertEquals(renameAt(-1, "absent", "other"), -ERRNO.EBADF);
  assertEquals(unlinkAt(-1, "absent"), -ERRNO.EBADF);
  assertEquals(unlink(absent), -ERRNO.ENOENT);
  assertEquals(chmod(absent, 0o600), -ERRNO.ENOENT);
  assertEquals(chown(absent, 0, 0), -ERRNO.ENOENT);
});

testDescriptors("openFile() refuses links and folders when told so", async () => {
  await using folder = await TempFolder.make("open");
  const path = await folder.write("file", "");
  await Deno.symlink(path, folder.file("link"));
  assertEquals(openFile(folder.file("link"), OPEN.readOnly | OPEN.noFollow), -ERRNO.ELOOP);
  assertEquals(openFile(path, OPEN.readOnly | OPEN.directory), -ERRNO.ENOTDIR);
  assertEquals(openFile(path, OPEN.writeOnly | OPEN.create | OPEN.exclusive), -ERRNO.EEXIST);
});

testDescriptors("openFile() sets mode and close-on-exec, and appends", async () => {
  await using folder = await TempFolder.make("open");
  const path = folder.file("new");
  const flags = OPEN.writeOnly | OPEN.create | OPEN.append | OPEN.closeOnExec;
  const mask = setFileCreationMask(0o027);
  const fd = openFile(path, flags, 0o666);
  assertEquals(setFileCreationMask(mask), 0o027);
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o640);
  const line = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).split("\n")[1];
  assert((Number.parseInt(line.split(/\s+/)[1], 8) & OPEN.closeOnExec) !== 0, line);
  assertEquals(writeFile(fd, utf8("one"), 3), 3);
  Deno.writeTextFileSync(path, "1", { append: true });
  assertEquals(writeFile(fd, utf8("two"), 3), 3);
  closeFile(fd);
  assertEquals(Deno.readTextFileSync(path), "one1two");
});

testDescriptors("readFile() takes what is there and 0 at the end", async () => {
  await using folder = await TempFolder.make("read");
  const path = await folder.write("file", "abc");
  const fd = openFile(path, OPEN.readOnly | OPEN.closeOnExec);
  const bytes = new Uint8Array(8);
  assertEquals(readFile(fd, bytes, 2), 2);
  assertEquals(readFile(fd, bytes, 8), 1);
  assertEquals(readFile(fd, bytes, 8), 0);
  assertEquals(bytes.slice(0, 2), latin1("cb"));
  closeFile(fd);
});

testDescriptors("flock() keeps a second opener out until it is let go", async () => {
  await using folder = await TempFolder.make("lock");
  const path = await folder.write("file", "");
  const first = openFile(path, OPEN.readWrite | OPEN.closeOnExec);
  const second = openFile(path, OPEN.readWrite | OPEN.closeOnExec);
  assertEquals(flock(first, LOCK.exclusive | LOCK.nonBlocking), 0);
  assertEquals(flock(second, LOCK.exclusive | LOCK.nonBlocking), -ERRNO.EAGAIN);
  assertEquals(flock(second, LOCK.shared | LOCK.nonBlocking), -ERRNO.EAGAIN);
  assertEquals(flock(first, LOCK.unlock), 0);
  assertEquals(flock(second, LOCK.exclusive | LOCK.nonBlocking), 0);
  closeFile(first);
  closeFile(second);
});

testDescriptors("unlink() and chmod() work on names with any character", async () => {
  await using folder = await TempFolder.make("name");
  const path = await folder.write("Grüße 🔒", "");
  assertEquals(chmod(path, 0o604), 0);
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o604);
  assertEquals([fsyncOf(folder.path), unlink(path)], [0, 0]);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

testDescriptors("openFileAt(), renameAt() and unlinkAt() begin at the open folder", async () => {
  await using folder = await TempFolder.make("at");
  const folderFd = openFile(folder.path, OPEN.readOnly | OPEN.directory | OPEN.closeOnExec);
  const flags = OPEN.writeOnly | OPEN.create | OPEN.exclusive | OPEN.closeOnExec;
  const fd = openFileAt(folderFd, "Grüße 🔒", flags, 0o600);
  assert(fd >= 0);
  closeFile(fd);
  assertEquals(renameAt(folderFd, "Grüße 🔒", "other name"), 0);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["other name"]);
  assertEquals(unlinkAt(folderFd, "other name"), 0);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  closeFile(folderFd);
});

function fsyncOf(path: string): number {
  const fd = openFile(path, OPEN.readOnly | OPEN.directory | OPEN.closeOnExec);
  const result = fsync(fd);
  closeFile(fd);
  return result;
}
