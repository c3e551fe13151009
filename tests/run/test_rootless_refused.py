"""
Machines that forbid an ordinary user's containers: what was tried, why it failed and what mends it
are in the error. Each is made as a mount namespace or a user namespace of the command alone; what
only a whole machine can forbid is for tests/vm/jobs/rootless.
"""

import os
import re
import shutil

import pytest

import rootless
from program import Program
from rootless import NOBODY, grant, in_user_namespace, map_range, on_machine


@pytest.fixture
def mine(bundle):
    return rootless.give(bundle)


@pytest.fixture
def ranged(mine):
    """One that needs newuidmap."""
    if not shutil.which("newuidmap"):
        pytest.skip("no newuidmap")
    map_range(mine)
    return mine


def refused(bundle, how, text):
    """The hint of a run that fails with this text."""
    return bundle.run(**how).fails(re.compile(text)).hint


# ---- the program's own copy ----

@pytest.fixture
def memory(mine):
    """How a command is run where files in memory are not executable, as vm.memfd_noexec has it."""
    if not os.path.exists("/proc/sys/vm/memfd_noexec"):
        pytest.skip("this kernel has no vm.memfd_noexec")

    def how(number):
        become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        script = f'echo {number} > /proc/sys/vm/memfd_noexec; exec {" ".join(become)} "$@"'
        return {"wrapper": ("unshare", "--pid", "--fork", "--mount-proc", "sh", "-ec", script, "sh")}

    return how


def test_files_in_memory_must_be_asked_to_be_executable(mine, memory):
    mine.shell("echo here")
    assert mine.run(**memory(1)).ok().stdout == "here\n"


def test_files_in_memory_are_never_executable(mine, memory):
    hint = refused(mine, memory(2), "make a file in memory for the program itself: permission denied$")
    assert hint == "vm.memfd_noexec may be 1, but not 2"


# ---- newuidmap ----

def test_no_line_for_the_user(ranged):
    how = on_machine(grant(ranged, "other:100000:65536\n"))
    hint = refused(ranged, how, r"newuidmap failed: uid range \[\d+-\d+\) -> .* not allowed")
    assert hint == ("no line of /etc/subuid is for tester: as root, "
                    "usermod --add-subuids 165536-231071 tester")


def test_no_line_for_the_group(ranged):
    how = on_machine(grant(ranged, "tester:100000:65536\n", ""))
    hint = refused(ranged, how, "newgidmap failed: ")
    assert hint == ("no line of /etc/subgid is for tester: as root, "
                    "usermod --add-subgids 100000-165535 tester")


@pytest.mark.parametrize("line, first", [
    ("tester:100000:65535", 165535), ("tester:100001:65536", 100000), ("tester:5:1", 100000)])
def test_line_is_too_small(ranged, line, first):
    start, count = map(int, line.split(":")[1:])
    hint = refused(ranged, on_machine(grant(ranged, line + "\n")), "newuidmap failed: ")
    assert hint == (f"/etc/subuid grants tester {start}-{start + count - 1}, and the mapping wants "
                    f"{first}: map what is granted, or add to it with usermod --add-subuids "
                    "FIRST-LAST tester")


def test_user_without_a_name(ranged):
    uid = 54321  # the number of nobody has a name everywhere
    for directory in (ranged.path, ranged.root):
        os.chown(directory, uid, uid)
    how = on_machine(grant(ranged, f"{uid}:100000:65536\n", passwd="root:x:0:0::/:/bin/sh\n"), uid)
    hint = refused(ranged, how, "newuidmap failed: Cannot determine your user name")
    assert hint == f"uid {uid} has no line in /etc/passwd, and newuidmap asks for its name"


def test_no_newuidmap(ranged):
    how = on_machine(grant(ranged, "tester:100000:65536\n"))
    how["wrapper"] += ("env", "PATH=/nonexistent")
    hint = refused(ranged, how, "run newuidmap: no such file")
    assert hint == "install the package uidmap, or map one id only: the caller's own"


def stripped(bundle):
    """A script that puts newuidmap where it has no privilege, and that place."""
    folder = bundle.path / "bin"
    folder.mkdir()
    for name in ("newuidmap", "newgidmap"):
        shutil.copy(shutil.which(name), folder)
        (folder / name).chmod(0o755)
    return folder


