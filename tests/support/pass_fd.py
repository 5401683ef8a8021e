#!/usr/bin/env python3
"""Plays the local client of tlsproxy's server role: hands a TCP connection over, then relays.

    pass_fd.py SOCKET HOST:PORT [--descriptors N] [--stop-after STEP]

Connects to HOST:PORT (the remote SMTP peer, who will start a TLS handshake as a client) and to the
UNIX-domain stream socket SOCKET (tlsproxy), reads the announcement, sends the request list, reads the
status, and passes the TCP connection with one null byte. Each step is reported on standard error as a
line `STEP: VALUE`. Afterwards standard input goes to the socket and the socket to standard output:
the plaintext of the session.

--descriptors N   pass N descriptors with the byte (0: none at all); default 1
--stop-after STEP close everything after `connect`, `announcement`, `half-request`, `request` or
                  `status`, to see what a client that goes away does to the server

Exit codes: 0 at the end of the session; 3 when the service answers with status 0; 4 when the service
closes before the hand-over is complete.
"""

import argparse
import os
import select
import socket
import sys


def say(step, value):
    print(f"{step}: {value}", file=sys.stderr, flush=True)


def read_list(channel):
    """Reads one list byte by byte: the next byte after it may belong to something else."""
    pieces = [b""]
    while True:
        byte = channel.recv(1)
        if byte == b"":
            say("end-of-file", repr(b"\0".join(pieces)))
            sys.exit(4)
        if byte != b"\0":
            pieces[-1] += byte
        elif pieces[-1] == b"" and len(pieces) % 2 == 1:
            return pieces[:-1]
        else:
            pieces.append(b"")


def relay(channel):
    source = sys.stdin.fileno()
    watched = [source, channel]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if channel in ready:
            data = channel.recv(65536)
            if data == b"":
                return
            os.write(sys.stdout.fileno(), data)
        if source in ready:
            data = os.read(source, 65536)
            if data == b"":
                return
            channel.sendall(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("remote")
    parser.add_argument("--descriptors", type=int, default=1)
    parser.add_argument("--stop-after", default="")
    options = parser.parse_args()

    host, port = options.remote.rsplit(":", 1)
    remote = socket.create_connection((host, int(port)))
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.connect(options.socket)
    say("connect", options.socket)
    if options.stop_after == "connect":
        return

    say("announcement", repr(read_list(channel)))
    if options.stop_after == "announcement":
        return

    request = b"".join(
        name + b"\0" + value + b"\0"
        for name, value in [
            (b"remote_endpoint", f"[{host}]:{port}".encode()),
            (b"flags", b"1"),
            (b"timeout", b"300"),
            (b"timeout", b"300"),
            (b"serverid", b"smtpd"),
        ]
    )
    if options.stop_after == "half-request":
        channel.sendall(request[:40])
        return
    channel.sendall(request + b"\0")
    if options.stop_after == "request":
        return

    status = read_list(channel)
    say("status", repr(status))
    if status != [b"status", b"1"]:
        sys.exit(3)
    if options.stop_after == "status":
        return

    if options.descriptors == 0:
        channel.sendall(b"\0")
    else:
        socket.send_fds(channel, [b"\0"], [remote.fileno()] * options.descriptors)
    say("passed", options.descriptors)
    remote.close()
    relay(channel)


main()
