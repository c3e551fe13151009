"""Flags that the host's mounts have, in a user namespace: kept, and an error when taken back."""

import subprocess

import pytest

from mounting import host_mount, mountinfo

pytestmark = pytest.mark.creel_only("1.1 replaces all flags")

NAMES = {"ro": "MS_RDONLY", "nosuid": "MS_NOSUID", "nodev": "MS_NODEV", "noexec": "MS_NOEXEC"}
CLEAR = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec"}


@pytest.fixture(params=["opened outside", "cloned inside"])
def locked(bundle, request):
    """
    A bundle in a user namespace: that of the container, or that of the runtime itself, where the
    kernel has locked the mounts. Gives what run takes.
    """
    if request.param == "opened outside":
        bundle.user_namespace()
        return {}
    bundle.host_namespace("network")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"]
                               if m["type"] not in ("cgroup", "sysfs", "devpts")]
    bundle.config["mounts"] += [{"destination": "/pad", "type": "tmpfs"}] * 3
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    del bundle.linux["resources"]
    return {"wrapper": ["unshare", "--user", "--map-root-user", "--mount"]}


@pytest.mark.parametrize("flag", NAMES)
def test_kept_when_nothing_is_said(bundle, volume, locked, flag):
    with host_mount(volume, "-o", flag):
        bundle.bind(volume, "/mnt")
        assert flag in mountinfo(bundle, **locked)["/mnt"].options


@pytest.mark.parametrize("flag", NAMES)
def test_kept_when_others_are_added(bundle, volume, locked, flag):
    more = [name for name in NAMES if name != flag]
    with host_mount(volume, "-o", flag):
        bundle.bind(volume, "/mnt", "rbind", *more)
        assert set(NAMES) <= set(mountinfo(bundle, **locked)["/mnt"].options)


@pytest.mark.parametrize("flag", NAMES)
def test_an_error_when_taken_back(bundle, volume, locked, flag):
    with host_mount(volume, "-o", flag):
        bundle.bind(volume, "/mnt", "rbind", CLEAR[flag])
        message = bundle.run(**locked).fails(
            part=f"cannot clear locked flags {NAMES[flag]} of {volume}: operation not permitted",
            pointer="/mounts/7")
    assert f"mounted {flag}," in message.hint and message.place


def test_several_are_named(bundle, volume, locked):
    with host_mount(volume, "-o", "ro,nodev,noexec"):
        bundle.bind(volume, "/mnt", "rbind", "rw", "suid", "exec", "nosymfollow")
        message = bundle.run(**locked).fails(part="cannot clear locked flags MS_RDONLY|MS_NOEXEC")
    assert "mounted ro, noexec, which" in message.hint


def test_taking_back_what_is_not_there_is_fine(bundle, volume, locked):
    with host_mount(volume, "-o", "nosuid"):
        bundle.bind(volume, "/mnt", "rbind", "rw", "dev", "exec")
        seen = mountinfo(bundle, **locked)["/mnt"].options
    assert "rw" in seen and "nosuid" in seen


def test_a_file_system_that_is_read_only_as_a_whole(bundle, volume, locked):
    with host_mount(volume, "-o", "ro"):
        subprocess.run(["mount", "-o", "remount,bind,rw", volume], check=True)
        bundle.bind(volume, "/mnt", "rbind", "rw")
        seen = mountinfo(bundle, **locked)["/mnt"]
    assert "rw" in seen.options and "ro" in seen.super_options


def test_without_a_user_namespace_they_are_taken_back(bundle, volume):
    with host_mount(volume, "-o", "ro,nosuid,nodev,noexec"):
        bundle.bind(volume, "/mnt", "rbind", "rw", "exec")
        seen = mountinfo(bundle)["/mnt"].options
    assert {"rw", "nosuid", "nodev"} <= set(seen) and "noexec" not in seen


def test_the_access_time_is_locked_as_well(bundle, volume, locked):
    if not locked:
        pytest.skip("what the runtime opens has no locks of the kernel")
    with host_mount(volume, "-o", "noatime"):
        bundle.bind(volume, "/mnt", "rbind", "strictatime")
        message = bundle.run(**locked).fails(part="operation not permitted", pointer="/mounts/7")
    assert "access time" in message.hint
