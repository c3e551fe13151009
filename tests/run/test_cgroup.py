"""
cgroupsPath and linux.resources: where the container is put, and what the kernel's files say then.
"""

import os
import re
from pathlib import Path

import pytest

import host
from program import Program, wait_until

V2 = host.is_cgroup_v2()


def needs(controller):
    """A mark that skips a test where the layout lacks a controller."""
    return pytest.mark.skipif(host.hierarchy(controller) is None,
                              reason=f"this cgroup layout has no controller {controller}")


def file(bundle, controller, v1, v2):
    """The content of one file of the running container's cgroup."""
    return (bundle.cgroup(controller) / (v2 if V2 else v1)).read_text().strip()


def resources(bundle, **fields):
    bundle.linux["resources"] |= fields


# ---- where ----

def test_it_is_in_a_cgroup_of_its_own_in_every_hierarchy(bundle):
    bundle.up()
    lines = Path(f"/proc/{bundle.pid()}/cgroup").read_text().splitlines()
    for line in [line for line in lines if line.startswith("0:")] if V2 else lines:
        assert line.endswith((f"/{bundle.id}", f"/runc-{bundle.id}.scope")), line


def test_process_is_listed_there(bundle):
    bundle.up()
    assert (bundle.cgroup("freezer") / "cgroup.procs").read_text() == f"{bundle.pid()}\n"


def test_children_stay_in_it(bundle):
    bundle.shell("sleep 1000 & sleep 1000 & wait")
    bundle.run_detached().ok()
    procs = bundle.cgroup("freezer") / "cgroup.procs"
    wait_until(lambda: len(procs.read_text().split()) == 3, "the children")


@pytest.mark.by_path
def test_absolute_path(bundle):
    bundle.linux["cgroupsPath"] = f"/creel-{bundle.id}/deep/{bundle.id}"
    bundle.up()
    paths = [h.point / f"creel-{bundle.id}/deep/{bundle.id}" for h in host.hierarchies()]
    for path in paths:
        assert (path / "cgroup.procs").read_text() == f"{bundle.pid()}\n"
    bundle.delete("--force").ok()
    for path in paths:
        assert not path.exists()
        os.rmdir(path.parent)
        os.rmdir(path.parent.parent)


@pytest.mark.by_path
def test_relative_path_is_below_the_callers_own(bundle):
    bundle.linux["cgroupsPath"] = f"{bundle.id}-relative"
    bundle.up()
    h = host.hierarchy("memory") or host.hierarchy("freezer")
    own = h.own()
    if V2 and own != h.point:
        own = own.parent
    assert (own / f"{bundle.id}-relative/cgroup.procs").read_text().split() == [str(bundle.pid())]


@pytest.mark.by_path
@pytest.mark.creel_only("1.1 cleans the path")
def test_dots_in_the_path_are_refused(bundle):
    bundle.linux["cgroupsPath"] = f"/a/../../../{bundle.id}"
    bundle.run().fails(part="it may not contain", pointer="/linux/cgroupsPath")


@pytest.mark.by_path
def test_path_like_systemds_is_just_a_name(bundle):
    bundle.linux["cgroupsPath"] = f"a.slice:b:{bundle.id}"
    bundle.up()
    assert bundle.cgroup("freezer").name == f"a.slice:b:{bundle.id}"


@pytest.mark.by_path
@pytest.mark.creel_only("1.1 warns alone")
def test_occupied_cgroup_is_refused(bundle):
    bundle.up()
    bundle.linux["cgroupsPath"] = "/" + str(
        bundle.cgroup("freezer").relative_to(host.hierarchy("freezer").point))
    bundle.run(id=bundle.id + "-b").fails(part="container's cgroup is not empty")
    assert bundle.status() == "running"


@pytest.mark.by_path
def test_empty_cgroup_left_by_others_is_used(bundle):
    made = [h.point / bundle.id for h in host.hierarchies()]
    for path in made:
        path.mkdir()
    bundle.linux["cgroupsPath"] = f"/{bundle.id}"
    assert bundle.output("echo ran") == "ran"
    assert not any(path.exists() for path in made)


def test_delete_removes_cgroups_made_inside(bundle):
    bundle.up()
    for h in host.hierarchies():
        for path in h.find(bundle.id):
            (path / "sub/deeper").mkdir(parents=True)
    bundle.delete("--force").ok()
    assert not any(h.find(bundle.id) for h in host.hierarchies())


