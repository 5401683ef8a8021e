/**
 * Keys and certificates of the TLS server: what tlsproxy would refuse, who may read them, how long they
 * are good.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import type { Settings } from "../../config/settings.ts";
import type { ServerPolicy } from "../../tls/context.ts";
import { type Check, type Finding, refusalOf } from "./finding.ts";
import { type Ground, servicesOf } from "./ground.ts";
import type { Account, Machine } from "./machine.ts";
import { type CertificateFacts, readCertificateChains } from "./pem_certificates.ts";
import { callOf, utcTime } from "./wording.ts";

/** Certificates that end sooner than this deserve attention. */
const EXPIRY_NOTICE_S = 30 * 86_400;

/** Settings of what can load keys. */
function proxiesOf({ services, openSsl }: Ground): readonly Settings[] {
  return "fault" in openSsl ? [] : servicesOf(services, "tlsproxy");
}

/** What `find` finds of each of them. */
async function ofEach(
  ground: Ground,
  find: (settings: Settings, machine: Machine) => Promise<Finding[]>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const settings of proxiesOf(ground)) {
    findings.push(...await find(settings, ground.machine));
  }
  return findings;
}

/** What the server role loads. */
interface Identities {
  readonly certificates: ServerPolicy["certificates"];
  /** Chain files of `tls_server_sni_maps`. */
  readonly sniFiles: readonly string[];
}

/** Nothing when the role is off, or when it cannot be: the check of the keys says why. */
async function identitiesOf(settings: Settings): Promise<Identities | undefined> {
  // Loads OpenSSL, which has been found; so does all else that is imported in functions here.
  const { serverRoleOf } = await import("../../tlsproxy/server_role.ts");
  const { readSniTables } = await import("../../tlsproxy/sni_tables.ts");
  try {
    const { local } = serverRoleOf(settings.parameters, settings.tls);
    if (local === undefined) return undefined;
    const table = readSniTables(settings.parameters.tls_server_sni_maps);
    return { certificates: local.policy.certificates, sniFiles: [...table.values()].flat() };
  } catch (error) {
    if (error instanceof FatalError) return undefined;
    throw error;
  }
}

export const KEYS: Check = {
  name: "keys",
  about: "whether tlsproxy could load its keys, certificates, authorities and DH parameters",
  applies: (ground) => proxiesOf(ground).length > 0,
  find: (ground) => ofEach(ground, keyFindings),
};

async function keyFindings(settings: Settings): Promise<Finding[]> {
  const { parameters, tls } = settings;
  const { serverRoleOf } = await import("../../tlsproxy/server_role.ts");
  const findings: Finding[] = [];
  let policy: ServerPolicy | undefined;
  const fault = refusalOf(() => {
    const { local, warnings } = serverRoleOf(parameters, tls);
    policy = local?.policy;
    for (const message of warnings) findings.push(roleOff(message, settings));
  });
  if (fault !== undefined) findings.push(fault);
  if (policy === undefined) return findings;
  return [...findings, ...await loadFindings(policy), ...await sniFindings(parameters)];
}

/** Loads pairs one by one, so that each fault is said, and first what is no certificate. */
async function loadFindings(policy: ServerPolicy): Promise<Finding[]> {
  const { ServerContext } = await import("../../tls/context.ts");
  const attempt = (certificates: ServerPolicy["certificates"]) =>
    refusalOf(() => new ServerContext({ ...policy, certificates }).close());
  const { chainFiles, pairs, chainParameter } = policy.certificates;
  const none = { chainFiles: [], pairs: [], chainParameter };
  const others = attempt(none);
  // Each attempt would be refused for the same reason.
  if (others !== undefined) return [others];
  const attempts = chainFiles.length > 0
    ? [attempt({ ...none, chainFiles })]
    : pairs.map((pair) => attempt({ ...none, pairs: [pair] }));
  return attempts.filter((finding) => finding !== undefined);
}

async function sniFindings({ tls_server_sni_maps: maps }: Settings["parameters"]) {
  const { readSniTables } = await import("../../tlsproxy/sni_tables.ts");
  const { SniMap } = await import("../../tls/sni_map.ts");
  const fault = refusalOf(() => new SniMap(readSniTables(maps), "tls_server_sni_maps").close());
  return fault === undefined ? [] : [fault];
}

function roleOff(message: string, settings: Settings): Finding {
  const whose = settings.instance === undefined ? "" : ` (${callOf(settings)})`;
  return {
    severity: "warning",
    message: message + whose,
    remedy: "See tlsproxy_tls_security_level, and the certificates that smtpd_tls_chain_files or " +
      "smtpd_tls_cert_file name",
  };
}

/** Files with private keys; each once. */
function keyFiles({ certificates, sniFiles }: Identities): ReadonlySet<string> {
  const { chainFiles, pairs } = certificates;
  const own = chainFiles.length > 0 ? chainFiles : pairs.map(({ keyFile }) => keyFile);
  return new Set([...own, ...sniFiles]);
}

