/**
 * A disk in memory that knows the page cache from what would be there after the power went.
 *
 * Every write, truncation and change of a name is visible at once and waits until a sync makes it last:
 * fsync(2) or fdatasync(2) of a file its content, fsync(2) of the folder its names. A crash may find any
 * of what waits on the disk and miss the rest, because nothing orders it: {@linkcode crashStates} makes
 * the possible disks. Changes of one name keep their order, and a rename is there or not (POSIX, and all
 * journals); a write may be torn between sectors. What a failed sync was to make last is as Linux has it:
 * readable as before, on the disk or not, and no later sync cares for it.
 *
 * @module
 */
import type { Bytes } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { FILE_KIND, LOCK, OPEN } from "../../../lib/ffi/libc/file.ts";
import type { FileIo, FileStatus } from "../../../lib/store/file_io.ts";
import type { Random } from "../random.ts";

/** A change of a file's content. */
type ContentChange =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Bytes }
  | { readonly kind: "truncate"; readonly length: number };

/** A change of names; the file under `name` becomes `inode`, or none. */
interface NameChange {
  readonly sets: readonly { readonly name: string; readonly inode: Inode | undefined }[];
}

/** What is not on the disk for certain. */
class Waiting<Change> {
  #list: { readonly change: Change; isGivenUp: boolean }[] = [];

  get changes(): readonly Change[] {
    return this.#list.map(({ change }) => change);
  }

  add(change: Change): void {
    this.#list.push({ change, isGivenUp: false });
  }

  /** Replaces what no sync will make last. */
  reduceGivenUp(reduce: (change: Change) => Change | undefined): void {
    this.#list = this.#list.flatMap((item) => {
      if (!item.isGivenUp) return [item];
      const change = reduce(item.change);
      return change === undefined ? [] : [{ change, isGivenUp: true }];
    });
  }

  /** What a sync that begins in this moment is about; told of its end, it answers what lasts. */
  beginSync(): (ok: boolean) => readonly Change[] {
    const covered = this.#list.filter(({ isGivenUp }) => !isGivenUp);
    return (ok) => {
      if (ok) this.#list = this.#list.filter((item) => !covered.includes(item));
      else for (const item of covered) item.isGivenUp = true;
      return ok ? covered.map(({ change }) => change) : [];
    };
  }
}

interface Inode {
  readonly number: number;
  readonly mode: number;
  /** What everybody reads. */
  content: Bytes;
  /** What is on the disk. */
  durable: Bytes;
  readonly waiting: Waiting<ContentChange>;
  nlink: number;
  lockedBy: number | undefined;
}

/** What was on the disk at some moment, and what was on its way there. */
export interface Moment {
  readonly names: ReadonlyMap<string, Inode>;
  readonly nameChanges: readonly NameChange[];
  readonly files: ReadonlyMap<Inode, { durable: Bytes; waiting: readonly ContentChange[] }>;
}

/** Names and contents after a crash. */
export type DiskState = ReadonlyMap<string, Bytes>;

/** Calls that can be made to fail. */
export type DiskCall = Exclude<keyof FileIo, "close" | "effectiveUserId" | "within">;

/** An answer in the place of a call: `-errno`, or half of a transfer; undefined to let it happen. */
export type Fault = (call: DiskCall, nth: number) => number | "short" | undefined;

/** The disk. */
export class CrashDisk implements FileIo {
  /** Asked at each call that can fail, the first one being number 1. */
  fault: Fault = () => undefined;
  #calls = 0;
  readonly #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  readonly #nameChanges = new Waiting<NameChange>();
  readonly #descriptors = new Map<number, Inode | "folder">();
  #nextFd = 3;
  #nextInode = 1;

  /** A disk that holds `state`, as after a crash and a start. */
  static of(state: DiskState): CrashDisk {
    const disk = new CrashDisk();
    for (const [name, bytes] of state) {
      const inode = disk.#newInode(FILE_KIND.regular | 0o600);
      inode.content = inode.durable = bytes;
      disk.#names.set(name, inode);
    }
    disk.#durableNames = new Map(disk.#names);
    return disk;
  }

