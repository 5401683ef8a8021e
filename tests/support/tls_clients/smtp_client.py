#!/usr/bin/env python3
"""An SMTP client on Python's smtplib and ssl: sessions one after the other, each with a dialogue.

    smtp_client.py ORDER

ORDER is a JSON object: "port" of 127.0.0.1, "ca" (a file), "version" (the only one that is spoken, as
in "TLSv1.2"), "tickets" (whether they are asked for) and "visits" (how many sessions). Each session
brings the one before it back. Prints a line of JSON for each: "protocol", "resumed" and "replies".
"""

import json
import smtplib
import ssl
import sys
import warnings

VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


class Context(ssl.SSLContext):
    """A context whose next connection brings a session back."""

    session_in_hand = None

    def wrap_socket(self, sock, server_hostname=None):
        return super().wrap_socket(
            sock, server_hostname=server_hostname, session=self.session_in_hand
        )


def context_for(order):
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(order["ca"])
    # Python finds the old versions out of date, and OpenSSL offers them at this level only.
    warnings.simplefilter("ignore", DeprecationWarning)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = VERSIONS[order["version"]]
    if not order["tickets"]:
        context.options |= ssl.OP_NO_TICKET
    return context


def visit(order, context):
    with smtplib.SMTP("localhost", order["port"], "client.example.test") as client:
        client.starttls(context=context)
        tls = client.sock
        said = [
            client.ehlo(),
            client.mail("sender@example.test"),
            client.rcpt("recipient@example.test"),
        ]
        # A ticket of TLS 1.3 has come with the replies.
        context.session_in_hand = tls.session
        resumed = tls.session_reused
        protocol = tls.version()
        said.append(client.quit())
    replies = [f"{code} {text.decode().splitlines()[-1]}" for code, text in said]
    return {"protocol": protocol, "resumed": resumed, "replies": replies}


def main():
    order = json.loads(sys.argv[1])
    context = context_for(order)
    for _ in range(order["visits"]):
        print(json.dumps(visit(order, context)), flush=True)


main()
