/**
 * What tests and checks came to: reading the report of one process, and adding up.
 *
 * @module
 */

/** What one or several processes came to. */
export interface Outcome {
  passed: number;
  /** Titles of what failed, in the form `file: name of the test`. */
  readonly failed: string[];
  readonly skipped: string[];
}

/** Nothing yet. */
export function emptyOutcome(): Outcome {
  return { passed: 0, failed: [], skipped: [] };
}

/** Adds `more` to `sum`. */
export function addOutcome(sum: Outcome, more: Outcome): void {
  sum.passed += more.passed;
  sum.failed.push(...more.failed);
  sum.skipped.push(...more.skipped);
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|quot|apos|amp));/g,
    (_, decimal, hex, name) =>
      name ? named[name] : String.fromCodePoint(Number(decimal ?? `0x${hex}`)),
  );
}

/** Reads the JUnit report of `deno test`: one `testcase` a test and a step of a test. */
export function readReport(xml: string): Outcome {
  const outcome = emptyOutcome();
  const testcase =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, name, file, content = ""] of xml.matchAll(testcase)) {
    const title = `${unescapeXml(file)}: ${unescapeXml(name)}`;
    if (/<(failure|error)\b/.test(content)) outcome.failed.push(title);
    else if (/<skipped\b/.test(content)) outcome.skipped.push(title);
    else outcome.passed++;
  }
  return outcome;
}
