"""
/proc, /sys, /dev and control groups of the machine, or of the configuration, that are not what they
seem: another file system, a part of it, a file in the place of a file. creel looks at what it opens;
what was asked for and cannot be had there is an error.
"""

import os
from pathlib import Path

import pytest

import confinement
import terminal
from bundle import mount

LIMIT = 5  # seconds


def behind(*commands):
    """A wrapper: the command runs where these have changed what is mounted."""
    script = "; ".join((*commands, 'exec "$@"'))
    return {"wrapper": ("unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh")}


def questions(bundle, *words):
    bundle.args("/bin/inside", *confinement.questions(), *words)


# ---- /proc of the machine ----

NO_PROC = ["mount -t tmpfs tmpfs /proc", "mkdir /tmp/$$; mount --bind /tmp/$$ /proc; rmdir /tmp/$$",
           "mount --bind /proc/1 /proc", "mount --bind /proc/sys /proc"]  # fmt: skip


@pytest.mark.parametrize("command", NO_PROC)
def test_proc_that_is_none(armed, command):
    """Without the kernel's own nothing is begun."""
    questions(armed)
    armed.run(timeout=LIMIT, **behind(command)).fails()


@pytest.mark.parametrize("options", ["hidepid=2", "subset=pid", "hidepid=invisible,subset=pid"])
def test_proc_that_shows_a_part(armed, options):
    questions(armed)
    result = armed.run(timeout=LIMIT, **behind(f"mount -t proc -o {options} proc /proc")).ok()
    assert confinement.is_confined(result.stdout), result


FAKE_SYS = ("mount -t tmpfs tmpfs /proc/sys", "mkdir -p /proc/sys/net/ipv4 /proc/sys/kernel",
            "touch /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax")  # fmt: skip


def test_sysctl_reaches_the_kernel(bundle):
    """Files in the place of /proc/sys would take the values and do nothing (CVE-2025-52881)."""
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4321"}
    out = bundle.output("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax",
                        **behind(*FAKE_SYS))
    assert out.split() == ["1", "4321"]


@pytest.mark.parametrize("victim", ["sched", "attr", "oom_score_adj"])
def test_score_reaches_the_kernel(bundle, victim):
    """Something else lies on a file of the command's own directory there."""
    cover = f"mount -t tmpfs tmpfs /proc/$$/{victim} || mount --bind /dev/null /proc/$$/{victim}"
    bundle.process["oomScoreAdj"] = 321
    out = bundle.output("cat /proc/self/oom_score_adj", **behind(f"({cover}) 2>/dev/null"))
    assert out == "321"


# ---- the container's own /proc and /sys ----

@pytest.mark.parametrize("source, kind", [("/proc/self", "bind"), ("/tmp", "bind"),
                                          ("tmpfs", "tmpfs"), ("/proc/sys", "bind")])
def test_own_proc_that_is_none(armed, source, kind):
    armed.config["mounts"][0] = mount("/proc", kind, source, *(["bind"] if kind == "bind" else []))
    questions(armed)
    armed.run().fails(part="/proc")


@pytest.mark.parametrize("options", [["subset=pid"], ["hidepid=2"], ["ro"], ["nosuid", "noexec"]])
def test_own_proc_with_options(armed, options):
    armed.config["mounts"][0] = mount("/proc", "proc", "proc", *options)
    questions(armed)
    result = armed.run().ok()
    assert confinement.is_confined(result.stdout), result


