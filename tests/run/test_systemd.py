"""
Cgroups that systemd makes: the unit, what it is told, and who may have it. Needs a machine that
systemd runs; CREEL_SYSTEMD=1 runs all other tests with such cgroups too.
"""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import host
import leaks
import rootless
from program import PATH, Program, wait_until

V2 = host.is_cgroup_v2()

pytestmark = pytest.mark.skipif(not host.runs_systemd(), reason="systemd does not run this machine")

needs_v2 = pytest.mark.skipif(not V2, reason="it is so with cgroup v2")


@pytest.fixture
def box(bundle):
    """A Bundle whose cgroups systemd makes."""
    bundle.program = Program(bundle.program.path, ["--systemd-cgroup"])
    return bundle


def systemctl(*words):
    return subprocess.run(["systemctl", *words], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.strip()


def show(unit, *names):
    """Properties of a unit as systemctl shows them; of a single one the value."""
    lines = systemctl("show", unit, *(f"--property={name}" for name in names)).splitlines()
    shown = dict(line.split("=", 1) for line in lines)
    return shown[names[0]] if len(names) == 1 else shown


def scope(box):
    return f"runc-{box.id}.scope"


def cgroup_of(pid):
    """The path of a process in systemd's own hierarchy."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        if names == "name=systemd" or (V2 and number == "0"):
            return path
    return None


# ---- the unit ----

def test_a_scope_around_init(box):
    box.up()
    assert cgroup_of(box.pid()) == f"/system.slice/{scope(box)}"
    assert show(scope(box), "ActiveState", "Slice", "Delegate", "Description") == {
        "ActiveState": "active", "Slice": "system.slice", "Delegate": "yes",
        "Description": f"libcontainer container {box.id}"}


def test_nothing_of_it_is_left(box):
    box.up()
    box.delete("--force").ok()
    assert leaks.units(box.id) == []


def test_run_in_the_foreground(box):
    box.shell("exit 7")
    assert box.run().rc == 7
    assert leaks.units(box.id) == []


def test_cgroups_path_names_slice_and_unit(box):
    parent = f"creel-{box.id.replace('-', '')}.slice"
    box.linux["cgroupsPath"] = f"{parent}:libpod:{box.id}"
    box.up()
    assert cgroup_of(box.pid()) == f"/creel.slice/{parent}/libpod-{box.id}.scope"
    box.delete("--force").ok()
    systemctl("stop", parent)


@needs_v2
def test_root_slice(box):
    box.linux["cgroupsPath"] = f"-.slice:x:{box.id}"
    box.up()
    assert cgroup_of(box.pid()) == f"/x-{box.id}.scope"


@needs_v2
def test_the_unit_may_be_a_slice(box):
    name = f"creel{box.id.replace('-', '')}.slice"
    box.linux["cgroupsPath"] = f":x:{name}"
    box.up()
    assert cgroup_of(box.pid()) == f"/{name}"
    box.delete("--force").ok()
    assert show(name, "ActiveState") == "inactive"


@pytest.mark.parametrize("path, text", [
    ("/a/path", 'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, '
                'got "/a/path" instead'),
    ("foo:a:b", "invalid slice name: foo")])
def test_other_paths_are_refused(box, path, text):
    box.linux["cgroupsPath"] = path
    box.run().fails(part=text, pointer="/linux/cgroupsPath")


def test_manager_by_name(bundle):
    bundle.program = Program(bundle.program.path, ["--cgroup-manager=systemd"])
    bundle.up()
    assert cgroup_of(bundle.pid()) == f"/system.slice/{scope(bundle)}"


# ---- what it is told ----

@needs_v2
def test_limits_are_properties_and_files(box):
    box.linux["resources"] |= {
        "memory": {"limit": 64 << 20, "reservation": 32 << 20},
        "cpu": {"shares": 512, "quota": 25500, "period": 50000, "cpus": "0", "mems": "0"},
        "pids": {"limit": 20}, "unified": {"memory.high": str(48 << 20)}}
    box.up()
    assert show(scope(box), "MemoryMax", "MemoryLow", "MemoryHigh", "CPUWeight", "TasksMax",
                "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "AllowedCPUs", "AllowedMemoryNodes",
                ) == {
        "MemoryMax": str(64 << 20), "MemoryLow": str(32 << 20), "MemoryHigh": str(48 << 20),
        "CPUWeight": "59", "TasksMax": "20", "CPUQuotaPerSecUSec": "510ms",
        "CPUQuotaPeriodUSec": "50ms", "AllowedCPUs": "0", "AllowedMemoryNodes": "0"}
    where = Path(f"/sys/fs/cgroup/system.slice/{scope(box)}")
    assert (where / "memory.max").read_text() == f"{64 << 20}\n"
    assert (where / "cpu.max").read_text() == "25500 50000\n"


@needs_v2
def test_limits_stay_when_systemd_looks_again(box):
    box.linux["resources"]["memory"] = {"limit": 64 << 20}
    box.up()
    systemctl("daemon-reload")
    where = Path(f"/sys/fs/cgroup/system.slice/{scope(box)}")
    assert (where / "memory.max").read_text() == f"{64 << 20}\n"
    assert box.exec("head", "-c", "1", "/dev/zero").ok().stdout == "\0"


def test_only_one_process(box):
    box.linux["resources"]["pids"] = {"limit": 1}
    box.up()
    assert box.status() == "running"


def test_devices(box):
    box.linux["resources"]["devices"] += [
        {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]
    box.up()
    assert show(scope(box), "DevicePolicy") == "strict"
    told = systemctl("show", scope(box), "--property=DeviceAllow", "--value").splitlines()
    assert "/dev/char/10:229 rw" in told and "char-* m" in told


def test_annotations_are_properties(box):
    box.config["annotations"] = {
        "org.systemd.property.TimeoutStopSec": "uint64 3",
        "org.systemd.property.KillSignal": "int32 9",
        "org.systemd.property.CollectMode": "'inactive-or-failed'"}
    box.up()
    assert show(scope(box), "TimeoutStopUSec", "KillSignal", "CollectMode") == {
        "TimeoutStopUSec": "3s", "KillSignal": "9", "CollectMode": "inactive-or-failed"}


@pytest.mark.parametrize("name, value, text", [
    ("KillSignal", "nine", "value parse error"), ("Kill.Signal", "int32 9", "name incorrect")])
def test_bad_annotations(box, name, value, text):
    box.config["annotations"] = {f"org.systemd.property.{name}": value}
    box.run().fails(part=text, pointer=f"/annotations/org.systemd.property.{name}")


def test_property_that_systemd_does_not_know(box):
    box.config["annotations"] = {"org.systemd.property.Colour": "'blue'"}
    box.run().fails(part=f'unable to start unit "{scope(box)}": Cannot set property Colour')


@needs_v2
def test_subgroup(box):
    box.config["annotations"] = {"run.oci.systemd.subgroup": "container"}
    box.linux["resources"]["memory"] = {"limit": 64 << 20}
    box.up()
    where = f"/system.slice/{scope(box)}/container"
    assert cgroup_of(box.pid()) == where
    assert Path(f"/sys/fs/cgroup{where}/memory.max").read_text() == f"{64 << 20}\n"
    assert box.exec("cat", "/proc/self/cgroup").ok().stdout == "0::/\n"


def test_explain_shows_it(box):
    box.save()
    told = box.creel("explain", "-b", box.path, box.id).ok().stdout
    assert f"let systemd make {scope(box)}" in told
    assert leaks.units(box.id) == []


# ---- later commands ----

@needs_v2
def test_update_is_told_and_written(box):
    box.linux["resources"] |= {"memory": {"limit": 64 << 20}, "cpu": {"quota": 25000}}
    box.up()
    box.creel("update", "--memory", str(32 << 20), "--cpu-quota", "25500", box.id).ok()
    where = Path(f"/sys/fs/cgroup/system.slice/{scope(box)}")
    for _ in range(2):
        assert (where / "memory.max").read_text() == f"{32 << 20}\n"
        assert show(scope(box), "MemoryMax", "CPUQuotaPerSecUSec") == {
            "MemoryMax": str(32 << 20), "CPUQuotaPerSecUSec": "260ms"}
        systemctl("daemon-reload")
    assert (where / "cpu.max").read_text().startswith("2")


@needs_v2
def test_update_changes_all_or_nothing(box):
    box.linux["resources"]["pids"] = {"limit": 20}
    box.up()
    change = json.dumps({"pids": {"limit": 30}, "cpu": {"cpus": "4000"}})
    box.creel("update", "--resources", "-", box.id, stdin=change).fails()
    assert (Path(f"/sys/fs/cgroup/system.slice/{scope(box)}") / "pids.max").read_text() == "20\n"
    assert show(scope(box), "TasksMax") == "20"


def test_later_commands_know_it_from_the_state(box):
    box.sleep()
    box.create().ok()
    box.program = Program(box.program.path)
    box.start().ok()
    pid_file = box.path / "pid"
    box.exec("sleep", "1000", options=["-d", "--pid-file", pid_file]).ok()
    assert cgroup_of(pid_file.read_text()) == cgroup_of(box.pid())
    box.delete("--force").ok()
    assert leaks.units(box.id) == []


def test_unit_that_ended_by_itself(box):
    box.args("true")
    box.run_detached().ok()
    box.wait_stopped()
    wait_until(lambda: leaks.units(box.id) == [], "systemd to see it")
    box.delete().ok()


def test_occupied_unit_is_refused_and_left_alone(box):
    box.up()
    box.linux["cgroupsPath"] = f":runc:{box.id}"
    second = box.id + "-b"
    box.run(id=second).fails(part=f'unable to start unit "{scope(box)}"')
    assert not (box.root / second).exists()
    assert box.status() == "running"


def test_unit_of_another_survives_a_killed_create(box):
    box.up()
    box.linux["cgroupsPath"] = f":runc:{box.id}"
    box.save()
    second = box.id + "-b"
    if not shutil.which("strace"):
        pytest.skip("no strace")
    killed = 0
    for nth in range(1, 20):
        inject = ("strace", "-qq", "-o", "/dev/null", "-e",
                  f"inject=recvfrom:signal=SIGKILL:when={nth}")
        box.creel("create", "-b", box.path, second, wrapper=inject)
        if not (box.root / second).exists():
            break  # it came to its own end
        killed += 1
        box.delete("--force", id=second).ok()
        assert box.status() == "running"
        assert show(scope(box), "ActiveState") == "active"
    assert killed > 3


def test_failed_unit_of_that_name_is_cleared_away(box):
    command = ["systemd-run", "--scope", "--quiet", f"--unit={scope(box)}",
               "--property=RuntimeMaxSec=1", "sleep", "30"]
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    wait_until(lambda: show(scope(box), "ActiveState") == "failed", "the unit to fail")
    box.up()
    assert show(scope(box), "ActiveState") == "active"


def test_init_killed_by_others(box):
    box.up()
    os.kill(box.pid(), signal.SIGKILL)
    box.wait_stopped()
    box.delete().ok()
    assert leaks.units(box.id) == []


# ---- a user's own ----

@pytest.fixture
def mine(bundle):
    """A rootless bundle of a user who has a systemd, and how commands are run as that user."""
    user = host.user_with_systemd()
    if user is None:
        pytest.skip("no user's systemd runs")
    if not V2:
        pytest.skip("users have cgroups in version 2 alone")
    rootless.give(bundle, user)
    bundle.program = Program(bundle.program.path, ["--systemd-cgroup"])
    bundle.as_user["env"] = {"PATH": PATH, "XDG_RUNTIME_DIR": f"/run/user/{user}"}
    bundle.slice = f"/user.slice/user-{user}.slice/user@{user}.service/user.slice"
    yield bundle
    bundle.creel("delete", "--force", bundle.id, **bundle.as_user).ok()


def test_scope_of_a_user(mine):
    mine.sleep()
    mine.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}}
    mine.run("--detach", **mine.as_user).ok()
    state = json.loads(mine.creel("state", mine.id, **mine.as_user).ok().stdout)
    assert cgroup_of(state["pid"]) == f"{mine.slice}/{scope(mine)}"
    limit = Path(f"/sys/fs/cgroup{mine.slice}/{scope(mine)}/memory.max")
    assert limit.read_text() == f"{64 << 20}\n"
    assert mine.creel("exec", mine.id, "cat", "/proc/self/cgroup",
                      **mine.as_user).ok().stdout == "0::/\n"
    mine.creel("delete", "--force", mine.id, **mine.as_user).ok()
    assert not limit.exists()


def test_later_commands_need_no_environment(mine):
    mine.sleep()
    mine.create(**mine.as_user).ok()
    mine.alive.discard(mine.id)
    bare = mine.as_user | {"env": {"PATH": PATH}}
    mine.creel("start", mine.id, **bare).ok()
    pid_file = mine.root / "pid"
    mine.creel("exec", "-d", "--pid-file", pid_file, mine.id, "sleep", "1000", **bare).ok()
    assert cgroup_of(pid_file.read_text()) == f"{mine.slice}/{scope(mine)}"
    mine.creel("delete", "--force", mine.id, **bare).ok()


def test_a_user_without_a_bus(mine):
    mine.args("true")
    bare = mine.as_user | {"env": {"PATH": PATH}}
    result = mine.run(**bare)
    assert result.rc == 1 and "DBUS_SESSION_BUS_ADDRESS" in result.stderr
