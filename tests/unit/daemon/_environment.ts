/**
 * An environment of a test's own.
 *
 * @module
 */
import type { Environment } from "../../../lib/daemon/environment.ts";

/** Variables in a map. */
export class FakeEnvironment extends Map<string, string> implements Environment {
  constructor(variables: Readonly<Record<string, string>> = {}) {
    super(Object.entries(variables));
  }
}
