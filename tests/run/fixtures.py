"""
Fixtures of the tests with real containers, which tests/run and tests/attack share. See bundle.py
for what a test can do, leaks.py for what follows every test.
"""

import itertools
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

import host
import leaks
import rootfs
from bundle import Bundle
from program import Program

REPOSITORY = Path(__file__).resolve().parents[2]

BY_SYSTEMD = bool(os.environ.get("CREEL_SYSTEMD"))  # all cgroups are made by systemd

counter = itertools.count(1)


def program_path():
    return os.environ.get("CREEL", REPOSITORY / "build" / "creel")


def pytest_report_header():
    layout = "cgroup v2" if host.is_cgroup_v2() else "cgroup v1 or hybrid"
    by = "systemd" if BY_SYSTEMD else "path"
    return f"program: {program_path()}; layout: {layout}, cgroups by {by}"


def pytest_runtest_setup(item):
    mark = item.get_closest_marker("creel_only")
    if mark and Path(program_path()).name == "runc":
        pytest.skip(f"runc differs: {mark.args[0]}")
    if BY_SYSTEMD and item.get_closest_marker("by_path"):
        pytest.skip("it is about cgroups by path, not by systemd")


@pytest.fixture(scope="session")
def program():
    if os.geteuid() != 0:
        pytest.skip("real containers need root")
    leaks.become_subreaper()
    return Program(program_path(), ["--systemd-cgroup"] if BY_SYSTEMD else [])


@pytest.fixture
def faulty(program):
    """The same program, which fails where it is told to."""
    path = Path(os.environ.get("CREEL_FAULTY", program.path.parent / "tests/creel-faulty"))
    if not path.exists():
        pytest.skip(f"no {path}")
    return Program(path, program.options)


@pytest.fixture(scope="session")
def workshop(program):
    """
    The directory of this session, open to all users because user namespaces must pass through it.
    """
    where = tempfile.mkdtemp(prefix="creel-run-")
    os.chmod(where, 0o755)
    yield Path(where)
    shutil.rmtree(where)


@pytest.fixture(scope="session")
def shared_rootfs(workshop):
    return workshop / "shared", rootfs.template(workshop / "shared")


@pytest.fixture
def bundle(program, workshop, shared_rootfs):
    """A fresh Bundle. When the test is over, nothing of its containers may be left."""
    token = f"t{next(counter)}-{secrets.token_hex(4)}"
    where = workshop / token
    where.mkdir()
    rootfs.build(where / "rootfs", *shared_rootfs)
    guard = leaks.Guard(token, where / "state")
    made = Bundle(program, where, token, guard)
    yield made
    made.finish()
    left = guard.check()
    guard.sweep()
    shutil.rmtree(where)
    if left:
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture
def volume(bundle):
    """A directory of the host with one file, to be mounted."""
    path = bundle.path / "volume"
    path.mkdir()
    (path / "file").write_text("from outside\n")
    return path


@pytest.fixture
def prober(bundle):
    """Skips a test that needs bin/probe where it could not be built."""
    if not (bundle.rootfs / "bin/probe").exists():
        pytest.skip("no C compiler to build probe.c with")
    return bundle
