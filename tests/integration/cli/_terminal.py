"""Runs a command on a terminal of its own.

Arguments: the command. What it prints goes to standard output as it is. A line on standard input is typed;
the word "interrupt" is control-C, and "end" closes the terminal. The exit code is the command's.
"""

import os
import pty
import select
import sys

pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
watched = [master, 0]
while master in watched:
    ready, _, _ = select.select(watched, [], [])
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        if not data:
            watched.remove(master)
            break
        os.write(1, data)
    if 0 in ready:
        line = os.read(0, 4096)
        if not line:
            watched.remove(0)
        elif line.strip() == b"interrupt":
            os.write(master, b"\x03")
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
