/**
 * main.cf's own part of a converted text: the top level, and `[parameters]`.
 *
 * @module
 */

import type { FindingList } from "../findings.ts";
import { fitsTopLevel } from "../layer_sorter.ts";
import type { MainCfItem, MainCfParameter } from "./main_cf.ts";
import { literalText, type Plan } from "./plan.ts";
import { tomlKey, tomlString } from "./toml_text.ts";
import type { TomlWriter } from "./toml_writer.ts";

/** Where everything goes. */
interface Output {
  /** Name of main.cf. */
  readonly file: string;
  readonly writer: TomlWriter;
  readonly findings: FindingList;
}

/** Writes what main.cf says. */
export class GlobalParameters {
  readonly #plan: Plan;
  readonly #file: string;
  readonly #writer: TomlWriter;
  readonly #findings: FindingList;

  constructor(plan: Plan, { file, writer, findings }: Output) {
    this.#plan = plan;
    this.#file = file;
    this.#writer = writer;
    this.#findings = findings;
  }

  /** Names whose absence means something else in main.cf than in our file. */
  writeAbsent({ configDirectoryKnown }: { readonly configDirectoryKnown: boolean }): void {
    const { last, mentioned, configDirectory } = this.#plan;
    if (!last.has("compatibility_level")) {
      this.#writer.comment("main.cf does not set it; to Postfix that means its oldest defaults.");
      this.#writer.parameter("compatibility_level", "0");
      this.#writer.blank();
    }
    if (last.has("config_directory") || !mentioned.has("config_directory")) return;
    this.#writer.comment("The folder of main.cf; otherwise it would be the folder of this file.");
    this.#writer.parameter("config_directory", literalText(configDirectory));
    this.#writer.blank();
    if (configDirectoryKnown) return;
    this.#findings.add({
      severity: "warning",
      message: `Taken to be ${configDirectory}: the folder of main.cf is unknown`,
      hint: "correct it in the converted text if main.cf stands elsewhere",
    }, { key: "config_directory" });
  }

  /** Warns of values that will lack a part, because it is a default of another program's parameter. */
  noteLacking(): void {
    for (const [name, owner] of this.#plan.lacking) {
      const message =
        `$${name} is going to be empty: main.cf leaves it to Postfix's default, which ` +
        "postern does not know";
      const hint = `write what \`postconf -h ${name}\` prints into main.cf first`;
      this.#findings.add({ severity: "warning", message, hint }, {
        ...(owner !== undefined && { place: { line: owner.line, column: 1 }, key: owner.name }),
      });
    }
  }

  /** Everything in its order. With `squeeze`, blank lines do not pile up around what is left out. */
  write(items: readonly MainCfItem[], { squeeze }: { readonly squeeze: boolean }): void {
    const { last, leftOut } = this.#plan;
    const elsewhere: MainCfParameter[] = [];
    for (const item of items) {
      if (item.kind === "parameter") {
        if (last.get(item.name) !== item || !this.#plan.keeps(item.name)) continue;
        if (fitsTopLevel(item.name)) this.#parameter(item);
        else elsewhere.push(item);
      } else if (item.kind === "blank") {
        if (squeeze) this.#writer.gap();
        else this.#writer.blank();
      } else {
        const skipped = item.kind === "stray" ? "Skipped by Postfix: " : "";
        this.#writer.comment(skipped + item.text);
      }
    }
    if (leftOut.length > 0) {
      this.#writer.gap();
      this.#writer.comment("Left out, because neither tlsmgr nor tlsproxy reads them:");
      for (const name of leftOut) this.#writer.comment(`  ${tomlKey(name)}`);
    }
    if (elsewhere.length === 0) return;
    this.#writer.table(["parameters"]);
    this.#writer.comment("postern has tables or keys of these names, so they stand here.");
    for (const item of elsewhere) this.#parameter(item);
  }

  #parameter({ name, value, line }: MainCfParameter): void {
    for (const before of this.#plan.earlier.get(name) ?? []) {
      const text = `${tomlKey(name)} = ${tomlString(before.value)}`;
      this.#writer.comment(`Line ${before.line} does not count: ${text}`);
      if (before.value === value) continue;
      this.#findings.add({
        severity: "warning",
        message: `The value of line ${before.line} does not count: this one comes later`,
        hint: "keep one of them",
      }, { place: { line, column: 1 }, key: name });
    }
    this.#writer.parameter(name, value, { file: this.#file, line });
  }
}
