#!/usr/bin/env python3
"""Both ends of tlsproxy sessions, driven step by step: local clients and remote TLS peers.

Reads one order a line from standard input, a JSON object with "id", "op" and the operation's arguments,
and answers each with a line {"id", "result"} or {"id", "error"}, in the order in which they are done:
every order has a thread of its own, so one that waits holds up no other. Sockets are known by number.
Byte strings travel as JSON strings with one character a byte.

TLS is Python's ssl module over memory buffers, which lets a test take a handshake apart and pause,
cut or replace what is on the wire.
"""

import hashlib
import json
import os
import random
import select
import socket
import ssl
import struct
import sys
import threading

things = {}
contexts = {}
sent_bytes = {}
lock = threading.Lock()
output_lock = threading.Lock()
next_number = 0


def keep(thing):
    global next_number
    with lock:
        next_number += 1
        things[next_number] = thing
        return next_number


def text(data):
    return data.decode("latin-1")


def raw(string):
    return string.encode("latin-1")


def read_until_end(read):
    """All bytes up to the end of the stream, and how it ended."""
    parts = []
    while True:
        try:
            data = read()
        except ConnectionResetError:
            return {"data": text(b"".join(parts)), "how": "reset"}
        except ssl.SSLZeroReturnError:
            return {"data": text(b"".join(parts)), "how": "close_notify"}
        if data == b"":
            return {"data": text(b"".join(parts)), "how": "closed"}
        parts.append(data)


class Tls:
    """A TLS client on a socket. One thread may read while another one writes."""

    def __init__(self, channel, order):
        key = json.dumps([order.get(name) for name in ("ca", "version", "ciphers", "tickets", "certificate")])
        with lock:
            if key not in contexts:
                contexts[key] = make_context(order)
            context = contexts[key]
        self.socket = channel
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        session = things[order["sessionOf"]].object.session if order.get("sessionOf") else None
        self.object = context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_hostname=order.get("serverName", "localhost"),
            session=session,
        )
        self.state = threading.Lock()
        self.sending = threading.Lock()

    def flush(self):
        with self.sending:
            with self.state:
                data = self.outgoing.read()
            if data:
                self.socket.sendall(data)

    def fill(self):
        """Takes what the socket has; a TCP end becomes an exception or b""."""
        data = self.socket.recv(65536)
        if data:
            with self.state:
                self.incoming.write(data)
        return data

    def hello(self):
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def handshake(self):
        while True:
            try:
                with self.state:
                    self.object.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                if not self.fill():
                    raise EOFError("the connection ended in the handshake")
        self.flush()
        certificate = self.object.getpeercert()
        return {
            "version": self.object.version(),
            "cipher": self.object.cipher()[0],
            "resumed": self.object.session_reused,
            "names": [name for _, name in certificate.get("subjectAltName", [])],
        }

    def write(self, data):
        with self.state:
            self.object.write(data)
        self.flush()

    def read(self, size=65536):
        while True:
            try:
                with self.state:
                    data = self.object.read(size)
                if data == b"":
                    raise ssl.SSLZeroReturnError
                return data
            except ssl.SSLWantReadError:
                if not self.fill():
                    return b""

    def close_notify(self):
        try:
            with self.state:
                self.object.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()


def make_context(order):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=order["ca"])
    # Their secrets must not be in any log.
    context.keylog_filename = os.environ["SSLKEYLOGFILE"]
    if order.get("version"):
        version = getattr(ssl.TLSVersion, order["version"])
        context.minimum_version = version
        context.maximum_version = version
    if order.get("ciphers"):
        context.set_ciphers(order["ciphers"])
    if order.get("certificate"):
        files = order["certificate"]
        context.load_cert_chain(files["chain"], files["key"])
    if order.get("tickets") is False:
        context.options |= ssl.OP_NO_TICKET
    return context


class Plain:
    """A socket without TLS, with the same face."""

    def __init__(self, channel):
        self.socket = channel

    def write(self, data):
        self.socket.sendall(data)

    def read(self, size=65536):
        return self.socket.recv(size)


def connect(order):
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.connect(order["path"])
    return keep(Plain(channel))


def pair(order):
    size = order.get("bufferBytes")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        remote = socket.socket()
        if size:
            # Before connecting: the size of the window is agreed on then.
            remote.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        remote.connect(listener.getsockname())
        passed, _ = listener.accept()
        if size:
            passed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    remote.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return {"passed": keep(Plain(passed)), "remote": keep(Plain(remote))}


def listen(order):
    listener = socket.create_server(("127.0.0.1", 0))
    return {"id": keep(Plain(listener)), "port": listener.getsockname()[1]}


def accept(order):
    return keep(Plain(things[order["on"]].socket.accept()[0]))


