/**
 * `postern doctor`: everything that is known to keep the services from working, before it does.
 *
 * @module
 */
import { defineCommand } from "../command.ts";
import { CONFIG, INSTANCE, ROLE, switchOption, textOption } from "../options.ts";
import { print } from "../output.ts";
import { findOpenSsl } from "../version.ts";

/** `postern doctor`. */
export const DOCTOR = defineCommand({
  words: ["doctor"],
  summary: "look for what keeps the services from working",
  about: `\
Looks at FILE and at what it names: keys and certificates (they load, belong together, are in order,
private, and good for 30 more days), data directory and caches, entropy source, sockets and who
serves them, accounts, limits, free space, clock, the system's OpenSSL. With --main-cf it also looks
whether Postfix's main.cf agrees and whether master.cf beside it still starts what postern is to
serve. Changes nothing and starts nothing. Run it as root, so that it sees what a service sees.

It looks at all services that FILE describes, instances included; with --role only at those of that
role, with --instance only at that one.

Prints a line for each check that is well, and for each finding what to do about it. The exit code
is 78 if a finding is an error, 1 if the worst is a warning, 0 otherwise.`,
  options: {
    config: CONFIG,
    role: ROLE,
    instance: INSTANCE,
    mainCf: textOption("--main-cf", "MAIN_CF", "Postfix's main.cf; master.cf stands beside it"),
    json: switchOption("--json", "one JSON object in place of the text"),
  },
  example: "postern doctor --config postern.toml --main-cf /etc/postfix/main.cf",
  async run({ config, role, instance, mainCf, json }) {
    // Not imported above: they open libraries.
    const { prepareGround } = await import("./ground.ts");
    const { thisMachine } = await import("./machine.ts");
    const { examine, exitCodeOf, reportJson, reportText } = await import("./report.ts");
    const openSsl = await findOpenSsl();
    const wish = { role, instance };
    const ground = prepareGround({ config, mainCf, wish, openSsl, machine: thisMachine });
    const results = await examine(ground);
    print(json ? reportJson(results) : reportText(results));
    return exitCodeOf(results);
  },
});