  /** All names. */
  get names(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Open descriptors. */
  get openDescriptors(): number {
    return this.#descriptors.size;
  }

  /** What everybody reads under `name`. */
  content(name: string): Bytes | undefined {
    return this.#names.get(name)?.content.slice();
  }

  /** Adds `bytes` to the end of a file that is there and not empty, as a write that was cut short does. */
  append(name: string, bytes: Bytes): void {
    const inode = this.#names.get(name);
    const offset = inode?.content.length ?? 0;
    if (inode !== undefined && offset > 0) {
      this.#changeFile(inode, { kind: "write", offset, bytes });
    }
  }

  /** Whether `fd` is the folder. */
  isFolder(fd: number): boolean {
    return this.#descriptors.get(fd) === "folder";
  }

  /** Whether the file that `fd` is open on has the name `name`, crash or not. */
  hasLastingName(fd: number, name: string): boolean {
    const file = this.#descriptors.get(fd);
    return file !== undefined && this.#names.get(name) === file &&
      this.#durableNames.get(name) === file;
  }

  /** The disk as it is; later changes do not show in it. */
  moment(): Moment {
    const inodes = new Set([...this.#names.values(), ...this.#durableNames.values()]);
    for (const { sets } of this.#nameChanges.changes) {
      for (const { inode } of sets) if (inode !== undefined) inodes.add(inode);
    }
    const files = new Map(
      [...inodes].map((inode) =>
        [inode, { durable: inode.durable, waiting: inode.waiting.changes }] as const
      ),
    );
    return { names: new Map(this.#durableNames), nameChanges: this.#nameChanges.changes, files };
  }

  /** Closes every descriptor, and with it gives every lock back. */
  closeAll(): void {
    for (const fd of [...this.#descriptors.keys()]) this.close(fd);
  }

  /** All names are in one folder. */
  within(_folderFd: number): FileIo {
    return this;
  }

  effectiveUserId(): number {
    return 1000;
  }

  fchown(_fd: number, _ownerId: number): number {
    return this.#fails("fchown") ?? 0;
  }

  open(path: string, flags: number, mode: number): number {
    const failure = this.#fails("open");
    if (failure !== undefined) return failure;
    const fd = this.#nextFd++;
    if ((flags & OPEN.directory) !== 0) {
      this.#descriptors.set(fd, "folder");
      return fd;
    }
    let inode = this.#names.get(path);
    if (inode !== undefined && (flags & OPEN.exclusive) !== 0) return -ERRNO.EEXIST;
    if (inode === undefined && (flags & OPEN.create) === 0) return -ERRNO.ENOENT;
    if (inode === undefined) {
      inode = this.#newInode(FILE_KIND.regular | mode);
      this.#setNames([{ name: path, inode }]);
    }
    this.#descriptors.set(fd, inode);
    return fd;
  }

  close(fd: number): void {
    const file = this.#opened(fd);
    if (file !== "folder" && file.lockedBy === fd) file.lockedBy = undefined;
    this.#descriptors.delete(fd);
  }

  pread(fd: number, bytes: Bytes, length: number, offset: number): number {
    const count = this.#transfers("pread", length);
    if (count < 0) return count;
    const piece = this.#file(fd).content.subarray(offset, offset + count);
    bytes.set(piece);
    return piece.length;
  }

  pwrite(fd: number, bytes: Bytes, length: number, offset: number): number {
    const count = this.#transfers("pwrite", length);
    if (count >= 0) this.#change(fd, { kind: "write", offset, bytes: bytes.slice(0, count) });
    return count;
  }

  ftruncate(fd: number, length: number): number {
    const failure = this.#fails("ftruncate");
    if (failure === undefined) this.#change(fd, { kind: "truncate", length });
    return failure ?? 0;
  }

  fdatasync(fd: number): number {
    return this.#sync("fdatasync", fd);
  }

  fsync(fd: number): number {
    return this.#sync("fsync", fd);
  }

  /** A sync in two steps: what waits in this moment lasts when the answer is called with `true`. */
  beginSync(fd: number): (ok: boolean) => void {
    const file = this.#opened(fd);
    if (file === "folder") {
      const end = this.#nameChanges.beginSync();
      return (ok) => {
        for (const { sets } of end(ok)) {
          setAll(this.#durableNames, sets);
          // What was given up of these names before cannot come true after this.
          const names = sets.map(({ name }) => name);
          this.#nameChanges.reduceGivenUp((change) => {
            const rest = change.sets.filter(({ name }) => !names.includes(name));
            return rest.length === 0 ? undefined : { sets: rest };
          });
        }
      };
    }
    const end = file.waiting.beginSync();
    return (ok) => {
      file.durable = applyAll(file.durable, end(ok));
    };
  }

  flock(fd: number, operation: number): number {
    const failure = this.#fails("flock");
    if (failure !== undefined) return failure;
    const file = this.#file(fd);
    if (operation === LOCK.unlock) {
      if (file.lockedBy === fd) file.lockedBy = undefined;
      return 0;
    }
    if (file.lockedBy !== undefined && file.lockedBy !== fd) return -ERRNO.EAGAIN;
    file.lockedBy = fd;
    return 0;
  }

  rename(from: string, to: string): number {
    const failure = this.#fails("rename");
    if (failure !== undefined) return failure;
    const inode = this.#names.get(from);
    if (inode === undefined) return -ERRNO.ENOENT;
    const replaced = this.#names.get(to);
    if (replaced !== undefined) replaced.nlink--;
    this.#setNames([{ name: from, inode: undefined }, { name: to, inode }]);
    return 0;
  }

  unlink(path: string): number {
    const failure = this.#fails("unlink");
    if (failure !== undefined) return failure;
    const inode = this.#names.get(path);
    if (inode === undefined) return -ERRNO.ENOENT;
    inode.nlink--;
    this.#setNames([{ name: path, inode: undefined }]);
    return 0;
  }

  fstat(fd: number): FileStatus | number {
    const failure = this.#fails("fstat");
    if (failure !== undefined) return failure;
    const file = this.#opened(fd);
    if (file === "folder") {
      const mode = FILE_KIND.directory | 0o755;
      return { dev: 1n, ino: 0n, mode, nlink: 2, uid: 1000, gid: 1000, size: 0 };
    }
    const { mode, nlink, number, content } = file;
    const size = content.length;
    return { dev: 1n, ino: BigInt(number), mode, nlink, uid: 1000, gid: 1000, size };
  }

  #fails(call: DiskCall): number | undefined {
    const answer = this.fault(call, ++this.#calls);
    return typeof answer === "number" ? answer : undefined;
  }

  /** How many of `length` bytes are transferred, or `-errno`. */
  #transfers(call: DiskCall, length: number): number {
    const answer = this.fault(call, ++this.#calls);
    if (answer === "short") return Math.ceil(length / 2);
    return answer ?? length;
  }

  #sync(call: DiskCall, fd: number): number {
    const end = this.beginSync(fd);
    const failure = this.#fails(call);
    end(failure === undefined);
    return failure ?? 0;
  }

  #change(fd: number, change: ContentChange): void {
    this.#changeFile(this.#file(fd), change);
  }

  #changeFile(file: Inode, change: ContentChange): void {
    file.content = apply(file.content, change);
    file.waiting.add(change);
  }

  #setNames(sets: NameChange["sets"]): void {
    this.#nameChanges.add({ sets });
    setAll(this.#names, sets);
  }

  #opened(fd: number): Inode | "folder" {
    const file = this.#descriptors.get(fd);
    if (file === undefined) throw new Error(`Descriptor ${fd} is not open`);
    return file;
  }

  #file(fd: number): Inode {
    const file = this.#opened(fd);
    if (file === "folder") throw new Error(`Descriptor ${fd} is a folder`);
    return file;
  }

  #newInode(mode: number): Inode {
    const nothing = new Uint8Array();
    const number = this.#nextInode++;
    return {
      number,
      mode,
      content: nothing,
      durable: nothing,
      waiting: new Waiting(),
      nlink: 1,
      lockedBy: undefined,
    };
  }
}

