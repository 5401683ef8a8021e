/**
 * The TLS context that a local client is told: a finished handshake, as its protocol has it.
 *
 * @module
 */
import { toLatin1, utf8 } from "../base/bytes.ts";
import { emptySummary, PEER_STATUS, type TlsSummary } from "../proto/tls_context.ts";
import type { Handshake } from "../tls/summary.ts";

/** What a client is told about `handshake` with `namaddr`. */
export function contextOf(handshake: Handshake, namaddr: string): TlsSummary {
  const summary = emptySummary();
  const certificate = handshake.peerCertificate;
  if (certificate !== undefined) {
    summary.peerStatus = PEER_STATUS.certificate |
      (certificate.trusted ? PEER_STATUS.trusted : 0);
    summary.peerCommonName = utf8AsLatin1(certificate.commonName);
    summary.issuerCommonName = utf8AsLatin1(certificate.issuerCommonName);
    summary.peerFingerprint = certificate.fingerprint;
    summary.peerKeyFingerprint = certificate.keyFingerprint;
  }
  summary.protocol = handshake.protocol;
  summary.cipherName = handshake.cipher;
  summary.cipherUsedBits = handshake.usedBits;
  summary.cipherAlgorithmBits = handshake.algorithmBits;
  summary.keyExchange = handshake.keyExchange;
  summary.keyExchangeCurve = handshake.keyExchangeCurve;
  summary.keyExchangeBits = handshake.keyExchangeBits;
  if (handshake.serverSignature !== undefined) {
    summary.serverSignature = { ...handshake.serverSignature };
  }
  if (handshake.clientSignature !== undefined) {
    summary.clientSignature = { ...handshake.clientSignature };
  }
  summary.namaddr = namaddr;
  return summary;
}

/** The wire carries bytes, a character each. */
function utf8AsLatin1(text: string): string {
  return toLatin1(utf8(text));
}
