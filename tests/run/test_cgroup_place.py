"""
Where others have been first: cgroups that are there already, parents that hold processes, and the
cgroup namespace of a container, in which creel runs containers of its own.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import host
import rootfs
from bundle import write_and_read
from program import wait_until

V2 = host.is_cgroup_v2()

needs_v2 = pytest.mark.skipif(not V2, reason="it is so with cgroup v2")


@pytest.fixture
def place(bundle):
    """A cgroup of the test's in every hierarchy: its path, and its directories."""
    made = [h.point / bundle.id for h in host.hierarchies()]
    for path in made:
        path.mkdir()
    bundle.place, bundle.places = f"/{bundle.id}", made
    yield bundle
    bundle.finish()
    for path in made:
        for below in sorted(path.glob("**/"), reverse=True):
            below.rmdir()


def sleeper(*places):
    """A process in these cgroups; kill() it."""
    process = subprocess.Popen(["sleep", "1000"])
    for path in places:
        for name in ("cpuset.cpus", "cpuset.mems"):
            if not V2 and (path / name).exists():
                (path / name).write_text((path.parent / name).read_text())
        (path / "cgroup.procs").write_text(str(process.pid))
    return process


def end(process):
    process.kill()
    process.wait()


def controller():
    """One that cgroup v2 can pass on here, and a limit that needs it."""
    available = (Path(host.CGROUP_ROOT) / "cgroup.controllers").read_text().split()
    for name, limit in (("hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 2 << 20}]}),
                        ("pids", {"pids": {"limit": 20}})):
        if name in available:
            return name, limit
    pytest.skip("cgroup v2 has no controller to pass on here")


# ---- one that is there already ----

@pytest.mark.by_path
@pytest.mark.creel_only("1.1 warns alone")
def test_occupied_one_is_left_as_it_is(place):
    process = sleeper(*place.places)
    place.linux["cgroupsPath"] = place.place
    message = place.run().fails(re.compile(
        "container's cgroup is not empty: 1 process\\(es\\) found$"), pointer="/linux/cgroupsPath")
    assert message.hint.endswith(f"/{place.id}/cgroup.procs")
    for path in place.places:
        assert (path / "cgroup.procs").read_text() == f"{process.pid}\n"
    end(process)


@pytest.mark.by_path
def test_frozen_one_is_refused(place):
    path = place.cgroup("freezer")
    name, frozen, thawed = (("cgroup.freeze", "1", "0") if V2 else
                            ("freezer.state", "FROZEN", "THAWED"))
    wait_until(lambda: write_and_read(path / name, frozen) == frozen, frozen)
    place.linux["cgroupsPath"] = place.place
    place.run().fails(re.compile("container's cgroup unexpectedly frozen$"),
                      pointer="/linux/cgroupsPath")
    assert (path / name).read_text().strip() == frozen
    (path / name).write_text(thawed)


@pytest.mark.by_path
@pytest.mark.parametrize("given", ["{}/in", "{}//in/", "/{}/./in"])
def test_forms_of_a_path(place, given):
    place.linux["cgroupsPath"] = "/" + given.format(place.id)
    place.up()
    for path in place.places:
        assert (path / "in/cgroup.procs").read_text() == f"{place.pid()}\n"
    place.delete("--force").ok()
    assert all(path.exists() and not (path / "in").exists() for path in place.places)


@pytest.mark.by_path
def test_empty_path_is_the_default(bundle):
    bundle.linux["cgroupsPath"] = ""
    bundle.up()
    assert bundle.cgroup("freezer").name == bundle.id


# ---- version 2: who has processes passes nothing on ----

@pytest.mark.by_path
@needs_v2
def test_parent_with_processes(place):
    name, limit = controller()
    process = sleeper(*place.places)
    place.linux["cgroupsPath"] = f"{place.place}/below"
    place.linux["resources"] |= limit
    parent = place.places[0]
    message = place.run().fails(
        part=f'enable cgroup controller "{name}" in {parent}/cgroup.subtree_control: device or '
             "resource busy")
    assert message.hint.startswith(f"{parent} holds processes")
    assert not (parent / "below").exists()
    end(process)


@pytest.mark.by_path
@needs_v2
def test_parent_with_processes_and_no_limits(place):
    process = sleeper(*place.places)
    place.linux["cgroupsPath"] = f"{place.place}/below"
    assert place.output("echo ran") == "ran"
    end(process)


@pytest.mark.by_path
@needs_v2
def test_parent_that_is_threaded(place):
    name, limit = controller()
    if name == "pids":
        pytest.skip("pids is a controller of threads")
    domain = place.places[0]
    (domain / "threads").mkdir()
    (domain / "threads/cgroup.type").write_text("threaded")
    place.linux["cgroupsPath"] = f"{place.place}/threads/below"
    place.linux["resources"] |= limit
    place.run().fails(re.compile(
        'cannot enter cgroupv2 "[^"]*" with domain controllers -- it is in ((domain )?threaded mode|'
        'an invalid state)'))


# ---- whose it is ----

@needs_v2
def test_all_that_the_kernel_delegates_is_given_away(bundle):
    bundle.user_namespace()
    bundle.config["mounts"][-1]["options"][-1] = "rw"
    bundle.up()
    where = bundle.cgroup("freezer")
    given = set(Path("/sys/kernel/cgroup/delegate").read_text().split())
    assert (where.stat().st_uid, where.stat().st_gid) == (100000, 0)
    for path in where.iterdir():
        assert path.stat().st_uid == (100000 if path.name in given else 0), path.name


# ---- creel in a container ----

INNER = """
set -e
mkdir -p /inner/state
cd /inner
creel --root /inner/state run -d inner </dev/null >/dev/null 2>&1 || {
	creel --root /inner/state run inner-again 2>&1; exit 1; }
creel --root /inner/state state inner | grep '"status"'
creel --root /inner/state exec inner cat /proc/self/cgroup
creel --root /inner/state pause inner
creel --root /inner/state state inner | grep '"status"'
creel --root /inner/state resume inner
creel --root /inner/state ps inner | wc -l
creel --root /inner/state delete --force inner
creel --root /inner/state list -q
find /sys/fs/cgroup -type d -name inner
echo end
"""


def put_program(program, root):
    """Copies it into a root filesystem, with the libraries of a build that has any."""
    shutil.copy(program, root / "bin/creel")
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(", told):
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])


