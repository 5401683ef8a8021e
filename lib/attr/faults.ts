/**
 * What can be wrong with an attribute list, and how Postfix words it.
 *
 * A fault is a value, made only when something is wrong; the peer's bytes in it are cut short.
 *
 * @module
 */

/** The first thing that was wrong with a list; a fault of the peer, never thrown. */
export type AttrFault =
  /** The terminator came before the attribute `name`. */
  | { readonly kind: "missing"; readonly name: string }
  /** The attribute `found` is not the one wanted next. */
  | { readonly kind: "unexpected"; readonly found: string; readonly expecting: string }
  /** The value of `name` is not a number by the rules of C's scanf. */
  | { readonly kind: "malformed number"; readonly name: string; readonly value: string }
  /** The value of `name` is not base64. */
  | { readonly kind: "malformed base64"; readonly name: string; readonly value: string }
  /** The value of `name` had to be another constant. */
  | {
    readonly kind: "other value";
    readonly name: string;
    readonly value: string;
    readonly expecting: string;
  }
  /** The value of `name` has the right form but is beyond what the message allows. */
  | { readonly kind: "unreasonable"; readonly name: string; readonly value: string };

/** Bytes of a peer's name or value that a fault keeps. */
export const FAULT_TEXT_MAX = 100;

/** What an extra attribute at the end is reported to stand in place of. */
export const LIST_TERMINATOR = "(list terminator)";

/**
 * The log line for `fault`, in Postfix's words (attr_scan0.c), without severity.
 *
 * @param stream What Postfix calls the connection: `tlsmgr socket`, `plaintext`.
 */
export function describeAttrFault(fault: AttrFault, stream: string): string {
  switch (fault.kind) {
    case "missing":
      return `missing attribute ${fault.name} in input from ${stream}`;
    case "unexpected":
      return `unexpected attribute ${fault.found} from ${stream} (expecting: ${fault.expecting})`;
    case "malformed number":
      return `malformed numerical data from ${stream} while reading input attribute value: ` +
        fault.value;
    case "malformed base64":
      return `malformed base64 data from ${stream} while reading input attribute value: ` +
        fault.value;
    case "other value":
      return `unexpected value ${fault.value} of attribute ${fault.name} from ${stream} ` +
        `(expecting: ${fault.expecting})`;
    case "unreasonable":
      return `unreasonable value ${fault.value} of attribute ${fault.name} from ${stream}`;
  }
}