export const KEY_FILES: Check = {
  name: "key-files",
  about: "who may read and change private keys",
  applies: (ground) => proxiesOf(ground).length > 0,
  find: (ground) => ofEach(ground, rightsFindings),
};

async function rightsFindings(settings: Settings, machine: Machine): Promise<Finding[]> {
  const identities = await identitiesOf(settings);
  if (identities === undefined) return [];
  const user = settings.service.user;
  return [...keyFiles(identities)].flatMap((path) => {
    const status = statusOf(path);
    if (status === undefined) return [];
    return keyFileFindings(path, status, { user, account: machine.account(user) });
  });
}

type Status = { readonly mode: number; readonly uid: number; readonly gid: number };

function statusOf(path: string): Status | undefined {
  try {
    const { mode, uid, gid } = Deno.statSync(path);
    return { mode: mode ?? 0, uid: uid ?? 0, gid: gid ?? 0 };
  } catch {
    // Whatever the reason is, loading the key says it.
    return undefined;
  }
}

function keyFileFindings(
  path: string,
  { mode, uid, gid }: Status,
  { user, account }: { user: string; account: Account | undefined },
): Finding[] {
  const finding = (severity: Finding["severity"], message: string, remedy: string) => [
    { severity, message, remedy },
  ];
  if ((mode & 0o002) !== 0) {
    return finding("error", `Everybody may change private key "${path}"`, `chmod o= ${path}`);
  }
  if ((mode & 0o004) !== 0) {
    return finding("error", `Everybody may read private key "${path}"`, `chmod o= ${path}`);
  }
  if ((mode & 0o020) !== 0) {
    return finding("warning", `A group may change private key "${path}"`, `chmod g-w ${path}`);
  }
  if (account === undefined || account.uid === 0) return [];
  const isOpen = account.uid === uid
    ? (mode & 0o400) !== 0
    : (mode & 0o040) !== 0 && account.gids.includes(gid);
  if (isOpen || (mode & 0o040) !== 0 && gid !== 0) return [];
  return finding(
    "note",
    `The account "${user}" may not read private key "${path}": a service that root starts may, one ` +
      "with User= in its unit may not",
    `chgrp postern ${path} && chmod 640 ${path}`,
  );
}

/** Files with certificates; each once. */
function certificateFiles({ certificates, sniFiles }: Identities): ReadonlySet<string> {
  const { chainFiles, pairs } = certificates;
  const own = chainFiles.length > 0
    ? chainFiles
    : pairs.map(({ certificateFile }) => certificateFile);
  return new Set([...own, ...sniFiles]);
}

export const CERTIFICATES: Check = {
  name: "certificates",
  about: "order of the chains, and whether they are good today and for 30 more days",
  applies: (ground) => proxiesOf(ground).length > 0,
  find: (ground) => ofEach(ground, certificateFindings),
};

async function certificateFindings(settings: Settings, { clock }: Machine): Promise<Finding[]> {
  const identities = await identitiesOf(settings);
  if (identities === undefined) return [];
  const nowS = clock.unixSeconds();
  const findings: Finding[] = [];
  for (const path of certificateFiles(identities)) {
    for (const chain of readCertificateChains(readText(path))) {
      findings.push(...chainFindings(path, chain), ...timeFindings(path, chain, nowS));
    }
  }
  return findings;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // As for the keys.
    return "";
  }
}

function chainFindings(path: string, chain: readonly CertificateFacts[]): Finding[] {
  for (const [i, certificate] of chain.entries()) {
    const next = chain[i + 1];
    if (next === undefined || next.subjectDer === certificate.issuerDer) continue;
    return [{
      severity: "error",
      message: `The certificates in "${path}" are out of order: "${next.subject}" follows ` +
        `"${certificate.subject}", which "${certificate.issuer}" has issued`,
      remedy: "Put the server's certificate first, and behind each the one of its issuer",
    }];
  }
  return [];
}

function timeFindings(
  path: string,
  chain: readonly CertificateFacts[],
  nowS: number,
): Finding[] {
  return chain.flatMap(({ subject, notBefore, notAfter }): Finding[] => {
    const what = `The certificate "${subject}" in "${path}"`;
    if (nowS < notBefore) {
      const message = `${what} is not good before ${utcTime(notBefore)}`;
      return [{ severity: "error", message, remedy: "Wait, or look whether the clock is right" }];
    }
    if (nowS > notAfter) {
      const message = `${what} has ended on ${utcTime(notAfter)}`;
      return [{ severity: "error", message, remedy: "Renew it, then reload tlsproxy" }];
    }
    if (notAfter - nowS >= EXPIRY_NOTICE_S) return [];
    const days = Math.floor((notAfter - nowS) / 86_400);
    const left = days === 1 ? "1 day" : `${days} days`;
    const message = `${what} ends on ${utcTime(notAfter)}, in ${left}`;
    return [{ severity: "warning", message, remedy: "Renew it, then reload tlsproxy" }];
  });
}
