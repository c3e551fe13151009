"""
Images and running containers that have something else than they should at a path that creel touches:
a link out, a loop, a FIFO, a device, … Whatever it is, creel ends within seconds, with a container
that is as confined as any or with an error, and the host stays as it was.
"""

import re

import pytest

import confinement
import terminal
import traps
from bundle import mount

LIMIT = 5  # seconds

# In an image whose /dev is its own: nothing is mounted there to cover the trap.
DEV = ("/dev", "/dev/pts", "/dev/ptmx", "/dev/console", "/dev/shm", "/dev/mqueue", "/dev/null",
       "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/fd",
       "/dev/stdin", "/dev/core", "/dev/own")  # fmt: skip

PATHS = (*DEV, "/proc", "/sys", "/sys/fs/cgroup", "/etc", "/etc/passwd", "/etc/group", "/work",
         "/data", "/data.conf", "/masked", "/readonly", "/copied", "/bin/tool", "/run/notify",
         "/deep", "/deep/er")  # fmt: skip

# What exec cannot do without: where it begins, what it executes, a terminal.
NEEDED = ("/work", "/bin/tool", "/dev", "/dev/pts")

# What some paths may well be, and the container runs.
HARMLESS = {"/proc": ["directory"], "/sys": ["directory"], "/dev": ["directory"],
            "/etc/passwd": traps.KINDS, "/etc/group": traps.KINDS, "/masked": ["directory", "file"],
            "/readonly": ["directory", "file"], "/data": ["directory"], "/data.conf": ["file"],
            "/etc": ["directory"], "/work": ["directory"], "/deep": ["directory"],
            "/dev/shm": ["directory"], "/run/notify": traps.KINDS}  # fmt: skip


@pytest.fixture(autouse=True)
def own_terminals():
    yield
    terminal.close_all()


def hostile(bundle, path):
    """An image and a configuration in which creel has to do with all of PATHS."""
    if path in DEV:
        bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/dev"]
        bundle.process["terminal"] = path in ("/dev/pts", "/dev/ptmx", "/dev/console")
    source = bundle.path / "source"
    source.mkdir()
    (source / "file").write_text("of a volume\n")
    bundle.bind(source, "/data", "rbind", "ro")
    bundle.bind(source / "file", "/data.conf", "bind", "ro")
    bundle.bind(source, "/deep/er/and/deeper", "rbind", "ro")
    bundle.config["mounts"].append(mount("/copied", "tmpfs", "tmpfs", "tmpcopyup", "size=1m"))
    bundle.linux["devices"] = [{"path": "/dev/own", "type": "c", "major": 1, "minor": 3,
                                "fileMode": 0o640, "uid": 7, "gid": 7}]  # fmt: skip
    bundle.linux["maskedPaths"].append("/masked")
    bundle.linux["readonlyPaths"].append("/readonly")
    for folder in ("readonly", "work", "copied/below"):
        (bundle.rootfs / folder).mkdir(parents=True)
    bundle.write("masked", "secret\n")
    bundle.process["cwd"] = "/work"
    (bundle.rootfs / "bin/tool").hardlink_to(bundle.rootfs / "bin/inside")
    bundle.args("/bin/tool", *confinement.questions(MASKED, READONLY))


MASKED = ("/masked", *confinement.MASKED)
READONLY = ("/readonly", *confinement.READONLY)


def judge(bundle, command, masked=MASKED, readonly=READONLY):
    """Runs a command to its end: a confined program, or an error. Returns whether it ran."""
    if bundle.process["terminal"]:
        screen = terminal.Screen()
        result = command(timeout=LIMIT, **screen.streams())
        out = err = screen.text()
    else:
        result = command(timeout=LIMIT)
        out, err = result.stdout, result.stderr
    if result.rc == 0:
        assert confinement.is_confined(out, masked, readonly), out
        return True
    assert result.rc in (1, 255) and re.search("level=error|ERRO", err), f"{result.rc}\n{out}{err}"
    return False


@pytest.mark.parametrize("path", ["/dev", "/dev/pts", "/proc"])
def test_without_a_trap(armed, outside, path):
    hostile(armed, path)
    assert judge(armed, armed.run)


@pytest.mark.parametrize("path", PATHS)
def test_image(armed, outside, path):
    hostile(armed, path)
    for kind in traps.KINDS:
        traps.lay(armed.rootfs, path, kind, outside)
        ran = judge(armed, armed.run)
        assert ran or kind not in HARMLESS.get(path, ()), kind


@pytest.mark.parametrize("path", PATHS)
def test_running_container(armed, outside, path):
    """Root inside lays the traps one after the other, over whatever is mounted there."""
    hostile(armed, path)
    wants_terminal, armed.process["terminal"] = armed.process["terminal"], False
    armed.args("sleep", "1000")
    armed.run_detached().ok()
    armed.process["terminal"] = wants_terminal
    armed.save()
    options = ["--tty"] if wants_terminal else []
    if path == "/sys/fs/cgroup":
        traps.inside(armed.pid(), lambda: traps.uncover("/sys"))  # nothing is made in a sysfs
    for kind in traps.KINDS:
        traps.inside(armed.pid(), lambda kind=kind: traps.lay("/", path, kind, outside))
        ran = judge(armed, lambda **how: armed.exec("/bin/tool", "confined", options=options, **how),
                    masked=(), readonly=())
        assert ran or path in NEEDED, kind