@pytest.mark.parametrize("cover", ["/proc/self", "/proc/1", "/proc/self/attr", "/proc/sys",
                                   "/proc/sys/kernel", "/proc/keys", "/proc/sysrq-trigger"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_nothing_is_laid_on_own_proc(bundle, cover, kind):
    """What is there holds labels, masks and settings up."""
    source = bundle.path / "source"
    source.mkdir()
    bundle.mount(cover, kind, str(source), *(["bind"] if kind == "bind" else []))
    bundle.run().fails(part="inside /proc")


# ---- /dev and terminals ----

@pytest.mark.parametrize("what", ["mount --bind /etc/hostname /dev/null",
                                  "mount --bind /dev/zero /dev/null"])
def test_null_device_of_the_machine_in_a_user_namespace(armed, what):
    """It would be bound there, and masks be made of it: it must be the device that is asked for."""
    armed.user_namespace()
    questions(armed)
    armed.run(timeout=LIMIT, **behind(what)).fails(part="the host has another file there")


@pytest.mark.parametrize("make", ["mkdir", "file", "device"])
def test_devpts_that_is_none(armed, make):
    """A tmpfs with a ptmx of its own (CVE-2025-52565)."""
    volume = armed.path / "pts"
    volume.mkdir()
    if make == "file":
        (volume / "ptmx").write_text("")
    elif make == "device":
        os.mknod(volume / "ptmx", 0o20666, os.makedev(5, 2))
    armed.config["mounts"] = [m for m in armed.config["mounts"] if m["destination"] != "/dev/pts"]
    armed.bind(volume, "/dev/pts")
    armed.process["terminal"] = True
    questions(armed)
    screen = terminal.Screen()
    result = armed.run(timeout=LIMIT, **screen.streams())
    assert result.rc == 1 and "is not a devpts" in screen.text()
    terminal.close_all()


# ---- control groups ----

FAKE_CGROUPS = ("mount -t tmpfs tmpfs /sys/fs/cgroup", "mkdir -p /sys/fs/cgroup/pids",
                "echo pids memory cpu >/sys/fs/cgroup/cgroup.controllers",
                "echo pids memory cpu >/sys/fs/cgroup/cgroup.subtree_control",
                "touch /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids/tasks")  # fmt: skip


@pytest.mark.by_path
def test_control_groups_that_are_none(bundle):
    """Files that take limits and limit nothing."""
    bundle.linux["resources"]["pids"] = {"limit": 7}
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["type"] != "cgroup"]
    result = bundle.run(timeout=LIMIT, **behind(*FAKE_CGROUPS))
    result.fails()


# ---- AppArmor and SELinux ----

APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
SAYS_YES = ("mount -t tmpfs tmpfs /sys/module", "mkdir -p /sys/module/apparmor/parameters",
            f"echo Y >{APPARMOR}")  # fmt: skip

without = pytest.mark.skipif(APPARMOR.exists(), reason="AppArmor is there: see test_labels.py")


@without
@pytest.mark.parametrize("nnp", [True, False])
def test_profile_that_cannot_be_written_is_an_error(bundle, nnp):
    """The machine says that it has AppArmor, and the kernel takes no profile."""
    bundle.process.update(apparmorProfile="some", noNewPrivileges=nnp)
    bundle.shell("touch /ran")
    message = bundle.run(**behind(*SAYS_YES)).fails(part="unable to apply apparmor profile")
    assert message.pointer == "/process/apparmorProfile"
    assert not (bundle.rootfs / "ran").exists()


@without
@pytest.mark.parametrize("file", ["attr/apparmor/exec", "attr/exec"])
def test_file_of_the_image_takes_no_profile(bundle, file):
    """Nor does the image's own /proc (CVE-2019-16884)."""
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/proc"]
    for name in ("self", "thread-self", "1"):
        bundle.write(f"proc/{name}/{file}", "")
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    bundle.process["apparmorProfile"] = "some"
    bundle.shell("touch /ran")
    bundle.run(**behind(*SAYS_YES)).fails(part="unable to apply apparmor profile")
    assert not (bundle.rootfs / "ran").exists()


@without
def test_profile_of_exec_that_cannot_be_written_is_an_error(bundle):
    bundle.up()
    words = ("exec", "--apparmor", "some", bundle.id, "touch", "/ran")
    bundle.creel(*words, **behind(*SAYS_YES)).fails(part="apparmor", rc=255)
    assert not (bundle.rootfs / "ran").exists()
