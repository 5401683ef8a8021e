/**
 * A request and its answer in words, for those who want to know all (`-v`).
 *
 * Sessions, ticket keys and seeds are counted and never shown: whoever reads the log could read mail with
 * them.
 *
 * @module
 */
import { toHex } from "../base/bytes.ts";
import type { AskKind, TlsmgrAnswer, TlsmgrAsk } from "../proto/tlsmgr.ts";

/** Longest text of a client's that is shown. */
const TEXT_MAX = 200;
/** Names of ticket keys are not secret; longer ones are not names. */
const KEY_NAME_BYTES = 16;

/** `lookup smtpd 0A1B&s=smtpd: status 0, session of 1500 bytes`. */
export function exchangeWords(kind: AskKind, ask: TlsmgrAsk, answer: TlsmgrAnswer): string {
  const { status } = answer;
  const cache = `${ask.cacheType} ${ask.cacheId}`.slice(0, TEXT_MAX);
  switch (kind) {
    case "seed":
      return `seed of ${ask.size} bytes: status ${status}, ${answer.seed.dataBytes} bytes`;
    case "policy":
      return `policy ${ask.cacheType.slice(0, TEXT_MAX)}: status ${status}, ` +
        `cachable ${answer.cachable}, timeout ${answer.timeout}`;
    case "lookup":
      return `lookup ${cache}: status ${status}, session of ${answer.session.dataBytes} bytes`;
    case "update":
      return `update ${cache}, session of ${ask.session.dataBytes} bytes: status ${status}`;
    case "delete":
      return `delete ${cache}: status ${status}`;
    case "tktkey":
      return `tktkey ${
        keyNameOf(ask)
      }: status ${status}, key of ${answer.keyBuffer.dataBytes} bytes`;
    default:
      return `${kind} request "${ask.name.slice(0, TEXT_MAX)}": status ${status}`;
  }
}

function keyNameOf({ keyName }: TlsmgrAsk): string {
  const { dataBytes } = keyName;
  if (dataBytes === 0) return "(current)";
  return dataBytes === KEY_NAME_BYTES ? toHex(keyName.data()) : `(name of ${dataBytes} bytes)`;
}
