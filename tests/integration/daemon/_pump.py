#!/usr/bin/env python3
"""Sessions through tlsproxy that pump data both ways, one after the other in each of many threads.

    _pump.py SOCKET CA

SOCKET is where tlsproxy listens, CA the authority of its certificates. Each session hands a TCP connection
over, as Postfix's smtpd does, and is the TLS client at the other end of it. Both ends send bytes that a
seed decides about, in pieces, for a time of their own; in the end both compare the SHA-256 of what came
with that of what went.

Orders come as lines on standard input: "pump N" starts N threads, "resume" has one session with the TLS
session of the one before, "full" one without, "stop" lets the threads end after their session. What
happens is told as lines of JSON on standard output: {"probe": {"certificate": sha256, "resumed": bool}},
{"done": sessions, "bytes": bytes} at the end, and {"error": text} at any time.
"""

import hashlib
import json
import random
import socket
import ssl
import sys
import threading
import time
import traceback

PIECE = 4096
# From the connection to the end of a session; a start may lie in between.
LIMIT = 60

socket_path, ca = sys.argv[1:3]
context = ssl.create_default_context(cafile=ca)
lock = threading.Lock()
stopping = threading.Event()
totals = {"done": 0, "bytes": 0}


def tell(**what):
    with lock:
        print(json.dumps(what), flush=True)


def read_list(channel):
    data = b""
    while not data.endswith(b"\0\0"):
        byte = channel.recv(1)
        if byte == b"":
            raise ConnectionError(f"the service closed after {data!r}")
        data += byte
    return data


def hand_over(session=None):
    """A session whose handshake is over: the local end, the remote end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(LIMIT)
    ours.settimeout(LIMIT)
    channel.connect(socket_path)
    read_list(channel)
    values = [("remote_endpoint", "[127.0.0.1]:1"), ("flags", "1"), ("timeout", "300")]
    values += [("timeout", "300"), ("serverid", "smtpd")]
    channel.sendall(b"".join(f"{name}\0{value}\0".encode() for name, value in values) + b"\0")
    status = read_list(channel)
    if status != b"status\0001\0\0":
        raise ConnectionError(f"the service answered {status!r}")
    socket.send_fds(channel, [b"\0"], [theirs.fileno()])
    theirs.close()
    remote = context.wrap_socket(ours, server_hostname="localhost", session=session)
    return channel, remote


def send_seeded(end, seed, seconds):
    source = random.Random(seed)
    digest = hashlib.sha256()
    until = time.monotonic() + seconds
    count = 0
    while time.monotonic() < until:
        data = source.randbytes(PIECE)
        digest.update(data)
        end.sendall(data)
        count += len(data)
        time.sleep(0.02)
    return digest.hexdigest(), count


def pump_once(seed):
    channel, remote = hand_over()
    seconds = random.Random(seed).uniform(0.5, 2.5)
    # One TLS connection is one thread's at a time: it sends and receives in turns.
    up, up_count = hashlib.sha256(), 0
    down, down_count = hashlib.sha256(), 0
    sent = {}

    def local_side():
        sent["down"] = send_seeded(channel, seed + 1, seconds)

    sender = threading.Thread(target=local_side)
    sender.start()
    source = random.Random(seed)
    until = time.monotonic() + seconds
    remote.settimeout(0.02)
    received = bytearray()
    while time.monotonic() < until or sender.is_alive():
        if time.monotonic() < until:
            data = source.randbytes(PIECE)
            up.update(data)
            up_count += len(data)
            remote.settimeout(LIMIT)
            remote.sendall(data)
            remote.settimeout(0.02)
            # What was sent is read at the local end, or the session would fill up.
            chunk = b""
            channel.settimeout(LIMIT)
            while len(chunk) < PIECE:
                piece = channel.recv(PIECE - len(chunk))
                if piece == b"":
                    raise ConnectionError("the local end was closed")
                chunk += piece
            received += chunk
        try:
            data = remote.recv(65536)
            if data == b"":
                raise ConnectionError("the remote end was closed")
            down.update(data)
            down_count += len(data)
        except (TimeoutError, ssl.SSLWantReadError):
            pass
    sender.join()
    digest, count = sent["down"]
    remote.settimeout(LIMIT)
    while down_count < count:
        data = remote.recv(65536)
        if data == b"":
            raise ConnectionError("the remote end was closed")
        down.update(data)
        down_count += len(data)
    if down.hexdigest() != digest:
        raise ValueError("what came down is not what was sent")
    if hashlib.sha256(received).hexdigest() != up.hexdigest():
        raise ValueError("what came up is not what was sent")
    channel.close()
    if remote.recv(1) != b"":
        raise ValueError("more than was sent")
    remote.close()
    with lock:
        totals["done"] += 1
        totals["bytes"] += up_count + down_count


def pump(seed):
    try:
        while not stopping.is_set():
            pump_once(seed)
            seed += 1_000_003
    except Exception:
        tell(error=traceback.format_exc())


last = None


def probe(session):
    global last
    channel, remote = hand_over(session)
    # A ticket of TLS 1.3 comes behind the handshake.
    channel.sendall(b"x")
    remote.recv(1)
    certificate = hashlib.sha256(remote.getpeercert(binary_form=True)).hexdigest()
    tell(probe={"certificate": certificate, "resumed": remote.session_reused})
    last = remote.session
    channel.close()
    remote.close()


threads = []
for line in sys.stdin:
    words = line.split()
    if words[0] == "pump":
        for index in range(int(words[1])):
            threads.append(threading.Thread(target=pump, args=(index * 7919,)))
            threads[-1].start()
    elif words[0] in ("resume", "full"):
        try:
            probe(last if words[0] == "resume" else None)
        except Exception:
            tell(error=traceback.format_exc())
    elif words[0] == "stop":
        stopping.set()
        for thread in threads:
            thread.join()
        tell(**totals)
