/**
 * Builds the executable: `deno compile` of main.ts into dist/postern.
 *
 * The permissions, the V8 flags and the worker modules of the executable are listed here and nowhere
 * else. The file is written under another name and renamed, so dist/postern is whole or absent. It
 * must not be stripped: what was compiled in stands behind the ELF image.
 *
 * The same tree gives the same bytes. `deno compile` embeds the time of each file, so it works on a
 * copy of the sources, and on cached npm packages, whose files all bear one time.
 *
 * @module
 */

import { parseArgs } from "@std/cli";

const CLOSED_NETWORK = "scripts/closed_network";

const USAGE = `Usage:
    sh scripts/deno run -A scripts/build.ts [--output FILE]

Compiles main.ts and prints path, size and sha256 of the result (FILE is dist/postern unless given).
Run \`sh scripts/bootstrap denort\` before, or \`deno task build\`, which does both.
`;

/** Modules started as workers; `deno compile` cannot find them by following imports. */
export const WORKER_MODULES: readonly string[] = [
  "lib/tlsmgr/worker.ts",
  "lib/tlsproxy/worker.ts",
];

/** Files that the executable reads as they are: the manual, and what `postern install` writes. */
export const EMBEDDED_FILES: readonly string[] = [
  "config/man/postern.8.txt",
  "config/man/postern.toml.5.txt",
  "config/man/postern-tlsmgr.8.txt",
  "config/man/postern-tlsproxy.8.txt",
  "config/man/postern-cache.1.txt",
  "config/man/postern-metrics.7.txt",
  "config/man/postern.8",
  "config/man/postern.toml.5",
  "config/man/postern-tlsmgr.8",
  "config/man/postern-tlsproxy.8",
  "config/man/postern-cache.1",
  "config/man/postern-metrics.7",
  "config/systemd/postern-tlsmgr.service",
  "config/systemd/postern-tlsmgr.socket",
  "config/systemd/postern-tlsproxy.service",
  "config/systemd/postern-tlsproxy.socket",
  "config/systemd/postern-tlsproxy@.service",
  "config/systemd/postern-tlsproxy@.socket",
  "config/sysusers.d/postern.conf",
  "config/tmpfiles.d/postern.conf",
  "config/prometheus/postern.rules.yml",
  "config/grafana/postern.json",
  "config/log-schema.json",
];

/**
 * What the executable may do. Sockets of the services are opened through FFI, which no permission but ffi
 * guards.
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-ffi",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  // Where [service.ROLE] metrics may listen: the loopback, and nothing else.
  "--allow-net=127.0.0.0/8,[::1]",
  // `postern demo` starts both roles as processes of the same executable.
  "--allow-run",
];

/** Flags for V8 inside the executable; they hold for all of its threads. */
export const V8_FLAGS: readonly string[] = [
  // A foreign function is a tenth as dear where TurboFan has compiled its caller, and most of ours are
  // called once a session: at V8's 3,000 calls a thread would take 10,000 sessions to come to its speed.
  "--invocation-count-for-turbofan=200",
  // There is little that outlives a session: sharing it among threads costs more than copying it.
  "--no-parallel-scavenge",
];

/** What the executable is made of; files and folders at the top of the tree. */
const SOURCES: readonly string[] = ["deno.json", "main.ts", "lib", "config", CLOSED_NETWORK];

/** Arguments of `deno` that build `output`; modules are relative to the top of the tree. */
export function compileArguments(output: string): string[] {
  return [
    "compile",
    "--quiet",
    // With a code cache the executable would load V8 code from a guessable name in /tmp.
    "--no-code-cache",
    // Types are checked by `deno task ok`; here the check would embed the types of Node.
    "--no-check",
    "--no-prompt",
    ...PERMISSIONS,
    ...(V8_FLAGS.length > 0 ? [`--v8-flags=${V8_FLAGS.join(",")}`] : []),
    ...[...WORKER_MODULES, ...EMBEDDED_FILES].flatMap((file) => ["--include", file]),
    "--output",
    output,
    "main.ts",
  ];
}

function refuse(what: string, hint: string): never {
  console.error(`build: error: ${what}\nbuild: hint: ${hint}`);
  Deno.exit(1);
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const isFile = (path: string): boolean => stat(path)?.isFile ?? false;
const isFolder = (path: string): boolean => stat(path)?.isDirectory ?? false;

/** Gives all files below `path` the same time. */
function setTimes(path: string): void {
  for (const entry of Deno.readDirSync(path)) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) setTimes(inner);
    if (entry.isFile) Deno.utimeSync(inner, 0, 0);
  }
}

