"""What a runtime may leave behind, and who looks for it after every test.

Each test has a token, a word that stands in the path of its bundle, of its state directory, and in
the ids of its containers, so whatever carries the token belongs to that test. Processes need no
token: the test process is a child subreaper (prctl(2)), so everything that a container or the
runtime leaves running becomes its descendant. A namespace lives in its processes or in a mount of
it, so these two are looked for; its number alone says little, the kernel gives it out again at once.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import host
from program import PATIENCE

BUNDLE = re.compile(r"/creel-run-\w+/t\d+-[0-9a-f]{8}/")  # the path of one: see fixtures.py

PR_SET_CHILD_SUBREAPER = 36
GRACE = 1.0 * PATIENCE  # seconds that a killed process may take to vanish


def become_subreaper():
    """Makes this process the parent of all orphans of the tests, and a good one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl PR_SET_CHILD_SUBREAPER")
    reaper.start()


class Reaper(threading.Thread):
    """
    Waits for orphans that ended inside a pid namespace, as the machine's init would: while one of
    them is a zombie, process 1 of its namespace cannot die. Children of the tests themselves are in
    our own namespace and left alone.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self._may_run = threading.Event()
        self._may_run.set()

    def run(self):
        while True:
            self._may_run.wait()
            for task in os.scandir("/proc/self/task"):
                self._reap(Path(task.path, "children"))
            time.sleep(0.005)

    def _reap(self, children):
        try:
            for pid in children.read_text().split():
                if is_nested_zombie(pid):
                    os.waitpid(int(pid), os.WNOHANG)
        except OSError:
            pass  # the thread or the process has gone meanwhile

    @contextlib.contextmanager
    def paused(self):
        """Leaves the zombies alone for a while."""
        self._may_run.clear()
        time.sleep(0.02)
        yield
        self._may_run.set()


reaper = Reaper()


def is_nested_zombie(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return "\nState:\tZ" in status and len(re.search(r"^NSpid:(.*)$", status, re.M)[1].split()) > 1


def parents():
    """{pid: (parent, state, name)} of all processes."""
    table = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text(errors="replace")
        except OSError:
            continue
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        fields = stat[stat.rindex(")") + 2:].split()
        table[int(entry.name)] = (int(fields[1]), fields[0], name)
    return table


def descendants():
    """[(pid, state, name)] of all processes below this one."""
    table, found, level = parents(), [], {os.getpid()}
    while level:
        level = {pid for pid, (parent, _, _) in table.items() if parent in level}
        found += [(pid, *table[pid][1:]) for pid in sorted(level)]
    return found


def reap_orphans(own):
    """
    Waits for ended processes that fell to us; own are the pids whose status a test still wants.
    """
    for pid, state, _ in descendants():
        if state == "Z" and pid not in own:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


class Guard:
    """Knows what belongs to one test. check() says what is left of it, sweep() removes that."""

    def __init__(self, token, state_root):
        self.token, self.state_root = token, Path(state_root)
        self.before = {pid for pid, _, _ in descendants()}
        self.namespaces = set()  # those of the test's containers

    def watch(self, pid):
        """Remembers the namespaces of a container: a mount could keep one of them alive."""
        mine = set(host.namespaces().values())
        self.namespaces |= set(host.namespaces(pid).values()) - mine

    def check(self, grace=GRACE):
        """Gives the leaks as a list of sentences; waits a little for what is just ending."""
        end = time.monotonic() + grace
        while True:
            reap_orphans(self.before)
            left = self._left()
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.01)

    def _left(self):
        found = [*self._processes(), *self._cgroups(), *self._mounts(), *self._states()]
        return found or [*self._units()]

    def _processes(self):
        for pid, state, name in descendants():
            if pid not in self.before:
                yield f"process {pid} ({name}, state {state}): {command_line(pid)}"

    def _cgroups(self):
        for hierarchy in host.hierarchies():
            for path in hierarchy.find(self.token):
                yield f"cgroup {path}"

    def _mounts(self):
        for mount in host.mounts():
            ours = mount.type == "nsfs" and mount.root in self.namespaces
            ours = ours and not BUNDLE.search(mount.point)  # where it would be another test's
            if ours or self.token in mount.point or self.token in mount.root:
                yield f"mount {mount.point} ({mount.type}, {mount.source})"

    def _units(self):
        for name in units(self.token):
            yield f"systemd unit {name}"

    def _states(self):
        if self.state_root.is_dir():
            for entry in sorted(self.state_root.iterdir()):
                yield f"state entry {entry}"

    def sweep(self):
        """Removes everything that check() complains of, so that the next test starts clean."""
        for pid, _, _ in descendants():
            if pid not in self.before:
                kill(pid)
        for mount in reversed(host.mounts()):
            if self.token in mount.point:
                subprocess.run(["umount", "-l", mount.point], check=False)
        reap_orphans(self.before)
        for hierarchy in host.hierarchies():
            for path in hierarchy.find(self.token):
                remove_cgroup(path)
        for name in units(self.token):
            subprocess.run(["systemctl", "stop", name], check=False)
            subprocess.run(["systemctl", "reset-failed", name], check=False)
        shutil.rmtree(self.state_root, ignore_errors=True)


def units(text):
    """The names of systemd's units that contain text, those that failed too."""
    if not host.runs_systemd():
        return []
    command = ["systemctl", "list-units", "--all", "--plain", "--no-legend", f"*{text}*"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    return [line.split()[0] for line in told.splitlines() if line.strip()]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def remove_cgroup(path):
    thaw(path)
    for pid in (path / "cgroup.procs").read_text().split():
        kill(int(pid))
    end = time.monotonic() + GRACE
    while time.monotonic() < end:
        try:
            os.rmdir(path)
            return
        except OSError:
            time.sleep(0.01)


def thaw(path):
    for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        if (path / name).exists():
            (path / name).write_text(value)
