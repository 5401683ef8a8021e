/**
 * All commands, in the order in which `postern help` lists them; one row each.
 *
 * How to add one is said in command.ts.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { CACHE_COMPACT } from "./cache/compact.ts";
import { CACHE_EXPORT } from "./cache/export.ts";
import { CACHE_LIST } from "./cache/list.ts";
import { CACHE_PURGE } from "./cache/purge.ts";
import { CACHE_STAT } from "./cache/stat.ts";
import { CACHE_VERIFY } from "./cache/verify.ts";
import { COMPLETION } from "./completion/completion.ts";
import { CONFIG_CHECK } from "./config/check.ts";
import { CONFIG_EXAMPLE } from "./config/example.ts";
import { CONFIG_IMPORT } from "./config/import.ts";
import { CONFIG_SHOW } from "./config/show.ts";
import { DEMO } from "./demo_command.ts";
import { DOCTOR } from "./doctor/doctor.ts";
import { INSTALL, UNINSTALL } from "./install/commands.ts";
import { QUERY } from "./query/query.ts";
import { RELOAD } from "./reload/reload.ts";
import { RUN_ROLE } from "./role_command.ts";
import { STATUS } from "./status/status.ts";

/** The table. */
export const COMMANDS: readonly Command[] = [
  RUN_ROLE,
  STATUS,
  RELOAD,
  CONFIG_CHECK,
  CONFIG_SHOW,
  CONFIG_IMPORT,
  CONFIG_EXAMPLE,
  QUERY,
  CACHE_STAT,
  CACHE_LIST,
  CACHE_VERIFY,
  CACHE_COMPACT,
  CACHE_PURGE,
  CACHE_EXPORT,
  COMPLETION,
  DOCTOR,
  INSTALL,
  UNINSTALL,
  DEMO,
];
