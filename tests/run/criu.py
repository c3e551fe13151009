"""The criu of this machine, for the tests that need a real one.

It is looked up in PATH. A machine where it is missing, or where `criu check` fails, skips those
tests and says why; with $CREEL_NEEDS_CRIU they fail there.
"""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import host
from program import PATH, wait_until

FAKE = Path(__file__).with_name("fake_criu.py")
SEARCH = os.environ.get("PATH", "") + ":" + PATH


def program():
    return shutil.which("criu", path=SEARCH)


@functools.cache
def complaint(*options):
    """What keeps criu from working here, None when nothing does."""
    if not program():
        return "criu is not installed"
    done = subprocess.run([program(), "check", *options], capture_output=True, text=True, timeout=60,
                          check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return f"criu check: {lines[-1] if lines else done.returncode}" if done.returncode else None


def hidden_cgroups():
    """
    criu saves the cgroups of all hierarchies that processes are in: behind tools/v2view these are
    the machine's own.
    """
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    if host.is_cgroup_v2() and len(lines) > 1:
        return "criu would save cgroups of version 1, which are hidden here and not the container's"
    return None


def need(*options):
    """Skips the test, or fails, when criu cannot work here; options are of `criu check`."""
    why = complaint(*options) or hidden_cgroups()
    if why and os.environ.get("CREEL_NEEDS_CRIU"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


# What criu saves: not the deleted files that the tests read output from.
NOWHERE = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Freezer:
    """A bundle with its images: what checkpoint and restore are called with."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.images = bundle.path / "images"
        self.work = bundle.path / "work"
        self.env = {"PATH": SEARCH}

    def paths(self, *options):
        return [*options, "--image-path", self.images, "--work-path", self.work]

    def checkpoint(self, *options, **how):
        command = self.paths("checkpoint", *options)
        return self.bundle.creel(*command, self.bundle.id, env=self.env, timeout=60, **how)

    def restore(self, *options, id=None, **how):
        """In the background of everything, as an engine does it."""
        self.bundle.save()
        self.bundle.alive.add(id or self.bundle.id)
        command = self.paths("restore", "--detach", "--bundle", self.bundle.path, *options)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} | how
        result = self.bundle.creel(*command, id or self.bundle.id, env=self.env, timeout=60, **streams)
        self.bundle._watch(id)
        return result

    def run_detached(self, **how):
        return self.bundle.run_detached(**NOWHERE | how)

    def spawn_restore(self, *options, **how):
        """In the foreground: returns when the container runs."""
        self.bundle.save()
        command = self.paths("restore", "--bundle", self.bundle.path, *options)
        running = self.bundle.spawn(*command, self.bundle.id, env=self.env, **how)
        self.bundle.alive.add(self.bundle.id)
        wait_until(lambda: self.bundle.status() == "running" or running.process.poll() is not None,
                   "the container to run again", 30)
        return running

    def number(self, name="count"):
        """What the container's program counted last; it may be writing just now."""
        path = self.bundle.rootfs / name
        return int(wait_until(lambda: path.exists() and path.read_text().strip(), name))

    def counts_on(self, name="count"):
        before = self.number(name)
        return wait_until(lambda: self.number(name) > before + 1, "the program to count on")

    def log(self, name):
        path = self.work / name
        return path.read_text(errors="replace") if path.exists() else ""
