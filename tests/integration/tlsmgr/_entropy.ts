/**
 * What the tests of random numbers share: seeds, and the role run in ways that the bed does not know.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { posternBinary, type TomlValue, toToml } from "../../support/postern.ts";
import { type ProcessOptions, type RunningProcess, startProcess } from "../../support/process.ts";
import type { TempFolder } from "../../support/temp_folder.ts";

/** A seed of 32 bytes, in base64. */
export async function seedFrom(client: AttrClient): Promise<string> {
  const { attributes } = await client.ask([["request", "seed"], ["size", "32"]]);
  assertEquals(attributes[0], ["status", "0"]);
  assertMatch(attributes[1][1], /^[A-Za-z0-9+/]{43}=$/);
  return attributes[1][1];
}

/** Options of {@linkcode startRole}. */
export interface RoleOptions {
  settings: Record<string, TomlValue>;
  /** Command and arguments that stand before the executable. */
  before?: string[];
  env?: ProcessOptions["env"];
}

/** Writes the settings and starts tlsmgr, but does not wait until it is ready. */
export async function startRole(folder: TempFolder, options: RoleOptions): Promise<RunningProcess> {
  const text = toToml({
    data_directory: folder.path,
    ...options.settings,
    service: { user: "", ...options.settings.service as Record<string, TomlValue> },
  });
  const path = await folder.write("postern.toml", text);
  const [command, ...args] = [
    ...options.before ?? [],
    posternBinary(),
    ...["--role", "tlsmgr", "--config", path],
    ...["-o", "queue_directory=/"],
  ];
  return startProcess(command, args, { env: options.env });
}

/** Waits until a role that was started so serves. */
export async function serves(role: RunningProcess): Promise<void> {
  await role.waitFor("readiness", () => /\bready: /.test(role.stderr));
}
