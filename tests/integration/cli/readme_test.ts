/** The newcomer's path: what README.md shows is typed in an empty folder, and answers in the same shape. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { readCommandLine } from "../../../lib/cli/args.ts";
import { posternBinary } from "../../support/postern.ts";
import { runChecked, type RunningProcess, startProcess } from "../../support/process.ts";
import {
  findDifference,
  readBlocks,
  readCommands,
  shapeOf,
  type ShownCommand,
} from "../../support/shown_session.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const README = decodeURIComponent(new URL("../../../README.md", import.meta.url).pathname);
/** The folder in which the README works. */
const SHOWN_FOLDER = "/srv/try";

/** What is not typed here, and why. */
const NOT_TYPED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /^sh scripts\/(run|test|bootstrap)\b/,
    "makes the executable that is tested here, or runs this test",
  ],
  [/^deno task\b/, "needs the source tree"],
  [/^git clone\b/, "needs the network"],
];

function whyNotTyped({ prompt, typed }: ShownCommand): string | undefined {
  if (prompt === "#") return "changes the system, as root";
  return NOT_TYPED.find(([pattern]) => pattern.test(typed))?.[1];
}

/** A shell in a folder of its own in which `dist/postern` is the executable. */
class Shell {
  readonly #process: RunningProcess;
  readonly #folder: string;
  #read = 0;
  #count = 0;

  constructor(process: RunningProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /** Types a command; throws unless it prints what is shown and succeeds. */
  async type({ typed, printed }: ShownCommand): Promise<void> {
    const mark = `end of command ${++this.#count}`;
    await this.#process.write(`${typed}\necho "${mark}: $?"\n`);
    const ended = new RegExp(`^${mark}: (\\d+)\\n`, "m");
    const linesBut = (match: RegExpExecArray) =>
      this.#process.stdout.slice(this.#read).replace(match[0], "").split("\n").slice(0, -1)
        .map((line) => line.replaceAll(this.#folder, SHOWN_FOLDER));
    const isBackground = typed.endsWith("&");
    const match = await this.#process.waitFor(`what is shown below "${typed}"`, () => {
      const found = ended.exec(this.#process.stdout.slice(this.#read));
      if (found === null) return undefined;
      // What goes on in the background prints when it likes.
      if (isBackground && findDifference(printed, linesBut(found)) !== undefined) return undefined;
      return found;
    });
    const lines = linesBut(match);
    assertEquals(match[1], "0", `${typed}\n${lines.join("\n")}`);
    assertEquals(findDifference(printed, lines), undefined, `${typed}\n${lines.join("\n")}`);
    this.#read = this.#process.stdout.length;
  }
}

async function inShell(work: (shell: Shell) => Promise<void>): Promise<void> {
  await using folder = await TempFolder.make("readme");
  await Deno.mkdir(folder.file("dist"));
  await Deno.symlink(posternBinary(), folder.file("dist/postern"));
  await using process = startProcess("bash", ["--noprofile", "--norc"], { cwd: folder.path });
  try {
    // Whatever happens, nothing that was started here stays behind.
    await process.write("exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n");
    await work(new Shell(process, folder.path));
  } finally {
    await process.closeInput();
    await process.ended();
  }
}

const blocks = readBlocks(await Deno.readTextFile(README));
const commands = blocks.filter(({ language }) => language === "console").flatMap(readCommands);

Deno.test("README.md has blocks of known kinds only", () => {
  const known = ["console", "text", "toml"];
  for (const { language, lines } of blocks) assert(known.includes(language), lines.join("\n"));
  assert(commands.length > 0);
});

Deno.test("README.md: commands that are not typed here can be read by those they are for", async () => {
  for (const command of commands) {
    const reason = whyNotTyped(command);
    if (reason === undefined) continue;
    await runChecked("bash", ["-n", "-c", command.typed]);
    const [name, ...words] = command.typed.replace(/ (?:#|[<>]) .*$/, "").trim().split(/\s+/);
    if (name === "postern") readCommandLine(words, name);
  }
});

Deno.test("README.md: all other commands, one after the other, print what is shown", async () => {
  await inShell(async (shell) => {
    for (const command of commands) {
      if (whyNotTyped(command) === undefined) await shell.type(command);
    }
  });
});

Deno.test("README.md: settings that it shows have no errors", async () => {
  await inShell(async (shell) => {
    for (const { language, lines } of blocks) {
      if (language !== "toml") continue;
      const typed = ["cat > shown.toml <<'END'", ...lines, "END"].join("\n");
      await shell.type({ prompt: "$", typed, printed: [] });
      const check = "dist/postern config check --config shown.toml";
      await shell.type({ prompt: "$", typed: check, printed: ["..."] });
    }
  });
});

Deno.test("readCommands() parts what is typed from what is printed", () => {
  const [block] = readBlocks("a\n```console\n$ cat <<END\n$ x\nEND\nout\n# id\n```\n");
  assertEquals(readCommands(block), [
    { prompt: "$", typed: "cat <<END\n$ x\nEND", printed: ["out"] },
    { prompt: "#", typed: "id", printed: [] },
  ]);
});

Deno.test("findDifference() looks at shapes, and finds lines that are missing or too many", () => {
  assertEquals(findDifference(["a 1", "..."], ["a   22", "b", "c"]), undefined);
  assertEquals(findDifference(["...", "c 1.2"], ["a", "b", "c 3.4"]), undefined);
  assertEquals(findDifference(["a"], ["b"]), "a");
  assertEquals(findDifference(["a", "b"], ["a"]), "b");
  assertEquals(findDifference(["a"], ["a", "b"]), "b");
  assertEquals(findDifference(["...", "z"], ["a", "b"]), "z");
  assertEquals(shapeOf("key VheRiE1UYze19lUoNLWmlw=="), shapeOf("key VheRiEaUYzeabclUoNLWmlw=="));
  assertNotEquals(shapeOf("status ok"), shapeOf("status no"));
});

Deno.test("the shell of this test finds output that differs, and commands that fail", async () => {
  await inShell(async (shell) => {
    const typed = async (typed: string, ...printed: string[]) => {
      try {
        await shell.type({ prompt: "$", typed, printed });
        return "as shown";
      } catch {
        return "different";
      }
    };
    assertEquals(await typed("echo 1", "2"), "as shown");
    assertEquals(await typed("pwd", SHOWN_FOLDER), "as shown");
  });
  for (const [command, shown] of [["echo a", "b"], ["false", ""], ["dist/postern confg", "..."]]) {
    let failed = false;
    await inShell((shell) => shell.type({ prompt: "$", typed: command, printed: [shown] }))
      .catch(() => failed = true);
    assert(failed, command);
  }
});
