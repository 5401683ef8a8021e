#!/usr/bin/env python3
"""Plays systemd for one service: sockets that stay open, a notification socket, the journal, and the
descriptor store (sd_notify(3), FDSTORE=1), which it hands over behind the sockets at each start.

    _systemd.py PLAN

PLAN is a JSON object: "notify" (path, or "@name"; absent: no socket), "sockets" (list of {"name", "kind",
"path"}; kind is stream, datagram, tcp or bound, which does not listen), "env" (more variables),
"journal" (whether JOURNAL_STREAM tells of standard error), "store" (how many descriptors it keeps;
absent: none), "command" (list).

Orders come as lines on standard input: "start", "signal NAME", and "listen_pid N", for a LISTEN_PID that
is another process's, and "put NAME KIND", which puts a descriptor into the store that no run has sent: a
"file", "memory" that is not sealed, a "pipe". What happens is told as lines of JSON on standard output: {"prepared": true}, then
{"notify": text}, {"stored": list of names} after each change of the store, {"log": line}, {"started": pid}, {"ended": code}.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import threading

plan = json.loads(sys.argv[1])
output_lock = threading.Lock()
child = 0
listen_pid = None


def tell(**what):
    with output_lock:
        print(json.dumps(what), flush=True)


def make_socket(row):
    if row["kind"] == "tcp":
        made = socket.socket(socket.AF_INET)
        made.bind(("127.0.0.1", 0))
        made.listen()
        return made
    kind = socket.SOCK_DGRAM if row["kind"] == "datagram" else socket.SOCK_STREAM
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(row["path"])
    if row["kind"] == "stream":
        made.listen(64)
    return made


def serve_notifications(name):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind("\0" + name[1:] if name.startswith("@") else name)

    def loop():
        while True:
            data, fds, _, _ = socket.recv_fds(made, 65536, 10)
            text = data.decode()
            tell(notify=text)
            change_store(text, fds)

    threading.Thread(target=loop, daemon=True).start()


def change_store(text, fds):
    """What a service manager does with FDSTORE=1, FDSTOREREMOVE=1 and FDNAME=."""
    fields = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
    name = fields.get("FDNAME", "stored")
    with store_lock:
        if fields.get("FDSTOREREMOVE") == "1":
            for row in [row for row in store if row[0] == name]:
                store.remove(row)
                os.close(row[1])
        for fd in fds:
            if fields.get("FDSTORE") == "1" and len(store) < plan.get("store", 0):
                store.append((name, fd))
            else:
                os.close(fd)
        if fds or "FDSTOREREMOVE" in fields:
            tell(stored=[row[0] for row in store])


def put(name, kind):
    if kind == "file":
        fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)
        os.truncate(fd, 1024)
    elif kind == "memory":
        fd = os.memfd_create(name)
        os.truncate(fd, 1024)
    else:
        fd = os.pipe()[0]
    with store_lock:
        store.clear()
        store.append((name, fd))
        tell(stored=[row[0] for row in store])


def start():
    global child
    # A stream socket is what the journal gives.
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        env = dict(os.environ, **plan.get("env", {}))
        os.dup2(theirs.fileno(), 2)
        if plan.get("journal"):
            status = os.fstat(2)
            env["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
        if "notify" in plan:
            env["NOTIFY_SOCKET"] = plan["notify"]
        passed = [(row["name"], made.fileno()) for row, made in zip(plan.get("sockets", []), sockets)]
        passed += store
        if passed:
            env["LISTEN_PID"] = str(os.getpid() if listen_pid is None else listen_pid)
            env["LISTEN_FDS"] = str(len(passed))
            env["LISTEN_FDNAMES"] = ":".join(name for name, _ in passed)
        if "WATCHDOG_USEC" in env:
            env["WATCHDOG_PID"] = str(os.getpid())
        # Out of the way of the places they go to.
        high = [os.dup(fd) for _, fd in passed]
        base = 3 + len(passed)
        high = [fd if fd >= base else move_up(fd, base) for fd in high]
        for place, fd in enumerate(high):
            os.dup2(fd, 3 + place, inheritable=True)
        os.closerange(base, 256)
        os.execve(plan["command"][0], plan["command"], env)
    theirs.close()
    child = pid
    tell(started=pid)
    threading.Thread(target=follow, args=(pid, ours), daemon=True).start()


def move_up(fd, base):
    return fcntl.fcntl(fd, fcntl.F_DUPFD, base)


def follow(pid, stderr):
    with stderr.makefile("r", errors="replace") as lines:
        for line in lines:
            tell(log=line.rstrip("\n"))
    _, status = os.waitpid(pid, 0)
    tell(ended=os.waitstatus_to_exitcode(status))


store = []
store_lock = threading.Lock()
sockets = [make_socket(row) for row in plan.get("sockets", [])]
if "notify" in plan:
    serve_notifications(plan["notify"])
tell(prepared=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "start":
        start()
    elif words[0] == "signal":
        os.kill(child, getattr(signal, words[1]))
    elif words[0] == "put":
        put(words[1], words[2])
    elif words[0] == "listen_pid":
        listen_pid = int(words[1])
if child:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
