"""
Commands of the engines, and what a scenario reads beside them: cgroup files and what is left over.
Nothing here knows one engine from another.
"""

import contextlib
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT = 120  # seconds for one command, in a machine that is emulated


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    words: tuple
    status: int
    out: str
    err: str

    def fails(self, status, text=""):
        """It ended with this status, and its errors have the text."""
        assert self.status == status and text in self.err, self
        return self


def run(*words, status=0, timeout=TIME_LIMIT, text=None, **options):
    """Runs a command and gives its Done. Its status must be the given one; None lets any be."""
    words = tuple(str(word) for word in words)
    given = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=timeout, check=False, **given, **options
    )
    done = Done(words, ended.returncode, ended.stdout, ended.stderr)
    assert status is None or done.status == status, done
    return done


def wait_until(condition, what, seconds=30):
    """What condition() gives, once that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.1)
    return value


def cgroup_of(pid):
    """The folder of the process's cgroup (version 2)."""
    line = Path(f"/proc/{pid}/cgroup").read_text().strip().splitlines()[-1]
    return Path("/sys/fs/cgroup" + line.removeprefix("0::"))


def limit(pid, name):
    """What a file of the process's cgroup says."""
    return (cgroup_of(pid) / name).read_text().strip()


def mounts_below(folder):
    """The mount points below a folder."""
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [point for point in points if point.startswith(f"{folder}/")]


def processes_with(word, but=0):
    """Command lines that have the word among their arguments, but for one process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_text(errors="replace").split("\0")
            if str(word) in words and path.parent.name != str(but):
                found.append(" ".join(words))
    return found


def nothing_left(leftovers):
    """Waits until leftovers(), a function that gives a list, has nothing more to tell."""
    deadline = time.monotonic() + 20
    while left := leftovers():
        assert time.monotonic() < deadline, f"left over: {left}"
        time.sleep(0.1)


@contextlib.contextmanager
def own_network():
    """The name of a new network namespace that has lo."""
    name = f"engines-{secrets.token_hex(3)}"
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    try:
        yield name
    finally:
        run("ip", "netns", "delete", name)


class Daemon:
    """A daemon in a network namespace, for as long as a with statement. Its log is in its folder."""

    def __init__(self, where, network, name):
        self.where, self.network, self.name = Path(where), network, name
        self.where.mkdir(mode=0o711)
        self.log = self.where / "log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def answers(self):
        """Whether it can be used."""
        raise NotImplementedError

    def start(self):
        enter = "nsenter", f"--net=/run/netns/{self.network}"
        words = [str(word) for word in (*enter, *self.command())]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.ready, f"{self.name} is ready", 90)

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return self.answers()

    def end(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        self.process.wait(60)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
