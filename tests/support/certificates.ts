/**
 * Ephemeral certificates: one authority, one RSA-2048 and one ECDSA P-256 server certificate.
 *
 * The `openssl` command makes them once per test process; they are kept in memory and written into
 * whatever folder wants them. Nobody outside the tests trusts them, and they end after two days.
 *
 * @module
 */

import { runChecked } from "./process.ts";
import { TempFolder } from "./temp_folder.ts";

/** The host names in the certificates, beside the address 127.0.0.1. */
export const CERTIFICATE_NAMES = ["localhost", "mx.example.test"] as const;

const FILES = ["ca.pem", "rsa.pem", "rsa.key", "ec.pem", "ec.key"] as const;

/** The PEM texts by file name. */
export type PemFiles = Record<(typeof FILES)[number], string>;

/** Paths of the files that {@linkcode writeCertificates} wrote. */
export interface CertificatePaths {
  /** The authority's certificate; what a client trusts. */
  ca: string;
  rsaCertificate: string;
  rsaKey: string;
  ecCertificate: string;
  ecKey: string;
}

let made: Promise<PemFiles> | undefined;

/** The PEM texts; made at the first call. */
export function certificatePems(): Promise<PemFiles> {
  made ??= make();
  return made;
}

/** Writes the five files into the existing folder `folder`, keys with mode 0600. */
export async function writeCertificates(folder: string): Promise<CertificatePaths> {
  const pems = await certificatePems();
  for (const name of FILES) {
    const mode = name.endsWith(".key") ? 0o600 : 0o644;
    await Deno.writeTextFile(`${folder}/${name}`, pems[name], { mode });
  }
  return {
    ca: `${folder}/ca.pem`,
    rsaCertificate: `${folder}/rsa.pem`,
    rsaKey: `${folder}/rsa.key`,
    ecCertificate: `${folder}/ec.pem`,
    ecKey: `${folder}/ec.key`,
  };
}

async function make(): Promise<PemFiles> {
  await using folder = await TempFolder.make("pem");
  const openssl = (args: string[]) => runChecked("openssl", args, { cwd: folder.path });
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  // deno-fmt-ignore
  await openssl([
    "req", "-x509", ...p256, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
    "-subj", "/CN=Ephemeral test authority", "-addext", "basicConstraints=critical,CA:TRUE",
    "-addext", "keyUsage=critical,keyCertSign,cRLSign",
  ]);
  const names = CERTIFICATE_NAMES.map((name) => `DNS:${name}`).join(",");
  for (const [name, key] of [["rsa", ["-newkey", "rsa:2048"]], ["ec", p256]] as const) {
    // deno-fmt-ignore
    await openssl([
      "req", "-new", ...key, "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`,
      "-subj", `/CN=${CERTIFICATE_NAMES[0]}`,
    ]);
    const extensions = await folder.write(
      `${name}.ext`,
      `subjectAltName=${names},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n`,
    );
    // deno-fmt-ignore
    await openssl([
      "x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
      "-set_serial", `0x${crypto.randomUUID().replaceAll("-", "")}`, "-extfile", extensions,
      "-out", `${name}.pem`,
    ]);
  }
  const texts = await Promise.all(FILES.map((name) => Deno.readTextFile(folder.file(name))));
  return Object.fromEntries(FILES.map((name, i) => [name, texts[i]])) as PemFiles;
}
