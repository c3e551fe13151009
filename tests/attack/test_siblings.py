"""
A container is made while a sibling, which shares a volume with it, exchanges names there: what was a
directory when creel looked is a link out when it acts. By chance, in a loop (ATTACK_TIME seconds
each), and by the stepper, which lets the sibling act right before each system call that has to do
with a path. The host stays as it was, and a program that runs is as confined as any.
"""

import os
import re
import subprocess
import time

import pytest

import confinement
import stepper
import terminal
from traps import RACE_SECONDS

pytestmark = pytest.mark.once

PATH_CALLS = re.compile(r"(open|mkdir|mknod|symlink|readlink|unlink|rename|link|fchown|chown|newfstat"
                        r"|stat|fchmod|chdir|fchdir|chroot|pivot|move_mount|mount|umount|fs|exec).*")


class Scene:
    """A bundle with a volume at /shared, in which two names are exchanged."""

    def __init__(self, bundle, outside):
        self.bundle, self.outside = bundle, outside
        self.volume = bundle.path / "volume"
        self.volume.mkdir()
        bundle.bind(self.volume, "/shared")
        self.masked, self.readonly = confinement.MASKED, confinement.READONLY
        self.good, self.evil = self.volume / "good", self.volume / "evil"

    def look_at(self, masked, readonly):
        """What protects a file system of the kernel's must do so where it came to lie, too."""
        self.masked += masked
        self.readonly += readonly

    def link_out(self):
        """good is a directory, evil a link to the one of the host, as seen from wherever."""
        self.good.mkdir()
        self.evil.symlink_to("../" * 12 + str(self.outside).lstrip("/"))


def destination(scene):
    scene.link_out()
    scene.bundle.mount("/shared/good/a/b", "tmpfs", "tmpfs", "size=1m")


def file_destination(scene):
    scene.link_out()
    (scene.bundle.path / "plain").write_text("plain\n")
    scene.bundle.bind(scene.bundle.path / "plain", "/shared/good/a/file", "bind", "ro")


def copied_up(scene):
    scene.link_out()
    (scene.good / "of-the-image").write_text("content\n")
    scene.bundle.mount("/shared/good", "tmpfs", "tmpfs", "tmpcopyup", "size=1m")


def copied_link(scene):
    scene.link_out()
    (scene.bundle.path / "link").symlink_to("anywhere")
    scene.bundle.bind(scene.bundle.path / "link", "/shared/good/link", "bind", "copy-symlink")


def device(scene):
    scene.link_out()
    scene.bundle.linux["devices"] = [{"path": "/shared/good/full", "type": "c", "major": 1,
                                      "minor": 7, "uid": 9, "gid": 9}]


def working_directory(scene):
    scene.link_out()
    scene.bundle.process["cwd"] = "/shared/good/a"


def masked(scene):
    scene.link_out()
    scene.bundle.linux["maskedPaths"].append("/shared/good")
    scene.bundle.linux["readonlyPaths"].append("/shared/good")


def procfs(scene):
    scene.good, scene.evil = scene.bundle.rootfs / "proc", scene.bundle.rootfs / "evil"
    (scene.bundle.rootfs / "elsewhere").mkdir()
    scene.evil.symlink_to("elsewhere")
    scene.look_at(("/evil/kcore", "/evil/keys"), ("/evil/sys", "/evil/irq", "/evil/sysrq-trigger"))


def sysfs(scene):
    scene.good, scene.evil = scene.bundle.rootfs / "sys", scene.bundle.rootfs / "evil"
    (scene.bundle.rootfs / "elsewhere").mkdir()
    scene.evil.symlink_to("/elsewhere")
    scene.look_at(("/evil/firmware",), ("/evil", "/evil/kernel"))


