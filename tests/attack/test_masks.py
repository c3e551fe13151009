"""
Masked and read-only paths hold against whoever is inside: as an ordinary root, as root of a user
namespace of its own (where mounting is free), with the rights of an administrator of the network, as
another user, in exec.
"""

import pytest

import confinement
from bundle import DEFAULT_CAPABILITIES

pytestmark = pytest.mark.once

MASKED = (*confinement.MASKED, "/masked", "/folder")
READONLY = (*confinement.READONLY, "/readonly", "/proc/sysrq-trigger", "/proc/irq")


@pytest.fixture
def masked(armed):
    armed.write("masked", "secret\n")
    armed.write("folder/secret", "secret\n")
    armed.write("readonly/file", "content\n")
    armed.linux["maskedPaths"] += ["/masked", "/folder"]
    armed.linux["readonlyPaths"] += ["/readonly"]
    return armed


def attack(command):
    words = ["/bin/breakout", "masks"]
    for path in MASKED:
        words += ["-m", path]
    for path in READONLY:
        words += ["-r", path]
    result = command(*words).ok()
    lines = result.stdout.splitlines()
    assert int(lines[-1].split()[1]) > 300, result
    return lines[:-1]


def by_run(bundle):
    def run(*words):
        bundle.args(*words)
        return bundle.run()
    return run


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize("more", [[], ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SYS_CHROOT",
                                       "CAP_MKNOD", "CAP_NET_ADMIN", "CAP_SYS_PTRACE"]])
def test_of_a_container(masked, uid, more):
    masked.capabilities([*DEFAULT_CAPABILITIES, *more])
    masked.process["user"] = {"uid": uid, "gid": uid}
    assert attack(by_run(masked)) == []


def test_of_a_container_without_no_new_privileges(masked):
    masked.process["noNewPrivileges"] = False
    assert attack(by_run(masked)) == []


def test_of_a_container_in_a_user_namespace(masked):
    masked.user_namespace()
    assert attack(by_run(masked)) == []


def test_of_exec(masked):
    masked.up()
    assert attack(masked.exec) == []


def test_of_a_container_without_a_pivot(masked):
    def run(*words):
        masked.args(*words)
        return masked.run("--no-pivot")
    assert attack(run) == []


def test_they_are_what_holds(masked):
    """With the right to mount, and nothing masked, the same attack has much to tell."""
    masked.capabilities()
    masked.linux["maskedPaths"] = masked.linux["readonlyPaths"] = []
    assert {line.split()[1] for line in attack(by_run(masked))} >= {"as", "afterwards:"}
