#!/usr/bin/env python3
"""A small LMTP server with STARTTLS, which takes every mail and forgets it.

    lmtp_server.py PORT CERTIFICATE KEY [--tls12] [--no-tickets]

Listens on 127.0.0.1:PORT and serves one client after the other until it is ended. Prints `listening`
when it does, and for each TLS session a line `session: PROTOCOL resumed|full`. Tickets and sessions
are those of one TLS context, for as long as the server runs.

--tls12       no protocol version above TLS 1.2
--no-tickets  sessions are found by id only
"""

import argparse
import socket
import ssl


def say(text):
    print(text, flush=True)


class Session:
    """One client's dialogue."""

    def __init__(self, connection, context):
        self.context = context
        self.connection = connection
        self.lines = connection.makefile("rb")

    def reply(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def start_tls(self):
        self.reply("220 2.0.0 Ready to start TLS")
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.lines = self.connection.makefile("rb")
        kind = "resumed" if self.connection.session_reused else "full"
        say(f"session: {self.connection.version()} {kind}")

    def end_tls(self):
        """Says goodbye: a session that was cut off cannot be found by its id again."""
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.settimeout(5)
            self.connection.unwrap()

    def take_mail(self, recipients):
        self.reply("354 End data with <CR><LF>.<CR><LF>")
        for line in iter(self.lines.readline, b""):
            if line == b".\r\n":
                break
        # LMTP answers for each recipient.
        for _ in range(recipients):
            self.reply("250 2.0.0 Ok: taken")

    def run(self):
        recipients = 0
        self.reply("220 lmtp.example.test LMTP")
        # Anew for each line: STARTTLS replaces what is read from.
        while line := self.lines.readline():
            verb = line.split(None, 1)[0].upper()
            if verb == b"LHLO":
                self.reply("250-lmtp.example.test\r\n250-STARTTLS\r\n250 ENHANCEDSTATUSCODES")
            elif verb == b"STARTTLS":
                self.start_tls()
            elif verb == b"DATA":
                self.take_mail(recipients)
                recipients = 0
            elif verb == b"QUIT":
                self.reply("221 2.0.0 Bye")
                self.end_tls()
                return
            else:
                recipients += verb == b"RCPT"
                self.reply("250 2.1.0 Ok")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--tls12", action="store_true")
    parser.add_argument("--no-tickets", action="store_true")
    args = parser.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.certificate, args.key)
    if args.tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if args.no_tickets:
        context.options |= ssl.OP_NO_TICKET
    listener = socket.create_server(("127.0.0.1", args.port))
    say("listening")
    while True:
        connection, _address = listener.accept()
        try:
            Session(connection, context).run()
        except OSError as error:
            say(f"lost: {error}")
        finally:
            connection.close()


main()