def test_exec_joins_it_too(bundle):
    bundle.up()
    own = Path(f"/proc/{bundle.pid()}/cgroup").read_text()
    pid_file = bundle.path / "pid"
    bundle.exec("sleep", "1000", options=["-d", "--pid-file", pid_file]).ok()
    assert Path(f"/proc/{pid_file.read_text()}/cgroup").read_text() == own


def test_cgroup_namespace_begins_at_the_container(bundle):
    bundle.namespace("cgroup")
    lines = bundle.output("cat /proc/self/cgroup").splitlines()
    assert {line.split(":", 2)[2] for line in lines} == {"/"}


@pytest.mark.creel_only("it has no such option")
def test_disabled_manager_makes_none(bundle):
    bundle.program = Program(bundle.program.path, ["--cgroup-manager=disabled"])
    bundle.up()
    own = Path("/proc/self/cgroup").read_text()
    assert Path(f"/proc/{bundle.pid()}/cgroup").read_text() == own
    assert bundle.exec("mkdir", "/sys/fs/cgroup/sub").rc != 0


@pytest.mark.creel_only("it has no such option")
def test_disabled_manager_has_no_limits(bundle):
    bundle.program = Program(bundle.program.path, ["--cgroup-manager=disabled"])
    resources(bundle, pids={"limit": 20})
    bundle.run().fails(part="limits need control groups", pointer="/linux/resources/pids/limit")


# ---- limits ----

MEMORY = 64 << 20


