/**
 * Lines of `[log] format = "json"`, held against the schema that is shipped.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Schema, schemaFault } from "./json_schema.ts";
import { supportPath } from "./paths.ts";

/** The schema. */
export const LOG_SCHEMA: Schema = JSON.parse(
  Deno.readTextFileSync(supportPath("../../config/log-schema.json")),
);

/** A line. */
export type LoggedObject = Readonly<Record<string, unknown>>;

/** The object in `line`; fails unless it is as the schema says. */
export function parseLogLine(line: string): LoggedObject {
  const object = JSON.parse(line);
  assertEquals(schemaFault(object, LOG_SCHEMA), undefined, line);
  return object;
}
