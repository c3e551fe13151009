"""
Images and running containers that have something else than they should at a path that creel touches:
a link out, a loop, a FIFO, a device, … Whatever it is, creel ends within seconds, with a container
that is as confined as any or with an error, and the host stays as it was.
"""

import re

import pytest

import terminal
import traps
from bundle import DEFAULT_CAPABILITIES, mount

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

NUMBERS = {"CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10, "CAP_AUDIT_WRITE": 29}


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
    bundle.args("/bin/tool", *QUESTIONS)


QUESTIONS = ["confined", "-m", "/masked", "-m", "/proc/kcore", "-m", "/proc/keys",
             "-m", "/sys/firmware", "-r", "/readonly", "-r", "/proc/sys", "-r", "/sys"]  # fmt: skip


def is_confined(text):
    """
    Whether a report of `inside confined` is what the configuration asks for. One of exec says
    nothing of mounts: there root inside has taken some away.
    """
    capabilities = sum(1 << NUMBERS[name] for name in DEFAULT_CAPABILITIES)
    lines = [line for line in text.replace("\r", "").splitlines() if line]
    wanted = ["uid 0 0 0", "gid 0 0 0, groups",
              f"capabilities e {capabilities:x} 0 p {capabilities:x} 0 i 0 0 "
              f"b {capabilities:x} a 0",
              "no_new_privs 1 seccomp 0", re.compile("cwd /[^:]*"), "descriptors 0 1 2",
              "/masked hidden", "/proc/kcore hidden", "/proc/keys hidden", "/sys/firmware hidden",
              "/readonly read-only", "/proc/sys read-only", "/sys read-only", "end"]  # fmt: skip
    if "/masked hidden" not in lines and "/masked open" not in lines:
        wanted = wanted[:6] + wanted[-1:]
    return len(lines) == len(wanted) and all(
        w.fullmatch(line) if isinstance(w, re.Pattern) else w == line
        for w, line in zip(wanted, lines))


def judge(bundle, command):
    """Runs a command to its end: a confined program, or an error. Returns whether it ran."""
    if bundle.process["terminal"]:
        screen = terminal.Screen()
        result = command(timeout=LIMIT, **screen.streams())
        out = err = screen.text()
    else:
        result = command(timeout=LIMIT)
        out, err = result.stdout, result.stderr
    if result.rc == 0:
        assert is_confined(out), out
        return True
    assert result.rc in (1, 255) and re.search("level=error|ERRO", err), f"{result.rc}\n{out}{err}"
    return False


@pytest.mark.parametrize("path", ["/dev", "/dev/pts", "/proc"])
def test_without_a_trap(armed, outside, path):
    hostile(armed, path)
    assert judge(armed, armed.run)


@pytest.mark.parametrize("kind", traps.KINDS)
@pytest.mark.parametrize("path", PATHS)
def test_image(armed, outside, path, kind):
    hostile(armed, path)
    traps.lay(armed.rootfs, path, kind, outside)
    judge(armed, armed.run)


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
        ran = judge(armed, lambda **how: armed.exec("/bin/tool", "confined", options=options, **how))
        assert ran or path in NEEDED, kind
