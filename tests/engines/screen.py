"""A terminal with a command in its foreground, as a person in front of it would use it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from command import TIME_LIMIT, wait_until


class Screen:
    """The terminal, and the command that runs on it for as long as a with statement."""

    def __init__(self, words, rows=24, columns=80):
        self.shown = b""
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        # Not by preexec_fn: that forks, and a fork never returns once gRPC has threads here.
        self.process = subprocess.Popen(["setsid", "--ctty", *words], **streams)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def text(self):
        """All that has been shown so far."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.shown += os.read(self.master, 65536)
            except OSError:  # EIO: nobody has the other end
                break
        return self.shown.decode(errors="replace")

    def expect(self, part):
        """Waits for it."""
        deadline = time.monotonic() + TIME_LIMIT
        while part not in self.text():
            assert time.monotonic() < deadline, f"no {part!r} in {self.text()!r}"
            time.sleep(0.05)

    def is_raw(self):
        """Whether the command takes every key as it is."""
        return not termios.tcgetattr(self.master)[3] & termios.ICANON

    def type(self, keys):
        os.write(self.master, keys.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def status(self):
        """How the command ended; what it says meanwhile is read."""
        wait_until(lambda: self.text() and self.process.poll() is not None, "the command ends", 60)
        return self.process.returncode
