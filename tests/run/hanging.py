"""
A file system whose server does not answer, or has errors alone: FUSE, spoken by hand (linux/fuse.h), with one file that
can be looked up and opened, and directories as they are asked for. Whoever comes upon what hangs
can then not even be killed, as with a network file system whose server has gone.
"""

import errno
import os
import select
import stat
import struct
import subprocess
import threading

import pytest

LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, OPENDIR = 1, 2, 3, 14, 15, 26, 27
INTERRUPT, BATCH_FORGET = 36, 42
SILENT = (FORGET, INTERRUPT, BATCH_FORGET)  # nobody waits for an answer to these
ROOT, FILE, FOLDER = 1, 2, 3  # the numbers of nodes
MODES = {ROOT: stat.S_IFDIR | 0o755, FILE: stat.S_IFREG | 0o755, FOLDER: stat.S_IFDIR | 0o755}
NAMES = {b"file\0": FILE, b"folder\0": FOLDER}


def attributes(node):
    """struct fuse_attr; 1 link, owned by root"""
    return struct.pack("<6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, MODES[node], 1, 0, 0, 0, 4096, 0)


class Hanging:
    """
    Mounted on path until let_go(). Reads of "file", and look-ups below "folder", are never answered;
    once one has come stuck is set, and who is the process that waits.
    """

    def __init__(self, path):
        self.path, self.stuck, self.who = path, threading.Event(), None
        try:
            self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as why:
            pytest.skip(f"no FUSE: {why}")
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        subprocess.run(["mount", "-i", "-t", "fuse", "-o", options, "hanging", path],
                       pass_fds=[self.device], check=True)
        self.parting, self.word = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def let_go(self):
        """Ends it, and with it the wait of everybody; they find that it is gone."""
        if self.thread.is_alive():
            os.write(self.word, b"x")
            self.thread.join()
            for fd in (self.device, self.parting, self.word):
                os.close(fd)
            subprocess.run(["umount", "-l", self.path], check=False)

    def _serve(self):
        while self.parting not in select.select([self.device, self.parting], [], [])[0]:
            request = os.read(self.device, 1 << 18)
            _, what, unique, node, _, _, who, _ = struct.unpack_from("<IIQQIIII", request)
            if what in SILENT:
                continue
            answer = self._answer(what, node, request[40:])
            if answer is None:
                self.who = who
                self.stuck.set()
                continue
            number, body = answer
            os.write(self.device, struct.pack("<IiQ", 16 + len(body), -number, unique) + body)

    def _answer(self, what, node, body):
        """(errno, what is told), None for no answer at all"""
        if what == INIT:
            return 0, struct.pack("<4I2HI8I", 7, 31, 65536, 0, 16, 12, 65536, *[0] * 8)
        if what == LOOKUP and node == ROOT and body in NAMES:
            found = NAMES[body]
            return 0, struct.pack("<4Q2I", found, 0, 60, 60, 0, 0) + attributes(found)
        if what == GETATTR:
            return 0, struct.pack("<Q2I", 60, 0, 0) + attributes(node)
        if what in (OPEN, OPENDIR):
            return 0, struct.pack("<Q2I", 0, 0, 0)
        if what == READ or (what == LOOKUP and node == FOLDER):
            return None
        return (errno.ENOENT if what == LOOKUP else errno.ENOSYS), b""


class Failing(Hanging):
    """It answers, but nothing can be read from it or written to it."""

    def _answer(self, what, node, body):
        return super()._answer(what, node, body) if what in (INIT, GETATTR) else (errno.EIO, b"")
