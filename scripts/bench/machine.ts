/**
 * Where and with what a run was made, and how much of the machine others took meanwhile.
 *
 * @module
 */

import { runCommand } from "../../tests/support/process.ts";
import { posternBinary } from "../../tests/support/postern.ts";

/** What a run was made with. */
export interface Setting {
  readonly date: string;
  readonly processor: string;
  readonly processors: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
}

const VERSION_COMMANDS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  hitch: ["/usr/sbin/hitch", "--version"],
  haproxy: ["/usr/sbin/haproxy", "-v"],
  nginx: ["/usr/sbin/nginx", "-v"],
  stunnel: ["/usr/bin/stunnel4", "-version"],
};

/** The first thing in a program's output that looks like a version. */
export function versionIn(text: string): string {
  return /\d+\.\d+(?:\.\d+)?[\w.+~-]*/.exec(text)?.[0] ?? "unknown";
}

async function versionOf([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  const { stdout, stderr } = await runCommand(program, args);
  return versionIn(stdout + stderr);
}

/** The machine, and the versions of what is compared. */
export async function describeSetting(others: readonly string[]): Promise<Setting> {
  const cpus = await Deno.readTextFile("/proc/cpuinfo");
  const versions: Record<string, string> = {
    Postfix: await versionOf(["/usr/sbin/postconf", "-h", "mail_version"]),
    postern: await versionOf([posternBinary(), "--version"]),
    OpenSSL: await versionOf(["/usr/bin/openssl", "version"]),
  };
  for (const name of others) versions[name] = await versionOf(VERSION_COMMANDS[name]);
  return {
    date: new Date().toISOString(),
    processor: /^model name\s*: (.*)$/m.exec(cpus)?.[1] ?? Deno.build.arch,
    processors: (cpus.match(/^processor\s*:/gm) ?? []).length,
    kernel: Deno.osRelease(),
    versions,
  };
}

/** USER_HZ. */
const TICKS_PER_SECOND = 100;

/** Processor seconds that the whole machine has been busy, from a /proc/stat text. */
export function busySecondsIn(stat: string): number {
  // user nice system idle iowait irq softirq steal …; what is stolen was not to be had either.
  const ticks = stat.split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
  return ticks.reduce((sum, each, i) => i === 3 || i === 4 ? sum : sum + each, 0) /
    TICKS_PER_SECOND;
}

export function machineBusySeconds(): number {
  return busySecondsIn(Deno.readTextFileSync("/proc/stat"));
}
