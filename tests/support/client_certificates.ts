/**
 * Ephemeral certificates of TLS clients, and of the authority that a server trusts for them.
 *
 * The `openssl` command makes them once per test process. Each client has a chain file (leaf first) and
 * a key file of the same name.
 *
 * @module
 */
import { runChecked } from "./process.ts";
import { TempFolder } from "./temp_folder.ts";

/** A client's files. */
export interface ClientFiles {
  readonly chain: string;
  readonly key: string;
}

/** Kinds of clients. */
export const CLIENT_KINDS = [
  /** From the authority, for clients. */
  "good",
  /** From an intermediate authority, whose certificate is in the chain. */
  "deep",
  /** From the authority, and over. */
  "expired",
  /** From the authority, not valid yet. */
  "early",
  /** From the authority, for servers only. */
  "server",
  /** From nobody but itself. */
  "self",
  /** From an authority that nobody trusts. */
  "stranger",
  /** From the authority; its common name is not for lines of text. */
  "odd",
] as const;

/** One kind. */
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Everything that was written. */
export interface ClientCertificates {
  /** The authority's certificate. */
  readonly ca: string;
  readonly clients: Readonly<Record<ClientKind, ClientFiles>>;
}

const CA_SETTINGS = `[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
email_in_dn = no
unique_subject = no
[any]
commonName = optional
organizationName = optional
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[client]
extendedKeyUsage = clientAuth
[server]
extendedKeyUsage = serverAuth
`;

let made: Promise<Map<string, string>> | undefined;

/** Writes all files into the existing folder `folder`. */
export async function writeClientCertificates(folder: string): Promise<ClientCertificates> {
  made ??= make();
  const texts = await made;
  for (const [name, text] of texts) {
    await Deno.writeTextFile(`${folder}/client_${name}`, text, { mode: 0o600 });
  }
  const files = (kind: string): ClientFiles => ({
    chain: `${folder}/client_${kind}.pem`,
    key: `${folder}/client_${kind}.key`,
  });
  return {
    ca: `${folder}/client_ca.pem`,
    clients: Object.fromEntries(CLIENT_KINDS.map((kind) => [kind, files(kind)])) as Record<
      ClientKind,
      ClientFiles
    >,
  };
}

async function make(): Promise<Map<string, string>> {
  await using folder = await TempFolder.make("clients");
  const openssl = (...args: string[]) => runChecked("openssl", args, { cwd: folder.path });
  await folder.write("ca.cnf", CA_SETTINGS);
  await folder.write("index.txt", "");
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const root = async (name: string, subject: string) => {
    // deno-fmt-ignore
    await openssl(
      "req", "-x509", ...p256, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-days", "2",
      "-subj", subject, "-addext", "basicConstraints=critical,CA:TRUE",
      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    );
  };
  const issue = async (name: string, options: {
    subject: string;
    issuer?: string;
    extensions?: string;
    dates?: readonly [string, string];
  }) => {
    const { subject, issuer = "ca", extensions = "client" } = options;
    // deno-fmt-ignore
    await openssl(
      "req", "-new", ...p256, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-utf8",
      "-subj", subject,
    );
    const [from, to] = options.dates ?? ["", ""];
    // deno-fmt-ignore
    await openssl(
      "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", `${issuer}.pem`,
      "-keyfile", `${issuer}.key`, "-in", `${name}.csr`, "-out", `${name}.pem`,
      "-extensions", extensions,
      ...(from === "" ? ["-days", "2"] : ["-startdate", from, "-enddate", to]),
    );
  };
  await root("ca", "/CN=Client authority/O=Tests");
  await root("other", "/CN=Other authority");
  await root("self", "/CN=self.example.test");
  await issue("middle", { subject: "/O=Middle authority", extensions: "authority" });
  await issue("good", { subject: "/O=Good/CN=client.example.test" });
  await issue("deep", { subject: "/CN=deep.example.test", issuer: "middle" });
  await issue("stranger", { subject: "/CN=stranger.example.test", issuer: "other" });
  await issue("server", { subject: "/CN=server.example.test", extensions: "server" });
  await issue("expired", {
    subject: "/CN=expired.example.test",
    dates: ["20200101000000Z", "20200201000000Z"],
  });
  await issue("early", {
    subject: "/CN=early.example.test",
    dates: ["20980101000000Z", "20990101000000Z"],
  });
  await issue("odd", { subject: "/CN=übel\x07" });
  const read = (name: string) => Deno.readTextFile(folder.file(name));
  const texts = new Map([["ca.pem", await read("ca.pem")]]);
  for (const kind of CLIENT_KINDS) {
    const issuer = kind === "deep" ? await read("middle.pem") : "";
    texts.set(`${kind}.pem`, await read(`${kind}.pem`) + issuer);
    texts.set(`${kind}.key`, await read(`${kind}.key`));
  }
  return texts;
}
