"""
What the administrator of a machine can forbid all users, and says so with a sysctl or to systemd.
These change the machine they run on, and nothing else may be tested on it meanwhile:
tests/vm/jobs/rootless sets CREEL_CHANGES_MACHINE.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

import host
import rootless
from program import PATH, Program, wait_until

pytestmark = pytest.mark.skipif(not os.environ.get("CREEL_CHANGES_MACHINE"),
                                reason="it changes the machine: see tests/vm/jobs/rootless")


@pytest.fixture
def mine(bundle):
    return rootless.give(bundle)


@pytest.fixture
def sysctl():
    """A function that sets one until the test ends."""
    kept = {}

    def write(name, value):
        path = Path("/proc/sys", name)
        if not path.exists():
            pytest.skip(f"this kernel has no {name}")
        kept.setdefault(path, path.read_text())
        path.write_text(value)

    yield write
    for path, value in kept.items():
        path.write_text(value)


def hint(bundle, text):
    return bundle.run(**bundle.as_user).fails(re.compile(text)).hint


def test_user_namespaces_are_switched_off(mine, sysctl):
    sysctl("user/max_user_namespaces", "0")
    assert hint(mine, "clone a process: no space left on device$") == (
        "user.max_user_namespaces is 0 here: as root, sysctl user.max_user_namespaces=15000")


def test_user_namespaces_are_for_root(mine, sysctl):
    sysctl("kernel/unprivileged_userns_clone", "0")
    assert hint(mine, "clone a process: operation not permitted$") == (
        "user namespaces are for root alone here: as root, "
        "sysctl kernel.unprivileged_userns_clone=1")


def test_apparmor_wants_a_profile(mine, sysctl):
    sysctl("kernel/apparmor_restrict_unprivileged_userns", "1")
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in hint(mine, "permission denied|permitted")


@pytest.fixture
def poor(bundle):
    """A user whose systemd gets two controllers, and who asks it for cgroups."""
    user = host.user_with_systemd()
    if user is None or not host.is_cgroup_v2():
        pytest.skip("no user's systemd with cgroup v2")
    order = Path("/run/systemd/system/user@.service.d/zz.conf")
    order.parent.mkdir(parents=True, exist_ok=True)
    order.write_text("[Service]\nDelegate=\nDelegate=memory pids\n")
    restart(user)
    rootless.give(bundle, user)
    bundle.as_user["env"] = {"PATH": PATH, "XDG_RUNTIME_DIR": f"/run/user/{user}"}
    bundle.program = Program(bundle.program.path, ["--systemd-cgroup"])
    yield bundle
    order.unlink()
    restart(user)


def restart(user):
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "restart", f"user@{user}.service"], check=True)
    wait_until(Path(f"/run/user/{user}/bus").exists, "the user's bus", 30)


def test_controller_that_systemd_keeps(poor):
    poor.linux["resources"] = {"cpu": {"cpus": "0"}}
    assert "systemctl edit user@.service" in hint(poor, '"cpuset"')


def test_controllers_that_it_passes_on(poor):
    poor.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}}
    poor.run(**poor.as_user).ok()