def thing(order):
    kind = order["kind"]
    if kind == "file":
        return keep(Plain(open("/dev/null", "rb")))
    if kind == "pipe":
        reader, writer = os.pipe()
        os.close(writer)
        return keep(Plain(os.fdopen(reader, "rb")))
    if kind == "datagram":
        return keep(Plain(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    if kind == "unconnected":
        return keep(Plain(socket.socket(socket.AF_INET, socket.SOCK_STREAM)))
    raise ValueError(kind)


def send(order):
    data = raw(order["data"])
    size = order.get("piece") or len(data) or 1
    for at in range(0, len(data), size):
        things[order["on"]].socket.sendall(data[at : at + size])


def pass_descriptors(order):
    numbers = [things[number].socket.fileno() for number in order["descriptors"]]
    data = raw(order["data"])
    if numbers:
        socket.send_fds(things[order["on"]].socket, [data], numbers)
    else:
        things[order["on"]].socket.sendall(data)


def read(order):
    source = things[order["on"]]
    parts = b""
    while len(parts) < order["count"]:
        data = source.read(order["count"] - len(parts))
        if data == b"":
            raise EOFError(f"the stream ended after {parts!r}")
        parts += data
    return text(parts)


def read_list(order):
    """Reads one list byte by byte: the next byte after it may belong to something else."""
    channel = things[order["on"]].socket
    pieces = [b""]
    while True:
        byte = channel.recv(1)
        if byte == b"":
            raise EOFError(f"the stream ended after {pieces!r}")
        if byte != b"\0":
            pieces[-1] += byte
        elif pieces[-1] == b"" and len(pieces) % 2 == 1:
            return [text(piece) for piece in pieces[:-1]]
        else:
            pieces.append(b"")


def read_end(order):
    return read_until_end(things[order["on"]].read)


def tls_begin(order):
    things[order["on"]] = Tls(things[order["on"]].socket, order)


def tls_read_wire(order):
    """Takes one portion from the wire into TLS without answering it."""
    data = things[order["on"]].fill()
    return len(data)


def pump(order):
    """Sends `count` bytes made from `seed`; the hash of them."""
    target, left = things[order["on"]], order["count"]
    source, digest = random.Random(order["seed"]), hashlib.sha256()
    while left > 0:
        data = source.randbytes(min(left, 65536))
        digest.update(data)
        target.write(data)
        left -= len(data)
        sent_bytes[order["on"]] = order["count"] - left
    return digest.hexdigest()


def fill(order):
    """Sends bytes made from `seed` until the other side takes no more; their number and hash."""
    channel, source, digest = things[order["on"]].socket, random.Random(order["seed"]), hashlib.sha256()
    count = 0
    channel.setblocking(False)
    while select.select([], [channel], [], 0.5)[1]:
        data = source.randbytes(10007)
        try:
            sent = channel.send(data)
        except BlockingIOError:
            continue
        digest.update(data[:sent])
        count += sent
    channel.setblocking(True)
    return {"count": count, "hash": digest.hexdigest()}


def sink_end(order):
    """Reads to the end: number and hash of the bytes, and how the stream ended."""
    digest, count, read = hashlib.sha256(), 0, things[order["on"]].read

    def counted():
        nonlocal count
        data = read()
        digest.update(data)
        count += len(data)
        return data and b"."

    how = read_until_end(counted)["how"]
    return {"count": count, "hash": digest.hexdigest(), "how": how}


def sink(order):
    """Reads `count` bytes; the hash of them."""
    source, left, digest = things[order["on"]], order["count"], hashlib.sha256()
    while left > 0:
        data = source.read(min(left, 65536))
        if data == b"":
            raise EOFError(f"the stream ended {left} bytes too early")
        digest.update(data)
        left -= len(data)
    return digest.hexdigest()


def close(order):
    channel = things.pop(order["on"]).socket
    if order.get("reset"):
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    channel.close()


OPERATIONS = {
    "connect": connect,
    "pair": pair,
    "listen": listen,
    "accept": accept,
    "thing": thing,
    "send": send,
    "pass": pass_descriptors,
    "read": read,
    "readList": read_list,
    "readEnd": read_end,
    "halfClose": lambda order: things[order["on"]].socket.shutdown(socket.SHUT_WR),
    "close": close,
    "tlsBegin": tls_begin,
    "tlsHello": lambda order: text(things[order["on"]].hello()),
    "tlsHandshake": lambda order: things[order["on"]].handshake(),
    "tlsReadWire": tls_read_wire,
    "tlsWrite": lambda order: things[order["on"]].write(raw(order["data"])),
    "tlsCloseNotify": lambda order: things[order["on"]].close_notify(),
    "pump": pump,
    "pumped": lambda order: sent_bytes.get(order["on"], 0),
    "fill": fill,
    "sink": sink,
    "sinkEnd": sink_end,
}


def carry_out(order):
    try:
        reply = {"id": order["id"], "result": OPERATIONS[order["op"]](order)}
    except Exception as error:  # whatever it is, the test hears of it
        reply = {"id": order["id"], "error": f"{type(error).__name__}: {error}"}
    with output_lock:
        print(json.dumps(reply), flush=True)


for line in sys.stdin:
    threading.Thread(target=carry_out, args=(json.loads(line),), daemon=True).start()
