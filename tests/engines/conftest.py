"""
Fixtures of the engine scenarios. Every scenario runs once for each runtime that
CREEL_ENGINE_RUNTIME names (default: creel; several with commas). "runc" and "crun" show what the
engine does with the runtimes that it was made for; "broken" is one that always fails, so that a
scenario which passes with it is seen to check nothing.
"""

import collections
import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import archive
import pytest
from command import own_network
from containerd import Containerd
from docker import Docker, Dockerd
from podman import ROOT, TESTER, Podman, Storage
from screen import Screen

REPOSITORY = Path(__file__).resolve().parents[2]
CHOSEN = os.environ.get("CREEL_ENGINE_RUNTIME", "creel").split(",")


class Runtime:
    """A runtime: its name, as engines are told it, and the file that they call."""

    def __init__(self, name, path):
        self.name, self.path = name, str(path)


def pytest_terminal_summary(terminalreporter):
    """What passed, for each runtime: the lists are the same, so the numbers can be compared."""
    counts = collections.Counter()
    for verdict in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(verdict):
            if found := re.search(rf"\[({'|'.join(CHOSEN)})\b", report.nodeid):
                counts[found[1], verdict] += 1
    for name in CHOSEN:
        bad = counts[name, "failed"] + counts[name, "error"]
        terminalreporter.write_line(f"{name}: {counts[name, 'passed']} good, {bad} bad")


@pytest.fixture(scope="session")
def workshop():
    """The directory of this session. Short: sockets are in it."""
    if os.geteuid() != 0:
        pytest.skip("engines need root")
    where = tempfile.mkdtemp(prefix="engines-")
    os.chmod(where, 0o755)
    yield Path(where)
    shutil.rmtree(where)


@pytest.fixture(scope="session")
def image(workshop):
    """An archive with one image, archive.NAME, that every engine reads."""
    return archive.write(workshop / "image.tar")


@pytest.fixture(scope="session")
def runtimes(workshop):
    broken = workshop / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    creel = Path(os.environ.get("CREEL", REPOSITORY / "build" / "creel")).resolve()
    paths = {"creel": creel, "broken": broken}
    paths |= {name: shutil.which(name) for name in ("runc", "crun")}
    return {name: Runtime(name, path) for name, path in paths.items()}


@pytest.fixture(scope="session", params=CHOSEN)
def runtime(request, runtimes):
    return runtimes[request.param]


@pytest.fixture(scope="session")
def network():
    """A network namespace for the daemons of this session: nobody else's bridges and addresses."""
    with own_network() as name:
        yield name


@pytest.fixture(scope="session")
def containerd(workshop, network):
    if not shutil.which("containerd"):
        pytest.skip("containerd is not installed")
    with Containerd(workshop / "c", network) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def dockerd(workshop, network, containerd, runtimes, image):
    if not shutil.which("dockerd"):
        pytest.skip("Docker is not installed")
    with Dockerd(workshop / "d", network, containerd, runtimes) as daemon:
        daemon.docker("load", "--input", image, timeout=120)
        yield daemon


@pytest.fixture
def docker(dockerd, runtime):
    """Docker with the runtime; nothing of its containers is left when the scenario ends."""
    engine = Docker(dockerd, runtime)
    yield engine
    engine.finish()


@contextlib.contextmanager
def stored_by(user, workshop, runtimes, image):
    """Storage of a user's own, with the image in it."""
    if not shutil.which("podman"):
        pytest.skip("Podman is not installed")
    with Storage(workshop / user.name, user, runtimes) as storage:
        storage.call("podman", "load", "--quiet", "--input", image)
        yield storage


@pytest.fixture(scope="session")
def root_storage(workshop, runtimes, image):
    with stored_by(ROOT, workshop, runtimes, image) as storage:
        yield storage


@pytest.fixture(scope="session")
def tester_storage(workshop, runtimes, image):
    with stored_by(TESTER, workshop, runtimes, image) as storage:
        yield storage


@contextlib.contextmanager
def scenario_of(storage, runtime):
    engine = Podman(storage, runtime)
    yield engine
    engine.finish()


@pytest.fixture
def rootful(root_storage, runtime):
    """Podman as root."""
    with scenario_of(root_storage, runtime) as engine:
        yield engine


@pytest.fixture
def rootless(tester_storage, runtime):
    """Podman as an ordinary user."""
    with scenario_of(tester_storage, runtime) as engine:
        yield engine


@pytest.fixture(params=["root", "tester"])
def podman(request, runtime):
    """Podman, once as root and once as an ordinary user."""
    with scenario_of(request.getfixturevalue(f"{request.param}_storage"), runtime) as engine:
        yield engine


@pytest.fixture
def screen():
    """Screen(words, rows, columns): a terminal with a command on it."""
    return Screen