@pytest.fixture
def outer(bundle, shared_rootfs):
    """A container that may do all that creel needs, and has it with a bundle in /inner."""
    inner = bundle.rootfs / "inner"
    rootfs.build(inner / "rootfs", *shared_rootfs)
    config = json.loads(json.dumps(bundle.config))
    config["process"]["args"] = ["sleep", "1000"]
    (inner / "config.json").write_text(json.dumps(config))
    put_program(bundle.program.path, bundle.rootfs)
    bundle.namespace("cgroup")
    bundle.capabilities([f"CAP_{name}" for name in (
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_ADMIN", "NET_RAW",
        "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE")])
    bundle.linux["resources"]["devices"] = [{"allow": True, "access": "rwm"}]
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    bundle.process["noNewPrivileges"] = False
    for entry in bundle.config["mounts"]:
        if entry["destination"] == "/sys/fs/cgroup":
            entry["options"].remove("ro")
    return bundle


def judge_inner(bundle):
    lines = bundle.output(INNER, env={"PATH": os.environ["PATH"]}).splitlines()
    assert lines[0].split('"')[3] == "running"
    paused = [line.split('"')[3] for line in lines if '"status"' in line]
    assert paused == ["running", "paused"]
    assert lines[-2:] == ["2", "end"], lines
    return lines[1:-2]


@pytest.mark.creel_only("it is about creel in creel")
def test_creel_in_a_container(outer):
    cgroups = judge_inner(outer)
    assert any(line.endswith("/inner") or line.endswith(":/") for line in cgroups), cgroups


@pytest.mark.creel_only("it is about creel in creel")
@needs_v2
def test_creel_in_a_container_with_a_user_namespace(outer):
    outer.user_namespace()
    judge_inner(outer)
