"""Facts about the machine that the tests run on: cgroup layout, capabilities, own namespaces.

Read by the framework and by tests that must choose between cgroup v1 and v2. Nothing here changes
anything.
"""

import os
from dataclasses import dataclass
from pathlib import Path

CGROUP_ROOT = "/sys/fs/cgroup"


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo (proc_pid_mountinfo(5)), as far as the tests need it."""

    root: str
    point: str
    options: tuple
    propagation: tuple
    type: str
    source: str
    super_options: tuple


def parse_mountinfo(text):
    mounts = []
    for line in text.splitlines():
        before, after = line.split(" - ", 1)
        fields, tail = before.split(), after.split(" ")
        mounts.append(Mount(
            root=unescape(fields[3]),
            point=unescape(fields[4]),
            options=tuple(fields[5].split(",")),
            propagation=tuple(fields[6:]),
            type=tail[0],
            source=unescape(tail[1]),
            super_options=tuple(tail[2].split(",")),
        ))
    return mounts


def unescape(field):
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def mounts():
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text())


def _top_mount(point):
    return [m for m in mounts() if m.point == point][-1:]


def is_cgroup_v2():
    """True when /sys/fs/cgroup is cgroup2 alone; False for the v1 and hybrid layouts."""
    return any(m.type == "cgroup2" for m in _top_mount(CGROUP_ROOT))


def runs_systemd():
    """Whether systemd is process 1 and can be asked for cgroups."""
    return os.path.exists("/run/systemd/private")


def user_with_systemd():
    """The number of a user whose systemd runs and can be asked, None when there is none."""
    for bus in sorted(Path("/run/user").glob("*/bus")):
        if bus.parent.name not in ("0", "*"):
            return int(bus.parent.name)
    return None


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy. controllers is empty for cgroup2 and name=systemd."""

    point: Path
    root: str
    version: int
    controllers: frozenset

    def own(self):
        """The directory of the calling process in this hierarchy."""
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, names, path = line.split(":", 2)
            if self.version == 2:
                here = number == "0"
            else:
                here = number != "0" and bool(self.controllers & set(names.split(",")))
            if here:
                inside = os.path.relpath(path, self.root)
                return self.point / inside if inside != "." else self.point
        raise LookupError(f"this process is in no cgroup of {self.point}")

    def find(self, text):
        """All cgroup directories whose path below the mount contains text, deepest first."""
        found = [Path(d) for d, _, _ in os.walk(self.point) if text in d[len(str(self.point)):]]
        return sorted(found, key=lambda path: len(path.parts), reverse=True)


def hierarchies():
    found = []
    for m in mounts():
        if not m.point.startswith(CGROUP_ROOT):
            continue
        if m.type == "cgroup2":
            found.append(Hierarchy(Path(m.point), m.root, 2, frozenset()))
        elif m.type == "cgroup":
            names = frozenset(m.super_options) - {"rw", "ro", "xattr", "clone_children"}
            found.append(Hierarchy(Path(m.point), m.root, 1, names))
    return found


def hierarchy(controller):
    """
    The v1 hierarchy that holds a controller, or the cgroup2 one on v2; None when it is not there.
    """
    for h in hierarchies():
        if h.version == 1 and controller in h.controllers and not is_cgroup_v2():
            return h
        if h.version == 2 and is_cgroup_v2():
            available = (h.point / "cgroup.controllers").read_text().split()
            return h if controller in available + ["freezer", "devices"] else None
    return None


def has_capability(number):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


CAP_SYS_RESOURCE = 24

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def namespaces(pid="self"):
    """{"net": "net:[4026531833]", …} of a process; what cannot be read is left out."""
    links = {}
    for name in NAMESPACES:
        try:
            links[name] = os.readlink(f"/proc/{pid}/ns/{name}")
        except OSError:
            pass
    return links