def test_newuidmap_is_not_setuid(ranged):
    folder = stripped(ranged)
    how = on_machine(grant(ranged, "tester:100000:65536\n"))
    hint = refused(ranged, how | {"env": {"PATH": str(folder) + ":/usr/bin:/bin"}}, "newuidmap failed")
    assert hint == (f"{folder}/newuidmap is neither setuid root nor has it file capabilities: "
                    f"reinstall the package uidmap, or as root, chmod u+s {folder}/newuidmap")


def test_newuidmap_on_a_nosuid_mount(ranged):
    folder = stripped(ranged)
    (folder / "newuidmap").chmod(0o4755)
    script = f"mount --bind {folder} {folder}; mount -o remount,bind,nosuid {folder}\n"
    how = on_machine(script + grant(ranged, "tester:100000:65536\n"))
    hint = refused(ranged, how | {"env": {"PATH": str(folder) + ":/usr/bin:/bin"}}, "newuidmap failed")
    assert hint == (f"{folder}/newuidmap is on a mount with the option nosuid, so it has no "
                    "privilege")


def test_caller_that_gains_no_privileges(ranged):
    how = on_machine(grant(ranged, "tester:100000:65536\n"))
    how["wrapper"] += ("setpriv", "--no-new-privs")
    hint = refused(ranged, how, "newuidmap failed")
    assert hint == "no_new_privs is set for the caller (prctl(2)), so newuidmap has no privilege"


# ---- namespaces ----

def inside(bundle):
    """Maps the one id there is in a user namespace."""
    for kind in ("uidMappings", "gidMappings"):
        bundle.linux[kind][0]["hostID"] = 0


@pytest.mark.parametrize("kind", ["user", "uts"])
def test_no_namespaces_of_a_kind(mine, kind):
    inside(mine)
    how = in_user_namespace(f"echo 0 >/proc/sys/user/max_{kind}_namespaces", "--mount")
    hint = refused(mine, how, "clone a process: no space left on device$")
    assert hint == (f"user.max_{kind}_namespaces is 0 here: as root, "
                    f"sysctl user.max_{kind}_namespaces=15000")


def test_ids_that_the_user_namespace_lacks(mine):
    how = in_user_namespace("", "--mount")
    hint = refused(mine, how, "map ids of the user namespace: (?s:.)*: operation not permitted$")
    assert hint == ("ids can be mapped that the caller's own user namespace has: see "
                    "/proc/self/uid_map")


def test_namespaces_without_privilege(bundle):
    bundle.program = Program(bundle.program.path, ["--cgroup-manager=disabled"])
    how = {"wrapper": ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")}
    hint = refused(bundle, how, "operation not permitted$")
    assert hint == "it takes CAP_SYS_ADMIN, or a user namespace of the container's own"


@pytest.mark.parametrize("kind, namespace", [("sysfs", "network"), ("mqueue", "ipc")])
def test_file_systems_of_namespaces_that_are_not_ours(mine, kind, namespace):
    mine.host_namespace(namespace)
    mine.config["mounts"] = [m for m in mine.config["mounts"] if m["type"] != kind]
    (mine.rootfs / "mnt").mkdir(exist_ok=True)
    mine.mount("/mnt", kind, kind)
    hint = refused(mine, mine.as_user, f'error mounting "{kind}" to rootfs at "/mnt".*not permitted')
    assert hint.startswith(f"a new {kind} takes a") and namespace in hint


def test_procfs_of_a_covered_one(mine):
    how = on_machine("mount -t tmpfs tmpfs /proc/sys")
    hint = refused(mine, how, 'error mounting "proc" to rootfs at "/proc".*not permitted')
    assert "outside a /proc of which no part is covered" in hint


# ---- control groups ----

READ_ONLY = ("for m in $(findmnt -rno TARGET | grep ^/sys/fs/cgroup); "
             "do mount -o remount,bind,ro $m; done")


@pytest.mark.by_path
@pytest.mark.parametrize("user", ["root", "user"])
def test_read_only_control_groups(bundle, user):
    how = {"wrapper": ("unshare", "--mount", "sh", "-ec", f'{READ_ONLY}\nexec "$@"', "sh")}
    if user == "user":
        rootless.give(bundle)
        how = on_machine(READ_ONLY)
    bundle.linux["cgroupsPath"] = f"/{bundle.id}"
    hint = refused(bundle, how, "read-only file system$")
    assert hint == ("the cgroup file system is mounted read-only here: mount it with rw, or ask "
                    "for no limits and no cgroupsPath")
