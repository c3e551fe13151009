"""
Fixtures of the attacks: those of tests/run, and the programs that attack from within a container.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import host
import traps
from fixtures import *  # noqa: F403

HERE = Path(__file__).parent

PROGRAMS = ("inside", "onlooker", "breakout")


@pytest.fixture(scope="session")
def tools(workshop):
    """The attacking programs, static: {name: path}."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler to build the attacking programs with")
    folder = workshop / "tools"
    folder.mkdir()
    for name in PROGRAMS:
        command = ["cc", "-static", "-O1", "-o", folder / name, HERE / f"{name}.c"]
        subprocess.run(command, check=True, timeout=60)
    return {name: folder / name for name in PROGRAMS}


@pytest.fixture
def armed(bundle, tools):
    """A bundle with the programs in bin."""
    for name in PROGRAMS:
        os.link(tools[name], bundle.rootfs / "bin" / name)
    return bundle


@pytest.fixture
def outside(bundle):
    """
    A directory of the host that links of the image lead to. When the test is over, it must be as
    it was, and so must be /dev and what is mounted.
    """
    where = bundle.path / "outside"
    (where / "below").mkdir(parents=True)
    (where / "file").write_text("of the host\n")
    for name in ("null", "ptmx", "console", "passwd", "group", "pts", "shm"):
        (where / name).write_text("of the host\n")
    before = traps.fingerprint(where), sorted(os.listdir("/dev"))
    yield where
    bundle.finish()
    assert (traps.fingerprint(where), sorted(os.listdir("/dev"))) == before
    assert not [m for m in host.mounts() if bundle.id in m.point]
