/**
 * The packages of the project, all of them; caching this file fetches what everything else needs.
 *
 * @module
 */

import "@std/assert";
import "@std/cli";
import "@std/log";
import "@std/toml";
import "fast-check";
