import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { libssl } from "../../../lib/ffi/openssl/openssl.ts";
import { type CertificateFiles, loadCertificates } from "../../../lib/tls/certificates.ts";
import { ServerContext } from "../../../lib/tls/context.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import type { CertificatePaths } from "../../support/certificates.ts";
import type { TempFolder } from "../../support/temp_folder.ts";
import { Hall, Meeting, policyOf, TLS12, withCertificates } from "./_setup.ts";

const pairOf = (certificateFile: string, keyFile: string) => ({
  certificateFile,
  keyFile,
  certificateParameter: "tlsproxy_tls_cert_file",
  keyParameter: "tlsproxy_tls_key_file",
});

const pairs = (...files: [string, string][]): CertificateFiles => ({
  chainFiles: [],
  chainParameter: "tlsproxy_tls_chain_files",
  pairs: files.map(([certificate, key]) => pairOf(certificate, key)),
});

const chains = (...chainFiles: string[]): CertificateFiles => ({
  chainFiles,
  chainParameter: "tlsproxy_tls_chain_files",
  pairs: [pairOf("/nowhere/ignored.pem", "/nowhere/ignored.key")],
});

/** Loads `files`, and answers which of RSA and ECDSA a client of TLS 1.2 gets. */
function kindsOf(paths: CertificatePaths, certificates: CertificateFiles): string {
  const hall = new Hall(paths, { tickets: false, cache: false, policy: { certificates } });
  const kinds: string[] = [];
  for (const [kind, ciphers] of [["RSA", "aRSA"], ["ECDSA", "aECDSA"]]) {
    using meeting = new Meeting(hall, { version: TLS12, ciphers: `ECDHE+${ciphers}` });
    if (meeting.shake() === "done") kinds.push(kind);
  }
  hall.close();
  return kinds.join();
}

/** What loading `files` is refused with; the error queue must be empty after it. */
function refused(certificates: CertificateFiles, paths: CertificatePaths): FatalError {
  const error = assertThrows(
    () => new ServerContext(policyOf(paths, { certificates })),
    FatalError,
  );
  assertEquals(drainErrors(), [], "no error of OpenSSL's is left behind");
  assertEquals(error.exitCode, 78);
  assert(error.hint !== undefined);
  return error;
}

function testFiles(
  name: string,
  run: (paths: CertificatePaths, folder: TempFolder) => void | Promise<void>,
): void {
  testDescriptors(name, () => withCertificates(run));
}

const read = (path: string) => Deno.readTextFileSync(path);

testFiles("a pair of files is loaded, of either kind and both together", (paths) => {
  const rsa: [string, string] = [paths.rsaCertificate, paths.rsaKey];
  const ec: [string, string] = [paths.ecCertificate, paths.ecKey];
  assertEquals(kindsOf(paths, pairs(rsa)), "RSA");
  assertEquals(kindsOf(paths, pairs(ec)), "ECDSA");
  assertEquals(kindsOf(paths, pairs(rsa, ec)), "RSA,ECDSA");
});

testFiles("another pair's key is not taken for a certificate of another algorithm", (paths) => {
  const rsa: [string, string] = [paths.rsaCertificate, paths.rsaKey];
  const error = refused(pairs(rsa, [paths.ecCertificate, paths.rsaKey]), paths);
  assertEquals(
    error.message,
    `Cannot use private key "${paths.rsaKey}" with certificate "${paths.ecCertificate}": ` +
      "they do not belong together",
  );
});

testFiles("key and certificate may share one file, in either order", async (paths, folder) => {
  for (const [a, b] of [[paths.ecKey, paths.ecCertificate], [paths.ecCertificate, paths.ecKey]]) {
    const file = await folder.write("both.pem", read(a) + read(b) + read(paths.ca));
    assertEquals(kindsOf(paths, pairs([file, file])), "ECDSA");
  }
});

testFiles("chain files hold several keys with their certificates", async (paths, folder) => {
  const one = await folder.write(
    "one.pem",
    read(paths.rsaKey) + read(paths.rsaCertificate) + read(paths.ca) + read(paths.ecKey) +
      read(paths.ecCertificate) + read(paths.ca),
  );
  assertEquals(kindsOf(paths, chains(one)), "RSA,ECDSA");
});

testFiles("a chain goes on in the next file", async (paths, folder) => {
  const issuers = await folder.write("issuers.pem", read(paths.ca) + read(paths.ecKey));
  const files = chains(paths.rsaKey, paths.rsaCertificate, issuers, paths.ecCertificate);
  assertEquals(kindsOf(paths, files), "RSA,ECDSA");
});

testFiles("other PEM blocks and text between them are passed over", async (paths, folder) => {
  const other = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const file = await folder.write(
    "chain.pem",
    `some words\n${other}${read(paths.ecKey)}more words\n${read(paths.ecCertificate)}\nend`,
  );
  assertEquals(kindsOf(paths, chains(file)), "ECDSA");
});

