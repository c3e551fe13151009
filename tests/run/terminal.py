"""
The two who may hold the other end of a container's terminal: the person in front of a program in
the foreground (Screen), and the engine that listens at a console socket (Listener).
"""

import fcntl
import os
import select
import socket
import struct
import termios

from program import TIME_LIMIT, wait_until

OFLAG, LFLAG = 1, 3  # places in what tcgetattr() gives

opened = set()  # descriptors that close_all() closes


def get_size(fd):
    """(rows, columns)"""
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def close_all():
    """What a test has left open."""
    while opened:
        os.close(opened.pop())


def close(fd):
    opened.remove(fd)
    os.close(fd)


class Master:
    """A terminal seen from its master."""

    def __init__(self, fd):
        opened.add(fd)
        self.fd = fd
        self._shown = b""

    def text(self):
        """All that has been shown so far."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:  # EIO: nobody has the terminal open
                break
            if not piece:
                break
            self._shown += piece
        return self._shown.decode(errors="replace")

    def expect(self, part):
        wait_until(lambda: part in self.text(), f"{part!r} on the terminal, which shows "
                                                f"{self.text()!r}")

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def resize(self, rows, columns):
        set_size(self.fd, rows, columns)

    def flags(self, place):
        return termios.tcgetattr(self.fd)[place]

    def hang_up(self):
        close(self.fd)


class Screen(Master):
    """A terminal to start a command on."""

    def __init__(self, rows=24, columns=80):
        master, self.slave = os.openpty()
        opened.add(self.slave)
        super().__init__(master)
        self.resize(rows, columns)

    def streams(self, control=True, closed=(), **others):
        """
        For Program.start: the command is in the foreground of this terminal. Without control it
        has it as its streams alone, and no controlling terminal; of closed it has nothing.
        """
        def prepare():
            os.setsid()
            if control:
                fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in closed:
                os.close(fd)

        own = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        return own | others | {"preexec_fn": prepare}

    def is_raw(self):
        return not self.flags(LFLAG) & (termios.ECHO | termios.ICANON | termios.ISIG)

    def wait(self, running, timeout=TIME_LIMIT):
        """The exit status of a command, whose output is read meanwhile."""
        wait_until(lambda: self.text() is None or running.process.poll() is not None,
                   "the command to end", timeout)
        self.text()
        return running.process.returncode

    def hang_up(self):
        close(self.slave)
        super().hang_up()


class Listener:
    """A unix socket that gets one message with one descriptor."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        folder = os.open(path.parent, os.O_PATH)
        here = f"/proc/self/fd/{folder}/"  # an address is short, a path may be long
        self._socket.bind(here + ".socket")
        os.rename(here + ".socket", path)
        os.close(folder)
        self._socket.listen()

    def receive(self):
        """(text, descriptor), which must have been sent already."""
        self._socket.settimeout(1)
        connection, _ = self._socket.accept()
        with connection:
            text, fds, _, _ = socket.recv_fds(connection, 4096, 4)
            assert len(fds) == 1
            assert connection.recv(1) == b"", "more than one message"
        return text.decode(), fds[0]