function setAll(names: Map<string, Inode>, sets: NameChange["sets"]): void {
  for (const { name, inode } of sets) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

/** A copy of `content` with the change made; a gap is zeros. */
function apply(content: Bytes, change: ContentChange): Bytes {
  if (change.kind === "truncate") {
    const cut = new Uint8Array(change.length);
    cut.set(content.subarray(0, change.length));
    return cut;
  }
  const { offset, bytes } = change;
  const changed = new Uint8Array(Math.max(content.length, offset + bytes.length));
  changed.set(content);
  changed.set(bytes, offset);
  return changed;
}

function applyAll(content: Bytes, changes: readonly ContentChange[]): Bytes {
  return changes.reduce(apply, content);
}

const SECTOR_BYTES = 512;
/** States of one moment, about. If there are more, a seed chooses. */
const STATES_MAX = 400;

/**
 * Disks that a crash at `moment` may leave, the file `name` in every state: each subset of what waits if
 * there is little, else a choice; then torn writes. Other files are as they are or without what waits.
 */
export function* crashStates(
  { names, nameChanges, files }: Moment,
  name: string,
  random: Random,
): Generator<DiskState> {
  const seen = new Set<string>();
  const chosenNames = [...subsets(nameChanges, STATES_MAX, random)]
    .filter((chosen) => keepsOrder(nameChanges, chosen));
  for (const chosen of chosenNames) {
    const found = new Map(names);
    for (const { sets } of chosen) setAll(found, sets);
    const others: [string, Bytes][] = [];
    for (const [other, inode] of found) {
      const { durable, waiting } = files.get(inode)!;
      if (other === name) continue;
      others.push([other, random(2) === 0 ? durable : applyAll(durable, waiting)]);
    }
    const inode = found.get(name);
    const contents = inode === undefined
      ? [undefined]
      : contentStates(files.get(inode)!, STATES_MAX / chosenNames.length, random);
    for (const content of contents) {
      const state = new Map(others);
      if (content !== undefined) state.set(name, content);
      const mark = `${[...found.keys()].sort()} ${inode?.number} ${fingerprint(content)}`;
      if (seen.has(mark)) continue;
      seen.add(mark);
      yield state;
    }
  }
}

/** A change of a name is not there without the earlier ones of the same name. */
function keepsOrder(all: readonly NameChange[], chosen: readonly NameChange[]): boolean {
  const missing = new Set<string>();
  for (const change of all) {
    const names = change.sets.map(({ name }) => name);
    if (!chosen.includes(change)) { for (const name of names) missing.add(name); }
    else if (names.some((name) => missing.has(name))) return false;
  }
  return true;
}

function* contentStates(
  { durable, waiting }: { durable: Bytes; waiting: readonly ContentChange[] },
  statesMax: number,
  random: Random,
): Generator<Bytes> {
  for (const chosen of subsets(waiting, statesMax / 2, random)) {
    yield applyAll(durable, chosen);
    if (chosen.length > 0) yield applyAll(durable, tear(chosen, random));
  }
}

/** The changes, one of their writes torn: some of its sectors are as they were before. */
function tear(changes: readonly ContentChange[], random: Random): ContentChange[] {
  const at = random(changes.length);
  return changes.flatMap((change, i): ContentChange[] => {
    if (i !== at || change.kind !== "write") return [change];
    const { offset, bytes } = change;
    const pieces: ContentChange[] = [];
    // Its length may last before its data does.
    if (random(2) === 0) {
      pieces.push({ kind: "write", offset: offset + bytes.length, bytes: EMPTY });
    }
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES);
      if (random(2) === 0) {
        pieces.push({ kind: "write", offset: offset + start, bytes: bytes.slice(start, end) });
      }
      start = end;
    }
    return pieces;
  });
}

const EMPTY: Bytes = new Uint8Array();

/** All subsets; if these are more than `countMax`, none of it, all of it, and about so many others. */
function* subsets<T>(all: readonly T[], countMax: number, random: Random): Generator<T[]> {
  if (2 ** all.length <= countMax) {
    for (let bits = 0; bits < 2 ** all.length; bits++) {
      yield all.filter((_, i) => (bits >> i & 1) === 1);
    }
    return;
  }
  yield [];
  yield [...all];
  for (let count = 2; count < countMax; count += 3) {
    // The first ones, as when a disk writes in order; all but one; and just any.
    yield all.slice(0, random(all.length));
    const missing = random(all.length);
    yield all.filter((_, i) => i !== missing);
    yield all.filter(() => random(2) === 0);
  }
}

/** Tells contents apart (FNV-1a, twice 32 bits, and the length). */
function fingerprint(content: Bytes | undefined): string {
  if (content === undefined) return "none";
  let [one, two] = [0x811c9dc5, 0x01000193];
  for (const byte of content) {
    one = Math.imul(one ^ byte, 0x01000193);
    two = Math.imul(two ^ byte ^ 0x5a, 0x01000193) ^ one >>> 7;
  }
  return `${content.length} ${one} ${two}`;
}