testFiles("files that are not there are named, with their parameter", (paths) => {
  const cases: [CertificateFiles, string, string][] = [
    [pairs(["/nowhere/c.pem", paths.ecKey]), 'certificate file "/nowhere/c.pem"', "tls_cert_file"],
    [pairs([paths.ecCertificate, "/nowhere/k"]), 'private key file "/nowhere/k"', "tls_key_file"],
    [chains("/nowhere/chain"), 'chain file "/nowhere/chain"', "tls_chain_files"],
    [chains(paths.ecKey, paths.ecCertificate, "/nowhere/2"), 'chain file "/nowhere/2"', "chain"],
  ];
  for (const [files, words, parameter] of cases) {
    const error = refused(files, paths);
    assertEquals(error.message, `Cannot read ${words}: No such file or directory`);
    assert(error.hint!.includes(parameter), error.hint);
  }
});

Deno.test({
  name: "files that may not be read are named",
  // The superuser may read everything.
  ignore: Deno.uid() === 0,
  fn: () =>
    withCertificates((paths) => {
      Deno.chmodSync(paths.ecKey, 0o000);
      assertEquals(
        refused(pairs([paths.ecCertificate, paths.ecKey]), paths).message,
        `Cannot read private key file "${paths.ecKey}": Permission denied`,
      );
    }),
});

testFiles("a folder in place of a file is named", (paths, folder) => {
  for (const files of [pairs([folder.path, paths.ecKey]), chains(folder.path)]) {
    assert(refused(files, paths).message.includes(folder.path));
  }
});

testFiles(
  "a key that belongs to another certificate is refused with both names",
  async (paths, folder) => {
    const words = (key: string) =>
      `Cannot use private key "${key}" with certificate "${paths.rsaCertificate}": ` +
      "they do not belong together";
    const error = refused(pairs([paths.rsaCertificate, paths.ecKey]), paths);
    assertEquals(error.message, words(paths.ecKey));
    const other = folder.file("other.key");
    const args = ["genrsa", "-out", other, "2048"];
    assert((await new Deno.Command("openssl", { args, stderr: "null" }).output()).success);
    assertEquals(refused(pairs([paths.rsaCertificate, other]), paths).message, words(other));
  },
);

testFiles("files without the right content are named", async (paths, folder) => {
  const empty = await folder.write("empty.pem", "");
  const broken = await folder.write(
    "broken.pem",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  );
  const cut = await folder.write(
    "cut.pem",
    read(paths.ecKey) + "-----BEGIN CERTIFICATE-----\nMIIB",
  );
  const cases: [CertificateFiles, string][] = [
    [pairs([empty, paths.ecKey]), `Cannot use certificate file "${empty}": `],
    [pairs([broken, paths.ecKey]), `Cannot use certificate file "${broken}": `],
    [pairs([paths.ecCertificate, empty]), `Cannot use private key file "${empty}": `],
    [pairs([paths.ecCertificate, paths.ecCertificate]), "Cannot use private key file "],
    [chains(paths.ecKey, broken), `Cannot use a certificate in chain file "${broken}": `],
    [chains(cut), `Cannot read chain file "${cut}": `],
  ];
  for (const [files, words] of cases) {
    const { message } = refused(files, paths);
    assert(message.startsWith(words), message);
    assert(message.length > words.length && !/error:|\.c:/.test(message), message);
  }
});

testFiles(
  "an encrypted key is refused, and nobody is asked for its password",
  async (paths, folder) => {
    const file = folder.file("encrypted.key");
    const args = ["pkcs8", "-topk8", "-in", paths.ecKey, "-passout", "pass:x", "-out", file];
    assert((await new Deno.Command("openssl", { args }).output()).success);
    assert(read(file).includes("ENCRYPTED"));
    const error = refused(pairs([paths.ecCertificate, file]), paths);
    assert(error.message.startsWith(`Cannot use private key file "${file}": `), error.message);
    assert(
      refused(chains(file, paths.ecCertificate), paths).message.includes("before the first key"),
    );
  },
);

testFiles(
  "chain files in a wrong order are refused with the file's name",
  async (paths, folder) => {
    const twoKeys = await folder.write("two.pem", read(paths.ecKey) + read(paths.rsaKey));
    const twice = await folder.write("twice.pem", read(paths.ecKey) + read(paths.ecCertificate));
    const cases: [CertificateFiles, string][] = [
      [chains(paths.ecCertificate, paths.ecKey), `"${paths.ecCertificate}": a certificate stands`],
      [chains(twoKeys, paths.rsaCertificate), `"${twoKeys}": a key has no certificate behind it`],
      [chains(paths.ecKey, paths.rsaKey, paths.rsaCertificate), `"${paths.ecKey}": a key has no`],
      [chains(paths.ecKey), `"${paths.ecKey}": a key has no certificate behind it`],
      [chains(paths.ecKey, paths.rsaCertificate), "do not belong together"],
      [chains(twice, twice), `Cannot use chain file "${twice}": `],
    ];
    for (const [files, words] of cases) {
      const { message } = refused(files, paths);
      assert(message.includes(words), message);
    }
  },
);

testFiles("chain files without any key are refused with their names", async (paths, folder) => {
  const empty = await folder.write("empty.pem", "no PEM here\n");
  const error = refused(chains(empty, empty), paths);
  assert(error.message.includes("tlsproxy_tls_chain_files"), error.message);
  assert(error.message.includes(empty), error.message);
});

testFiles("nothing given loads nothing", () => {
  const context = libssl.SSL_CTX_new(libssl.TLS_server_method());
  assert(context !== null);
  loadCertificates(context, pairs());
  libssl.SSL_CTX_free(context);
});
