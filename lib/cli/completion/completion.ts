/**
 * `postern completion`: what a shell reads to complete the words of postern.
 *
 * @module
 */
import { EXIT } from "../../base/errors.ts";
import { nearestName } from "../../config/near_miss.ts";
import { defineCommand } from "../command.ts";
import { misuse } from "../options.ts";
import { print } from "../output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `postern completion`. */
export const COMPLETION = defineCommand({
  words: ["completion"],
  summary: "print what a shell needs to complete these words",
  about: `\
Prints a script for SHELL that completes commands, options, their values, and names of parameters.
It is made from the same tables as the commands, and goes where the shell looks for it:

    bash    /etc/bash_completion.d/postern, or source it in ~/.bashrc
    zsh     _postern in a folder of $fpath, or source it after compinit in ~/.zshrc
    fish    ~/.config/fish/completions/postern.fish`,
  options: {},
  operands: [{ name: "SHELL", help: "bash, zsh or fish", words: () => SHELLS }],
  example: "postern completion bash > /etc/bash_completion.d/postern",
  async run(_, [word]) {
    const shell = SHELLS.find((known) => known === word);
    if (shell === undefined) {
      const near = nearestName(word, SHELLS);
      throw misuse(
        `Cannot complete words in "${word}": it is no shell of bash, zsh and fish`,
        near === undefined ? "Write postern completion bash" : `Did you mean ${near}?`,
      );
    }
    // Imported here, because these scripts are made from the table that this row is in.
    const { completionScript } = await import("./scripts.ts");
    print(completionScript(shell));
    return EXIT.ok;
  },
});
