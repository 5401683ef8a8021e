/**
 * An SMTP client on Node's tls: sessions one after the other, each with a dialogue.
 *
 *     node smtp_client.mjs ORDER
 *
 * ORDER is a JSON object: "port" of 127.0.0.1, "ca" (a file), "version" (the only one that is spoken,
 * as in "TLSv1.2"), "tickets" (whether they are asked for) and "visits" (how many sessions). Each
 * session brings the one before it back. Prints a line of JSON for each: "protocol", "resumed" and
 * "replies".
 */

import { once } from "node:events";
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { connect as connectTls } from "node:tls";

const order = JSON.parse(process.argv[2]);
const ca = readFileSync(order.ca);
let session;

for (let turn = 0; turn < order.visits; turn++) console.log(JSON.stringify(await visit()));

async function visit() {
  const socket = connect(order.port, "127.0.0.1");
  await expect(socket, "220 ");
  await say(socket, "EHLO client.example.test", "250 ");
  await say(socket, "STARTTLS", "220 ");
  socket.removeAllListeners("readable");
  const tls = connectTls({
    socket,
    ca,
    servername: "localhost",
    minVersion: order.version,
    maxVersion: order.version,
    // The old versions are offered at this level only.
    ciphers: "DEFAULT:@SECLEVEL=0",
    secureOptions: order.tickets ? 0 : constants.SSL_OP_NO_TICKET,
    session,
  });
  tls.on("session", (given) => session = given);
  await once(tls, "secureConnect");
  const protocol = tls.getProtocol();
  const resumed = tls.isSessionReused();
  const replies = [
    await say(tls, "EHLO client.example.test", "250 "),
    await say(tls, "MAIL FROM:<sender@example.test>", "250 "),
    await say(tls, "RCPT TO:<recipient@example.test>", "450 "),
    await say(tls, "QUIT", "221 "),
  ];
  tls.end();
  await once(tls, "close");
  return { protocol, resumed, replies };
}

async function say(stream, line, wanted) {
  stream.write(`${line}\r\n`);
  return await expect(stream, wanted);
}

/** The last line of a reply, which must begin with `wanted`. */
async function expect(stream, wanted) {
  let text = "";
  for (;;) {
    const found = /^\d{3} .*(?=\r\n)/m.exec(text);
    if (found?.[0].startsWith(wanted)) return found[0];
    if (found) throw new Error(`Wanted a reply like "${wanted}": ${text}`);
    const more = stream.read();
    if (more !== null) text += more;
    else if (stream.readableEnded) throw new Error(`Wanted a reply like "${wanted}": it ended`);
    else await Promise.race([once(stream, "readable"), once(stream, "end")]);
  }
}
