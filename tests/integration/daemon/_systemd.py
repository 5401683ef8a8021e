#!/usr/bin/env python3
"""Plays systemd for one service: sockets that stay open, a notification socket, the journal.

    _systemd.py PLAN

PLAN is a JSON object: "notify" (path, or "@name"; absent: no socket), "sockets" (list of {"name", "kind",
"path"}; kind is stream, datagram, tcp or bound, which does not listen), "env" (more variables),
"journal" (whether JOURNAL_STREAM tells of standard error), "command" (list).

Orders come as lines on standard input: "start", "signal NAME", and "listen_pid N", for a LISTEN_PID that
is another process's. What happens is told as lines of JSON on standard output: {"prepared": true}, then
{"notify": text}, {"log": line}, {"started": pid}, {"ended": code}.
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
            tell(notify=made.recv(65536).decode())

    threading.Thread(target=loop, daemon=True).start()


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
        if sockets:
            env["LISTEN_PID"] = str(os.getpid() if listen_pid is None else listen_pid)
            env["LISTEN_FDS"] = str(len(sockets))
            env["LISTEN_FDNAMES"] = ":".join(row["name"] for row in plan["sockets"])
        if "WATCHDOG_USEC" in env:
            env["WATCHDOG_PID"] = str(os.getpid())
        # Out of the way of the places they go to.
        high = [os.dup(made.fileno()) for made in sockets]
        base = 3 + len(sockets)
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
    elif words[0] == "listen_pid":
        listen_pid = int(words[1])
if child:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
