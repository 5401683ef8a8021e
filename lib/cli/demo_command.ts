/**
 * `postern demo`: the row; what it does is in the folder demo.
 *
 * @module
 */
import { defineCommand } from "./command.ts";
import { switchOption } from "./options.ts";
import { findOpenSsl, versionText } from "./version.ts";

/** `postern demo`. */
export const DEMO = defineCommand({
  words: ["demo"],
  summary: "show both services at work",
  about: `\
Starts both services in a temporary folder, with certificates made for the occasion, and does what
Postfix would do: asks tlsmgr, hands connections over to tlsproxy, makes a TLS session, and resumes
it, for each way in which a session can be resumed. Prints what happened, and removes the folder.`,
  options: {
    stay: switchOption("--stay", "both services go on until Ctrl-C; shows how to connect to them"),
  },
  example: "postern demo",
  async run({ stay }) {
    // Asked first, because what the demonstration is made of cannot be loaded without it.
    const openSsl = await findOpenSsl();
    if ("fault" in openSsl) throw openSsl.fault;
    const { runDemo } = await import("./demo/demo.ts");
    return await runDemo({ stay, versions: versionText(openSsl) });
  },
});
