/** Commenting entries of master.cf out and in again. */

import { assertEquals } from "@std/assert";
import { commentIn, commentOut } from "../../../../lib/cli/install/master_cf.ts";

const TEXT = `\
smtp      inet  n - y - - smtpd
tlsmgr    unix  - - y 1000? 1 tlsmgr
  -o a=b

# between
\t-o c=d
   # also between
# behind
tlsproxy  unix  - - y - 0 tlsproxy
`;

Deno.test("commentOut() marks the lines of an entry and leaves comments as they are", () => {
  assertEquals(
    commentOut(TEXT, [2]),
    `\
smtp      inet  n - y - - smtpd
#postern# tlsmgr    unix  - - y 1000? 1 tlsmgr
#postern#   -o a=b

# between
#postern# \t-o c=d
   # also between
# behind
tlsproxy  unix  - - y - 0 tlsproxy
`,
  );
});

Deno.test("commentIn() undoes commentOut(), whatever the file ends with", () => {
  for (const text of [TEXT, TEXT.trimEnd(), `${TEXT}\n\n`, `${TEXT}\xff\xfe\r\n`]) {
    assertEquals(commentIn(commentOut(text, [2, 9])), text);
  }
  assertEquals(commentIn("#postern is a daemon\n# other\n"), "#postern is a daemon\n# other\n");
});
