"""
The working directory as a way out (CVE-2024-21626): by descriptors that a careless caller has left
open, in every spelling, given in config.json, to exec, and by links of the image.
"""

import os

import pytest

import confinement

FORMS = ["/proc/self/fd/{}", "/proc/self/fd/{}/", "/proc/self/fd/{}/..", "/proc/self/fd/{}/../../..",
         "/proc/thread-self/fd/{}", "/proc/1/fd/{}", "/proc/self/task/1/fd/{}", "/dev/fd/{}",
         "/dev/fd/{}/../../../..", "//proc//self//fd//{}", "/proc/self/../self/fd/{}",
         "/proc/self/fdinfo/../fd/{}", "/link-{}", "/link-{}/..", "/bin/../proc/self/fd/{}"]  # fmt: skip
PLAIN = ["/proc/self/cwd", "/proc/self/root", "/proc/1/root/..", "/proc/1/cwd", "/proc/self/root/proc",
         "/../../../..", "/proc/self/exe/..", "/proc/self/map_files"]  # fmt: skip
NUMBERS = range(3, 15)

pytestmark = pytest.mark.once


@pytest.fixture
def careless(armed):
    """Directories of the host that are open, one of them of its control groups."""
    paths = ["/", "/sys/fs/cgroup", armed.path, "/etc", "/proc"] * 2
    files = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in paths]
    for number in NUMBERS:
        (armed.rootfs / f"link-{number}").symlink_to(f"/proc/self/fd/{number}")
    armed.args("/bin/inside", *confinement.questions())
    yield files
    for fd in files:
        os.close(fd)


def paths(form):
    return [form.format(number) for number in NUMBERS] if "{}" in form else [form]


def judge(result):
    """Whether the program ran; then it must be inside."""
    if result.rc == 0:
        assert confinement.is_confined(result.stdout), result
        return True
    assert result.rc in (1, 255) and "level=error" in result.stderr, result
    return False


@pytest.mark.parametrize("form", [*FORMS, *PLAIN])
def test_of_a_container(armed, careless, form):
    for path in paths(form):
        armed.process["cwd"] = path
        judge(armed.run(pass_fds=careless))


@pytest.mark.parametrize("form", [*FORMS, *PLAIN])
def test_of_exec(armed, careless, form):
    armed.up()
    for path in paths(form):
        judge(armed.exec("/bin/inside", *confinement.questions(), options=["--cwd", path],
                         pass_fds=careless))


def test_of_a_container_that_is_started_later(armed, careless):
    armed.process["cwd"] = "/proc/self/fd/7"
    result = armed.create(pass_fds=careless)
    assert result.rc == 1 and "too many levels of symbolic links" in result.stderr


def test_program_by_a_descriptor(armed, careless):
    """/proc/self/fd/N/bin/sh would be the host's. Its path there leads nowhere in the container."""
    for number in NUMBERS:
        armed.args(f"/proc/self/fd/{number}{armed.rootfs}/bin/busybox", "true")
        armed.run(pass_fds=careless).fails(part="exec: ")