/** Copies a file, or a folder with all that is in it. */
function copy(from: string, to: string): void {
  if (isFile(from)) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to, { recursive: true });
  for (const entry of Deno.readDirSync(from)) copy(`${from}/${entry.name}`, `${to}/${entry.name}`);
}

/** Packages that checks and tests import, and the executable does not. */
const NOT_COMPILED: readonly string[] = ["@types/node", "fast-check"];

/** Without them; `text` is deno.json or the package map. */
function withoutTestImports(text: string): string {
  const map = JSON.parse(text);
  for (const name of NOT_COMPILED) delete map.imports[name];
  return JSON.stringify(map, undefined, 2) + "\n";
}

/**
 * A lock file without {@linkcode NOT_COMPILED} and what only they need: `deno compile` would embed every
 * package that the lock file names.
 */
export function withoutTestPackages(lockText: string): string {
  const lock = JSON.parse(lockText);
  const isWanted = (specifier: string) =>
    !NOT_COMPILED.some((name) => specifier.startsWith(`npm:${name}@`));
  const specifiers = Object.entries(lock.specifiers).filter(([name]) => isWanted(name));
  lock.specifiers = Object.fromEntries(specifiers);
  lock.workspace.dependencies = lock.workspace.dependencies.filter(isWanted);
  const names = Object.keys(lock.npm);
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    // A dependency bears a version only where several are locked.
    for (const needed of lock.npm[name].dependencies ?? []) {
      visit(names.find((other) => other === needed || other.startsWith(`${needed}@`))!);
    }
  };
  for (const [specifier, version] of specifiers) {
    visit(`${specifier.slice("npm:".length, specifier.lastIndexOf("@"))}@${version}`);
  }
  lock.npm = Object.fromEntries(
    names.filter((name) => wanted.has(name)).map((name) => [
      name,
      lock.npm[name],
    ]),
  );
  return JSON.stringify(lock, undefined, 2) + "\n";
}

/** Fills the folder `stage` with what is compiled. */
function prepare(stage: string): void {
  Deno.mkdirSync(`${stage}/scripts`);
  for (const source of SOURCES) {
    if (source !== "config" || isFolder(source)) copy(source, `${stage}/${source}`);
  }
  const rewrite = (path: string, change: (text: string) => string) =>
    Deno.writeTextFileSync(`${stage}/${path}`, change(Deno.readTextFileSync(`${stage}/${path}`)));
  rewrite("deno.json", withoutTestImports);
  rewrite(`${CLOSED_NETWORK}/import_map.json`, withoutTestImports);
  rewrite(`${CLOSED_NETWORK}/deno.lock`, withoutTestPackages);
  setTimes(stage);
  if (isFolder(".cache/deno/npm")) setTimes(".cache/deno/npm");
}

async function compile(stage: string, unfinished: string): Promise<boolean> {
  const { success, stderr } = await new Deno.Command("sh", {
    args: [`${Deno.cwd()}/scripts/deno`, ...compileArguments(unfinished)],
    cwd: stage,
    env: { POSTERN_TREE: stage },
    stdin: "null",
  }).output();
  Deno.stderr.writeSync(stderr);
  return success;
}

async function build(output: string): Promise<void> {
  for (const source of ["main.ts", ...WORKER_MODULES]) {
    if (!isFile(source)) refuse(`Cannot build: ${source} is missing`, "Restore the file.");
  }
  const path = output.startsWith("/") ? output : `${Deno.cwd()}/${output}`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
  const unfinished = `${path}.${Deno.pid}.tmp`;
  Deno.mkdirSync(".cache", { recursive: true });
  const stage = Deno.makeTempDirSync({ dir: `${Deno.cwd()}/.cache`, prefix: "build." });
  try {
    prepare(stage);
    if (await compile(stage, unfinished)) {
      Deno.renameSync(unfinished, path);
    } else {
      Deno.exitCode = 1;
      console.error("build: error: Cannot build: deno compile failed, see above");
      console.error("build: hint: Run `sh scripts/bootstrap denort` first.");
      return;
    }
  } finally {
    Deno.removeSync(stage, { recursive: true });
    if (isFile(unfinished)) Deno.removeSync(unfinished);
  }
  const bytes = Deno.readFileSync(output);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  console.log(`${output}: ${bytes.length} bytes, sha256 ${sha256}`);
}

if (import.meta.main) {
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    string: ["output"],
    boolean: ["help"],
    default: { output: "dist/postern" },
    unknown: (arg) => void unknown.push(arg),
  });
  if (args.help) {
    console.log(USAGE);
  } else if (unknown.length > 0 || args.output === "") {
    console.error(`build: error: Cannot read the arguments: ${Deno.args.join(" ")}\n${USAGE}`);
    Deno.exit(2);
  } else {
    Deno.chdir(new URL("..", import.meta.url));
    await build(args.output);
  }
}