def dev_of_volume(scene):
    """/dev is a directory of the volume, which the sibling can write too."""
    mounts = scene.bundle.config["mounts"]
    mounts[:] = [m for m in mounts if not m["destination"].startswith("/dev")]
    for place, kind in (("/dev", "bind"), ("/dev/pts", "devpts")):
        options = ["rbind"] if kind == "bind" else ["newinstance", "ptmxmode=0666", "mode=0620"]
        mounts.append({"destination": place, "type": kind, "source": str(scene.volume),
                       "options": options})  # fmt: skip
    (scene.volume / "pts").mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod(scene.volume / name, 0o20666, os.makedev(1, minor))
    os.mknod(scene.volume / "tty", 0o20666, os.makedev(5, 0))


def null_device(scene):
    """A mask made of what the link leads to would show and change it."""
    dev_of_volume(scene)
    scene.good = scene.volume / "null"
    scene.evil.symlink_to("/proc/sys/kernel/core_pattern")


def null_file(scene):
    dev_of_volume(scene)
    scene.good = scene.volume / "null"
    scene.evil.write_text("not the null device\n")


def pseudo_terminals(scene):
    dev_of_volume(scene)
    scene.bundle.process["terminal"] = True
    scene.good = scene.volume / "pts"
    scene.evil.symlink_to("../" * 12 + str(scene.outside).lstrip("/"))


def console(scene):
    dev_of_volume(scene)
    scene.bundle.process["terminal"] = True
    scene.good = scene.volume / "console"
    scene.good.touch()
    scene.evil.symlink_to("/proc/sys/kernel/core_pattern")


SCENES = [destination, file_destination, copied_up, copied_link, device, working_directory, masked,
          procfs, sysfs, null_device, null_file, pseudo_terminals, console]  # fmt: skip


@pytest.fixture(params=SCENES, ids=lambda make: make.__name__)
def scene(request, armed, outside):
    made = Scene(armed, outside)
    request.param(made)
    armed.args("/bin/inside", *confinement.questions(made.masked, made.readonly))
    yield made
    terminal.close_all()


def attempt(scene, **how):
    """One container, from its making to its end. Whether its program ran, confined."""
    bundle = scene.bundle
    if bundle.process["terminal"]:
        screen = terminal.Screen()
        result = bundle.run(**how, **screen.streams())
        out, err = screen.text(), screen.text()
        terminal.close_all()
    else:
        result = bundle.run(**how)
        out, err = result.stdout, result.stderr
    if result.rc == 0:
        assert confinement.is_confined(out, scene.masked, scene.readonly), out
        return True
    assert result.rc == 1 and re.search("level=error|ERRO", err), f"{result.rc}\n{out}{err}"
    return False


def test_nobody_is_there(scene):
    assert attempt(scene)


def test_by_chance(scene, tools, record_property):
    words = [tools["inside"], "swap", scene.good, scene.evil, str(RACE_SECONDS)]
    end, starts, ran = time.monotonic() + RACE_SECONDS, 0, 0
    with subprocess.Popen(words, stdout=subprocess.PIPE) as sibling:
        while time.monotonic() < end:
            ran += attempt(scene)
            starts += 1
        exchanged = int(sibling.communicate()[0])
    assert exchanged > starts > 0
    record_property("starts", starts)
    record_property("ran", ran)


def points_of(scene):
    """Where the sibling could act: at each call of init, and of the runtime, that has a path."""
    step = stepper.of(scene.bundle)
    attempt(scene, wrapper=step.at())
    return step, [call.point for call in step.calls() if PATH_CALLS.fullmatch(call.name)
                  and call.process != "0.1.0"]


def test_before_each_call(scene, tools, record_property):
    step, points = points_of(scene)
    inner = [point for point in points if point.startswith("0.1:")]
    assert len(inner) > 50, points
    act = f"run={tools['inside']} exchange {scene.good} {scene.evil}"
    for point in inner:
        was = scene.evil.is_symlink() or scene.evil.is_file()
        attempt(scene, wrapper=step.at(point, act))
        if step.met():
            subprocess.run([tools["inside"], "exchange", scene.good, scene.evil], check=True)
        assert was == (scene.evil.is_symlink() or scene.evil.is_file())
    record_property("starts", len(inner))
