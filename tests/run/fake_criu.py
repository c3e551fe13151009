#!/usr/bin/python3
"""A criu that fails on cue, which the real one cannot be made to do.

Started as `criu swrk 3` by the program under test. What it says is told by the file "script" beside
it, in JSON: {"version": [4, 1, 1], "features": {"1": true}, "DUMP": [what, …], "check": "text"}. Each
what is a name of a stage, which is told and waits for the answer; "die" or "exit N"; "garbage HEX";
"fail ERRNO"; "log TEXT", which goes into the log; "hang"; "done"; "freeze", which does that to the
container; "restore", which makes a process that sleeps, tells of it, and ends it when nobody answers. The requests it got are kept in
the file "requests", one object a line.
"""

import array
import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path

HERE = Path(__file__).parent
CLONE_PARENT, SYS_CLONE = 0x8000, 220 if os.uname().machine == "aarch64" else 56
DUMP, RESTORE, PRE_DUMP, NOTIFY, FEATURE_CHECK, VERSION = 1, 2, 4, 6, 9, 10
NAMES = {DUMP: "DUMP", RESTORE: "RESTORE", PRE_DUMP: "PRE_DUMP"}


def varint(number):
    text = b""
    while number > 0x7f:
        text += bytes([number & 0x7f | 0x80])
        number >>= 7
    return text + bytes([number])


def field(number, value):
    """A field of the wire format: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(text):
    """[(number, value)] of a message."""
    found, at = [], 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = text[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if not byte & 0x80:
                return value
    while at < len(text):
        key = take()
        value = take()
        if key & 7 == 2:
            value, at = text[at:at + value], at + value
        found.append((key >> 3, value))
    return found


def directory(peer, options):
    """Of the logs, as criu finds it: by a descriptor of who asks."""
    fd = options.get(17, options.get(1))
    return Path(f"/proc/{peer}/fd/{fd}")


def reply(kind, success, *more):
    return field(1, kind) + field(2, int(success)) + b"".join(more)


def restore(connection):
    """A sibling, as criu makes it."""
    libc = ctypes.CDLL(None)
    pid = libc.syscall(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        connection.close()
        os.execvp("sleep", ["sleep", "1000"])
    try:
        connection.send(reply(NOTIFY, True, field(5, field(1, b"post-restore") + field(2, pid))))
        if connection.recv(65536):
            return
    except OSError:
        pass
    os.kill(pid, signal.SIGKILL)
    sys.exit(1)


def freeze(cgroup):
    old = Path(cgroup) / "freezer.state"
    (old if old.exists() else Path(cgroup) / "cgroup.freeze").write_text(
        "FROZEN" if old.exists() else "1")


def act(connection, kind, options, script, log):
    for what in script:
        word, _, rest = what.partition(" ")
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "exit":
            sys.exit(int(rest))
        elif word == "hang":
            connection.recv(65536)  # until the other end is closed
            sys.exit(1)
        elif word == "garbage":
            connection.send(bytes.fromhex(rest))
        elif word == "fds":
            connection.sendmsg([reply(NOTIFY, True, field(5, field(1, b"post-dump")))],
                               [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * int(rest)))])
            connection.recv(65536)
        elif word == "log":
            with open(log, "a") as file:
                file.write(rest + "\n")
        elif word == "fail":
            connection.send(reply(kind, False, field(7, int(rest))))
            return
        elif word == "done":
            connection.send(reply(kind, True))
            return
        elif word == "freeze":
            freeze(options[44].decode())
        elif word == "restore":
            restore(connection)
        elif word == "pid":
            connection.send(reply(NOTIFY, True, field(5, field(1, b"post-restore") + field(2, int(rest)))))
            connection.recv(65536)
        else:
            pid = field(2, os.getpid()) if what == "setup-namespaces" else b""
            connection.send(reply(NOTIFY, True, field(5, field(1, what.encode()) + pid)))
            if not connection.recv(65536):
                sys.exit(1)


def main():
    script = json.loads((HERE / "script").read_text())
    if sys.argv[1] == "check":
        sys.stderr.write(script.get("check", ""))
        sys.exit(bool(script.get("check")))
    connection = socket.socket(fileno=int(sys.argv[2]))
    peer = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4],
                          "little")
    request = fields(connection.recv(65536))
    kind = dict(request)[1]
    if kind == VERSION:
        if not script["version"]:
            sys.exit(1)
        version = b"".join(field(n, v) for n, v in zip((1, 2, 4), script["version"]))
        connection.send(reply(VERSION, True, field(10, version)))
    elif kind == FEATURE_CHECK:
        features = b"".join(field(int(n), v) for n, v in script.get("features", {}).items())
        connection.send(reply(FEATURE_CHECK, True, field(8, features)))
    else:
        options = fields(dict(request)[2])
        told = [[n, v if isinstance(v, int) else v.decode(errors="replace")] for n, v in options]
        with open(HERE / "requests", "a") as file:
            file.write(json.dumps({"kind": NAMES.get(kind, kind), "options": told}) + "\n")
        options = dict(options)
        log = directory(peer, options) / options[10].decode()
        usual = ["post-dump", "done"] if kind == DUMP else ["done"]
        act(connection, kind, options, script.get(NAMES[kind], usual), log)
    connection.recv(65536)  # the other end is closed when all is said


main()
