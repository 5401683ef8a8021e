/**
 * What kind of failure an error of OpenSSL's stands for, in few words that can be counted.
 *
 * Numbers are those of openssl/sslerr.h.
 *
 * @module
 */

/** Kinds of failure that can be told apart by OpenSSL's first error. */
export type FailureClass =
  | "closed by peer"
  | "protocol error"
  | "alert from peer"
  | "not TLS"
  | "unsupported protocol"
  | "no shared cipher"
  | "no shared group"
  | "no shared signature"
  | "bad certificate";

/** `ERR_LIB_SSL` */
const LIBRARY_SSL = 20;
/** Reasons above this are alerts that the peer sent (`SSL_AD_REASON_OFFSET`). */
const ALERT_OFFSET = 1000;
const REASON_MASK = 0x7fffff;

/** `SSL_R_*` */
const CLASSES: Readonly<Record<number, FailureClass>> = {
  101: "no shared group", // no suitable key share
  118: "no shared signature", // no suitable signature algorithm
  123: "bad certificate", // bad signature
  134: "bad certificate", // certificate verify failed
  155: "not TLS", // https proxy request
  156: "not TLS", // http request
  191: "unsupported protocol", // no protocols available
  193: "no shared cipher",
  199: "bad certificate", // peer did not return a certificate
  252: "not TLS", // unknown protocol
  258: "unsupported protocol",
  266: "unsupported protocol", // wrong ssl version
  267: "not TLS", // wrong version number
  294: "closed by peer", // unexpected eof while reading
  295: "no shared group", // no suitable groups
  373: "unsupported protocol", // inappropriate fallback
  376: "no shared signature", // no shared signature algorithms
  396: "unsupported protocol", // version too low
  397: "bad certificate", // ca key too small
  398: "bad certificate", // ca md too weak
  399: "bad certificate", // ee key too small
};

/** The class of the first of `errors`, worded `error:0A0000C1:…`; `undefined` when there is none. */
export function failureClassOf(errors: readonly string[]): FailureClass | undefined {
  if (errors.length === 0) return undefined;
  const reason = reasonOf(errors[0]);
  if (reason > ALERT_OFFSET) return "alert from peer";
  return CLASSES[reason] ?? "protocol error";
}

/** The alert that the peer sent, its number; `undefined` when the first of `errors` is something else. */
export function alertOf(errors: readonly string[]): number | undefined {
  const reason = errors.length === 0 ? 0 : reasonOf(errors[0]);
  return reason > ALERT_OFFSET ? reason - ALERT_OFFSET : undefined;
}

function reasonOf(error: string): number {
  const code = Number.parseInt(error.slice("error:".length), 16);
  return code >>> 23 === LIBRARY_SSL ? code & REASON_MASK : 0;
}
