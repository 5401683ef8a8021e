import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { type ByteSource, openByteSource, readByteSource } from "../../../lib/net/byte_source.ts";
import { AGAIN, closeDescriptor } from "../../../lib/net/stream.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { runChecked } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";

function open(path: string): ByteSource {
  const opened = openByteSource(path);
  assert(typeof opened === "object", `${path} opens: ${opened}`);
  return opened;
}

testDescriptors("openByteSource() tells plain files, FIFOs and devices apart", async () => {
  await using folder = await TempFolder.make("bytes");
  await runChecked("mkfifo", [folder.file("fifo")]);
  const paths = [await folder.write("plain", "text"), folder.file("fifo"), "/dev/null"];
  const sources = paths.map(open);
  assertEquals(sources.map(({ kind }) => kind), ["regular", "fifo", "device"]);
  for (const { fd } of sources) closeDescriptor(fd);
});

testDescriptors("openByteSource() refuses folders and what is not there", async () => {
  await using folder = await TempFolder.make("bytes");
  assertEquals(openByteSource(folder.path), -ERRNO.EISDIR);
  assertEquals(openByteSource(folder.file("none")), -ERRNO.ENOENT);
});

testDescriptors("readByteSource() reads a FIFO without waiting", async () => {
  await using folder = await TempFolder.make("bytes");
  const path = folder.file("fifo");
  await runChecked("mkfifo", [path]);
  const { fd } = open(path);
  const bytes = new Uint8Array(8);
  assertEquals(readByteSource(fd, bytes), 0);
  {
    using writer = Deno.openSync(path, { write: true });
    assertEquals(readByteSource(fd, bytes), AGAIN);
    writer.writeSync(Uint8Array.of(1, 2, 3));
    assertEquals([readByteSource(fd, bytes), bytes[2]], [3, 3]);
  }
  closeDescriptor(fd);
});
