/**
 * What the system knows of this process: time, memory, descriptors (proc(5)).
 *
 * The files are opened at start and read when somebody asks, because a role that has given its rights away
 * or works below the queue directory cannot open them any more. What cannot be had is not shown.
 *
 * @module
 */
import { closeFile, countEntries, OPEN, openFile, pread } from "../../ffi/libc/file.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import type { Counter, Numbers } from "./numbers.ts";

/** Ticks a second in /proc; 100 on every machine with Linux that Deno runs on (USER_HZ). */
const TICKS = 100;
/** The longest of the files that are read has 1.5 kB. */
const FILE_BYTES_MAX = 8192;
/** Of a machine with very many processors and interrupts. */
const BOOT_FILE_BYTES_MAX = 1 << 20;

/** Reads files of /proc; made by {@linkcode openProcessFiles}. */
export interface ProcessFiles {
  /** The text of `stat`, as it is at the moment; `undefined` when it cannot be read. */
  stat(): string | undefined;
  /** The text of `status`. */
  status(): string | undefined;
  /** How many descriptors are open. */
  openDescriptors(): number | undefined;
  /** The text of `limits`. */
  limits(): string | undefined;
  /** Unix seconds at which the machine was started. */
  readonly bootTimeS: number | undefined;
  close(): void;
}

/** Keeps the numbers of the process up to date, when asked. */
export class ProcessNumbers implements Disposable {
  readonly #numbers: Numbers;
  readonly #files: ProcessFiles;
  #cpu: Counter | undefined;
  #cpuS = 0;

  constructor(numbers: Numbers, files: ProcessFiles) {
    this.#numbers = numbers;
    this.#files = files;
  }

  /** Reads them again. */
  read(): void {
    this.#readStat(this.#files.stat());
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(this.#files.status() ?? "");
    if (rss !== null) {
      this.#numbers.gauge("process_resident_memory_bytes").set(1024 * Number(rss[1]));
    }
    const open = this.#files.openDescriptors();
    if (open !== undefined) this.#numbers.gauge("process_open_fds").set(open);
    const most = /^Max open files\s+(\d+) /m.exec(this.#files.limits() ?? "");
    if (most !== null) this.#numbers.gauge("process_max_fds").set(Number(most[1]));
  }

  [Symbol.dispose](): void {
    this.#files.close();
  }

  #readStat(text: string | undefined): void {
    // The name, in parentheses, may hold anything; fields are counted behind it, from the third on.
    const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    if (fields === undefined || fields.length < 20) return;
    const cpuS = (fields[14 - 3] + fields[15 - 3]) / TICKS;
    this.#cpu ??= this.#numbers.counter("process_cpu_seconds_total");
    this.#cpu.add(Math.max(cpuS - this.#cpuS, 0));
    this.#cpuS = cpuS;
    const { bootTimeS } = this.#files;
    if (bootTimeS === undefined) return;
    const startS = bootTimeS + fields[22 - 3] / TICKS;
    this.#numbers.gauge("process_start_time_seconds").set(startS);
  }
}

/** The files of this process; those that cannot be opened tell nothing. */
export function openProcessFiles(folder = "/proc"): ProcessFiles {
  const open = (name: string) => openFile(`${folder}/${name}`, OPEN.readOnly | OPEN.closeOnExec);
  const fds = {
    stat: open("self/stat"),
    status: open("self/status"),
    limits: open("self/limits"),
    folder: open("self/fd"),
  };
  const bytes = new Uint8Array(FILE_BYTES_MAX);
  const read = (fd: number) => {
    const count = fd < 0 ? -1 : pread(fd, bytes, bytes.length, 0);
    return count < 0 ? undefined : fromUtf8(bytes.subarray(0, count));
  };
  return {
    stat: () => read(fds.stat),
    status: () => read(fds.status),
    openDescriptors: () => countDescriptors(fds.folder),
    limits: () => read(fds.limits),
    bootTimeS: bootTimeIn(`${folder}/stat`),
    close() {
      for (const fd of Object.values(fds)) if (fd >= 0) closeFile(fd);
    },
  };
}

/** Each descriptor is an entry of the folder, beside the two that every folder has. */
function countDescriptors(folderFd: number): number | undefined {
  const entries = folderFd < 0 ? -1 : countEntries(folderFd);
  return entries < 0 ? undefined : entries - 2;
}

/** Through libc: Deno itself opens this file only for programs that may do everything. */
function bootTimeIn(path: string): number | undefined {
  const fd = openFile(path, OPEN.readOnly | OPEN.closeOnExec);
  if (fd < 0) return undefined;
  const bytes = new Uint8Array(FILE_BYTES_MAX);
  let text = "";
  for (let length = 0; length < BOOT_FILE_BYTES_MAX;) {
    const count = pread(fd, bytes, bytes.length, length);
    if (count <= 0) break;
    text += fromUtf8(bytes.subarray(0, count));
    length += count;
  }
  closeFile(fd);
  const boot = /^btime (\d+)$/m.exec(text);
  return boot === null ? undefined : Number(boot[1]);
}
