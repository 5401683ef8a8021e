/**
 * The grammar of master.cf. What Postfix makes of each text was seen with postconf -M and -P of
 * release 3.7.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { utf8 } from "../../../../lib/base/bytes.ts";
import { FindingList } from "../../../../lib/config/findings.ts";
import { type MasterEntry, readMasterCf } from "../../../../lib/config/import/master_cf.ts";

function read(text: string) {
  const findings = new FindingList("master.cf");
  return { entries: readMasterCf(utf8(text), findings), findings: findings.inOrder() };
}

function entriesOf(text: string): MasterEntry[] {
  const { entries, findings } = read(text);
  assertEquals(findings, []);
  return entries;
}

/** Options of the only entry, in a short form. */
function optionsOf(text: string): string[] {
  const entries = entriesOf(`tlsproxy unix - - n - 0 tlsproxy ${text}\n`);
  assertEquals(entries.length, 1);
  return entries[0].options.map((option) =>
    option.kind === "parameter"
      ? `${option.name}=${option.value}`
      : option.kind === "verbose"
      ? "-v"
      : `dropped ${option.text}`
  );
}

/** `line message` of each error. */
function errorsOf(text: string): string[] {
  return read(text).findings.map(({ line, message }) => `${line} ${message}`);
}

Deno.test("readMasterCf() reads the columns of tlsmgr and tlsproxy, and passes over all others", () => {
  const entries = entriesOf(`
# comment
smtp      inet  n       -       y       -       -       smtpd
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
#tlsproxy unix  -       -       y       -       0       tlsproxy
edge      unix  n       n       -       -       0       sub/tlsproxy
qmgr      unix  n       -       n       300     1       qmgr
`);
  assertEquals(entries, [
    {
      name: "tlsmgr",
      type: "unix",
      isPrivate: true,
      unprivileged: true,
      chroot: true,
      wakeup: "1000?",
      processLimit: "1",
      role: "tlsmgr",
      options: [],
      line: 4,
      text: "tlsmgr    unix  -       -       y       1000?   1       tlsmgr",
    },
    {
      name: "edge",
      type: "unix",
      isPrivate: false,
      unprivileged: false,
      chroot: "default",
      wakeup: "-",
      processLimit: "0",
      role: "tlsproxy",
      options: [],
      line: 6,
      text: "edge      unix  n       n       -       -       0       sub/tlsproxy",
    },
  ]);
});

Deno.test("readMasterCf() reads options in every way of writing them", () => {
  assertEquals(optionsOf("-o a=b -oc=d -o { e = f g } {-oh=i} -o {j=k}"), [
    "a=b",
    "c=d",
    "e=f g",
    "h=i",
    "j=k",
  ]);
  assertEquals(optionsOf("-v -v -vvo a=b"), ["-v", "-v", "-v", "-v", "a=b"]);
  assertEquals(optionsOf("-o a= -o b=x=y -o c={x}"), ["a=", "b=x=y", "c={x}"]);
  assertEquals(optionsOf("-i 50s -m10"), ["max_idle=50s", "max_use=10"]);
});

Deno.test("readMasterCf() keeps braces inside of an argument", () => {
  assertEquals(optionsOf("-o { a = ${b?{c d}:{e}} } -o f=${g ? {h i}}"), [
    "a=${b?{c d}:{e}}",
    "f=${g ? {h i}}",
  ]);
});

Deno.test("readMasterCf() hands on what has no counterpart", () => {
  assertEquals(optionsOf("-D -d -S -n name -vc"), [
    "dropped -D",
    "dropped -d",
    "dropped -S",
    "dropped -n name",
    "-v",
    "dropped -c",
  ]);
  assertEquals(optionsOf("-v word -o a=b"), ["-v", "dropped word", "dropped -o", "dropped a=b"]);
  assertEquals(optionsOf("-- -v"), ["dropped -v"]);
});

Deno.test("readMasterCf() joins continued entries across comments", () => {
  const [entry] = entriesOf(`tlsproxy unix - - n - 0 tlsproxy
  -o a=b
# comment
#  -o commented=out

\t-o { c = d }
`);
  assertEquals(entry.options, [
    { kind: "parameter", name: "a", value: "b" },
    { kind: "parameter", name: "c", value: "d" },
  ]);
});

Deno.test("readMasterCf() takes the last of two entries with one name and type", () => {
  const { entries, findings } = read(
    "tlsmgr unix - - n - 1 tlsmgr -v\ntlsmgr inet n - n - 1 tlsmgr\ntlsmgr unix - - n - 1 tlsmgr\n",
  );
  assertEquals(entries.map(({ line }) => line), [2, 3]);
  assertEquals(findings.map(({ severity, line }) => [severity, line]), [["warning", 3]]);
  assertStringIncludes(findings[0].message, "line 1");
});

Deno.test("readMasterCf() refuses what master(8) and the daemons refuse, all of it in one run", () => {
  const errors = errorsOf(`tlsproxy unix - - - - 0
tlsproxy unixx - - - - 0 tlsproxy
tlsproxy unix x - - - 0 tlsproxy
tlsproxy unix - x - - 0 tlsproxy
tlsproxy unix - - yes - 0 tlsproxy
tlsproxy unix - - - 1x 0 tlsproxy
tlsproxy unix - - - - -5 tlsproxy
tlsproxy unix - - - - 0 tlsproxy -o { a = b
tlsproxy unix - - - - 0 tlsproxy -o {a=b}c
tlsproxy unix - - - - 0 tlsproxy -o a
tlsproxy unix - - - - 0 tlsproxy -o
tlsproxy unix - - - - 0 tlsproxy -q
tlsproxy unix - - - - 0 tlsproxy -o =x
`);
  assertEquals(errors, [
    '1 Cannot read an entry: 7 columns in "tlsproxy unix - - - - 0", not 8',
    '2 Cannot read an entry: unknown type "unixx"',
    '3 Cannot read an entry: "x" in the column private',
    '4 Cannot read an entry: "x" in the column unpriv',
    '5 Cannot read an entry: "yes" in the column chroot',
    '6 Cannot read an entry: "1x" in the column wakeup',
    '7 Cannot read an entry: "-5" in the column maxproc',
    '8 Cannot read an argument: no "}" ends "{ a = b"',
    '9 Cannot read an argument: text follows the "}" in "{a=b}c"',
    '10 Cannot read the option -o "a": it is not name=value',
    "11 Cannot read an argument: nothing follows -o",
    '12 Cannot read an argument: unknown option -q in "-q"',
    '13 Cannot read the option -o "=x": it is not name=value',
  ]);
  assertEquals(read("tlsproxy unix - - - - 0 tlsproxy -o a\n").entries, []);
});

Deno.test("readMasterCf() says nothing about faults in other programs' options", () => {
  assertEquals(entriesOf("smtp inet n - y - - smtpd -o broken -o { x\n"), []);
});

Deno.test("readMasterCf() warns of a line that continues nothing", () => {
  const { entries, findings } = read("  tlsmgr unix - - n - 1 tlsmgr\n");
  assertEquals(entries, []);
  assertStringIncludes(findings[0].message, "Skipped");
});