@needs("memory")
def test_memory(bundle):
    resources(bundle, memory={"limit": MEMORY, "reservation": MEMORY // 2})
    bundle.up()
    assert file(bundle, "memory", "memory.limit_in_bytes", "memory.max") == str(MEMORY)
    assert file(bundle, "memory", "memory.soft_limit_in_bytes", "memory.low") == str(MEMORY // 2)


@needs("memory")
def test_memory_without_limit(bundle):
    resources(bundle, memory={"limit": -1})
    bundle.up()
    limit = file(bundle, "memory", "memory.limit_in_bytes", "memory.max")
    assert limit in ("max", "9223372036854771712")


@needs("memory")
def test_memory_limit_is_felt(bundle):
    resources(bundle, memory={"limit": 8 << 20})
    bundle.shell("head -c 50m /dev/zero | tail -c 50m >/dev/null || echo killed; echo alive")
    assert bundle.run().stdout == "killed\nalive\n"


@needs("memory")
@pytest.mark.skipif(V2, reason="swappiness is of cgroup v1")
def test_swappiness(bundle):
    resources(bundle, memory={"swappiness": 17})
    bundle.up()
    assert file(bundle, "memory", "memory.swappiness", "") == "17"


@needs("memory")
def test_memory_limit_below_use(bundle):
    resources(bundle, memory={"limit": 4096})
    bundle.run().fails()


@needs("pids")
@pytest.mark.parametrize("limit, seen", [
    (20, "20"), (-1, "max"),
    pytest.param(0, "1", marks=pytest.mark.creel_only("1.1 leaves it unset")),
])
def test_pids(bundle, limit, seen):
    resources(bundle, pids={"limit": limit})
    bundle.up()
    assert file(bundle, "pids", "pids.max", "pids.max") == seen


@needs("pids")
def test_pids_limit_is_felt(bundle):
    resources(bundle, pids={"limit": 5})
    bundle.shell("for n in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait")
    assert "can't fork" in bundle.run().stderr


@needs("cpu")
@pytest.mark.skipif(V2, reason="shares are of cgroup v1")
def test_cpu_shares(bundle):
    resources(bundle, cpu={"shares": 512})
    bundle.up()
    assert file(bundle, "cpu", "cpu.shares", "") == "512"


@needs("cpu")
@pytest.mark.skipif(not V2, reason="the weight is of cgroup v2")
@pytest.mark.parametrize("shares, weight", [(2, "1"), (1024, "100"), (262144, "10000")])
def test_cpu_weight(bundle, shares, weight):
    resources(bundle, cpu={"shares": shares})
    bundle.up()
    assert file(bundle, "cpu", "", "cpu.weight") == weight


@needs("cpu")
def test_cpu_quota(bundle):
    resources(bundle, cpu={"quota": 25000, "period": 50000})
    bundle.up()
    if V2:
        assert file(bundle, "cpu", "", "cpu.max") == "25000 50000"
    else:
        assert file(bundle, "cpu", "cpu.cfs_quota_us", "") == "25000"
        assert file(bundle, "cpu", "cpu.cfs_period_us", "") == "50000"


@needs("cpuset")
def test_cpuset(bundle):
    resources(bundle, cpu={"cpus": "0", "mems": "0"})
    bundle.up()
    assert file(bundle, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    seen = bundle.exec("grep", "Cpus_allowed_list", "/proc/self/status").ok().stdout
    assert seen.split()[1] == "0"


@needs("hugetlb")
def test_huge_pages(bundle):
    if not Path("/sys/kernel/mm/hugepages/hugepages-2048kB").exists():
        pytest.skip("no huge pages of 2 MB")
    resources(bundle, hugepageLimits=[{"pageSize": "2MB", "limit": 4 << 20}])
    bundle.up()
    assert file(bundle, "hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max") == str(4 << 20)


def disk():
    """(major, minor) of the block device that has the root filesystem."""
    device = os.stat("/").st_dev
    if os.major(device) == 0:
        pytest.skip("the root filesystem has no block device")
    return os.major(device), os.minor(device)


@needs("blkio")
@pytest.mark.skipif(V2, reason="blkio is of cgroup v1")
@pytest.mark.parametrize("field, name", [
    ("throttleReadBpsDevice", "read_bps_device"), ("throttleWriteBpsDevice", "write_bps_device"),
    ("throttleReadIOPSDevice", "read_iops_device"), ("throttleWriteIOPSDevice", "write_iops_device"),
])
def test_block_io_throttle(bundle, field, name):
    major, minor = disk()
    resources(bundle, blockIO={field: [{"major": major, "minor": minor, "rate": 1048576}]})
    bundle.up()
    assert file(bundle, "blkio", f"blkio.throttle.{name}", "") == f"{major}:{minor} 1048576"


@needs("io")
@pytest.mark.parametrize("field, word", [
    ("throttleReadBpsDevice", "rbps"), ("throttleWriteBpsDevice", "wbps"),
    ("throttleReadIOPSDevice", "riops"), ("throttleWriteIOPSDevice", "wiops"),
])
def test_io_max(bundle, field, word):
    major, minor = disk()
    resources(bundle, blockIO={field: [{"major": major, "minor": minor, "rate": 1048576}]})
    bundle.up()
    assert f"{word}=1048576" in file(bundle, "io", "", "io.max")


@needs("memory")
@pytest.mark.skipif(V2, reason="memory.oom_control is of cgroup v1")
def test_disabled_oom_killer(bundle):
    resources(bundle, memory={"disableOOMKiller": True})
    bundle.up()
    assert "oom_kill_disable 1" in file(bundle, "memory", "memory.oom_control", "")


@needs("cpu")
@pytest.mark.skipif(V2, reason="cpu.rt_period_us is of cgroup v1")
def test_realtime_period(bundle):
    if not (host.hierarchy("cpu").point / "cpu.rt_period_us").exists():
        pytest.skip("this kernel has no groups of realtime processes")
    resources(bundle, cpu={"realtimePeriod": 500000, "realtimeRuntime": 1000})
    bundle.up()
    assert file(bundle, "cpu", "cpu.rt_period_us", "") == "500000"
    assert file(bundle, "cpu", "cpu.rt_runtime_us", "") == "1000"


@pytest.mark.skipif(not V2, reason="unified is of cgroup v2")
def test_unified(bundle):
    resources(bundle, unified={"cgroup.max.depth": "7", "cgroup.max.descendants": "9"})
    bundle.up()
    assert file(bundle, "freezer", "", "cgroup.max.depth") == "7"


@pytest.mark.skipif(not V2, reason="unified is of cgroup v2")
@pytest.mark.parametrize("name, text", [
    ("a/b", "must be a file name"), ("cgroup.procs", "it takes processes"), ("nodot", "CONTROLLER.PARAMETER"),
    ("foo.max", "controller .*foo.* not available")])
def test_bad_unified(bundle, name, text):
    resources(bundle, unified={name: "1"})
    bundle.run().fails(re.compile(text))


@pytest.mark.skipif(V2, reason="cgroup v2 has unified")
def test_unified_on_v1(bundle):
    resources(bundle, unified={"memory.max": "1"})
    bundle.run().fails(part="cannot use unified on cgroup v1")


# ---- devices ----

# A number that no driver has: opening the device gives ENXIO.
NOBODYS = {"type": "c", "major": 60, "minor": 7}


def access(bundle, *rules):
    """
    What the device controller lets the program do with NOBODYS under the given rules: "", "r",
    "rw", …
    """
    resources(bundle, devices=[{"allow": False, "access": "rwm"}, *rules])
    bundle.linux["devices"] = [NOBODYS | {"path": "/dev/some", "fileMode": 0o666}]
    bundle.shell("(: </dev/some) 2>&1; (: >>/dev/some) 2>&1; true")
    answers = bundle.run().ok().stdout.splitlines()
    assert all("not permitted" in a or "No such device or address" in a for a in answers), answers
    return "".join(letter for letter, a in zip("rw", answers, strict=True) if "No such device" in a)


@pytest.mark.parametrize("rules, allowed", [
    ([], ""),
    ([NOBODYS | {"allow": True, "access": "rw"}], "rw"),
    ([NOBODYS | {"allow": True, "access": "rwm"}], "rw"),
    ([NOBODYS | {"allow": True, "access": "r"}], "r"),
    ([NOBODYS | {"allow": True, "access": "w"}], "w"),
    ([{"allow": True, "type": "c", "major": 60, "access": "rw"}], "rw"),
    ([{"allow": True, "type": "c", "minor": 7, "access": "rw"}], "rw"),
    ([{"allow": True, "type": "c", "major": 60, "minor": 8, "access": "rw"}], ""),
    ([{"allow": True, "type": "b", "major": 60, "minor": 7, "access": "rw"}], ""),
    ([{"allow": True, "access": "rwm"}], "rw"),
    ([{"allow": True, "access": "rwm"}, NOBODYS | {"allow": False, "access": "w"}], "r"),
    ([NOBODYS | {"allow": True, "access": "rw"}, NOBODYS | {"allow": False, "access": "w"}], "r"),
    ([NOBODYS | {"allow": True, "access": "rw"}, {"allow": False, "access": "rwm"}], ""),
])
def test_device_rules(bundle, rules, allowed):
    assert access(bundle, *rules) == allowed


def test_default_devices_work(bundle):
    out = bundle.output("cd /dev; echo x >null && echo x >zero && echo written; "
                        "for d in null zero full random urandom; "
                        "do head -c 1 $d >null && echo $d; done")
    assert out.split() == ["written", "null", "zero", "full", "random", "urandom"]


def test_nodes_can_be_made_but_not_opened(bundle):
    bundle.capabilities()
    out = bundle.output("mknod /tmp/disk b 8 0 && echo made; head -c 1 /tmp/disk 2>&1; true")
    assert out.startswith("made\n") and "not permitted" in out


def test_no_resources_still_denies_devices(bundle):
    bundle.capabilities()
    del bundle.linux["resources"]
    assert "not permitted" in bundle.output("mknod /tmp/disk b 8 0; head -c 1 /tmp/disk 2>&1; true")


@pytest.mark.parametrize("rule", [
    {"allow": True, "type": "x", "access": "rwm"}, {"allow": True, "type": "c", "access": ""},
    pytest.param({"allow": True, "type": "c", "access": "q"},
                 marks=pytest.mark.creel_only("1.1 takes it"))])
def test_bad_device_rule(bundle, rule):
    resources(bundle, devices=[rule])
    bundle.run().fails()


# ---- whose it is ----

@pytest.mark.skipif(not V2, reason="cgroups are given away in version 2")
@pytest.mark.parametrize("option, owner", [("rw", 100000), ("ro", 0)])
def test_writable_cgroup_belongs_to_the_containers_user(bundle, option, owner):
    bundle.user_namespace()
    bundle.config["mounts"][-1]["options"][-1] = option
    bundle.up()
    where = bundle.cgroup("freezer")
    for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        assert (where / name).stat().st_uid == owner, name
    assert (where / "cgroup.max.depth").stat().st_uid == 0
    made = bundle.exec("mkdir", "/sys/fs/cgroup/sub")
    assert (made.rc == 0) == (option == "rw")
