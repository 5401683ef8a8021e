/**
 * Until when a server's certificates are good.
 *
 * @module
 */
import { libcrypto } from "../ffi/openssl/openssl.ts";
import type { X509 } from "../ffi/openssl/types.ts";
import type { ServerContext } from "./context.ts";
import { chainsOf } from "./trial.ts";
import { nameLine } from "./verification.ts";

/** One certificate of a context. */
export interface CertificateEnd {
  /** What people call it: its files, and the server name that it is for if there is one. */
  readonly shown: string;
  /** The subject's distinguished name, in a line. */
  readonly subject: string;
  /** The last second of its time, in seconds since 1970. */
  readonly endsAtS: number;
}

/** `struct tm` (time.h), of which the first six fields are wanted; 56 bytes on 64-bit machines. */
const time = new Int32Array(14);
const timeBytes = new Uint8Array(time.buffer);

/** All leaf certificates of a context, those of its server names included; one whose time cannot be read is left out. */
export function certificateEnds(context: ServerContext): readonly CertificateEnd[] {
  const ends: CertificateEnd[] = [];
  for (const { shown, leaf } of chainsOf(context)) {
    const endsAtS = endOf(leaf);
    const subject = libcrypto.X509_get_subject_name(leaf);
    if (endsAtS === undefined) continue;
    ends.push({ shown, subject: subject === null ? "" : nameLine(subject), endsAtS });
  }
  return ends;
}

function endOf(certificate: X509): number | undefined {
  if (libcrypto.ASN1_TIME_to_tm(libcrypto.X509_getm_notAfter(certificate), timeBytes) !== 1) {
    return undefined;
  }
  const [second, minute, hour, day, month, year] = time;
  return Date.UTC(1900 + year, month, day, hour, minute, second) / 1000;
}
