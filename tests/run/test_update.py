"""
update: limits of a container that is there, read back from the files of its cgroup.
"""

import json
import os
from pathlib import Path

import pytest

import stepper
from program import wait_until
from test_cgroup import V2, file, needs, resources

MIB = 1 << 20
NO_LIMIT = "max" if V2 else "9223372036854771712"

memory = needs("memory")
cpu = needs("cpu")
pids = needs("pids")


def update(bundle, *options, **how):
    return bundle.creel("update", *options, bundle.id, **how)


def update_json(bundle, change):
    return update(bundle, "--resources", "-", stdin=json.dumps(change))


def memory_limit(bundle):
    return file(bundle, "memory", "memory.limit_in_bytes", "memory.max")


def memory_and_swap(bundle):
    """The limit of both together, None where the kernel does not count swap."""
    directory = bundle.cgroup("memory")
    if not V2:
        path = directory / "memory.memsw.limit_in_bytes"
        return path.read_text().strip() if path.exists() else None
    path = directory / "memory.swap.max"
    if not path.exists():
        return None
    swap = path.read_text().strip()
    return swap if swap == "max" else str(int(swap) + int(memory_limit(bundle)))


def needs_swap(bundle):
    if memory_and_swap(bundle) is None:
        pytest.skip("this kernel does not count swap")


def quota_and_period(bundle):
    if V2:
        return file(bundle, "cpu", "", "cpu.max").split()
    quota = file(bundle, "cpu", "cpu.cfs_quota_us", "")
    return ["max" if quota == "-1" else quota, file(bundle, "cpu", "cpu.cfs_period_us", "")]


def pids_max(bundle):
    return file(bundle, "pids", "pids.max", "pids.max")


# ---- one after the other ----

@memory
@pytest.mark.parametrize("words, bytes", [("64M", 64 * MIB), ("1.5g", 1536 * MIB),
                                          ("16777216", 16 * MIB), ("20 MiB", 20 * MIB)])
def test_memory(bundle, words, bytes):
    bundle.up()
    update(bundle, "--memory", words).ok()
    assert memory_limit(bundle) == str(bytes)


@memory
def test_memory_without_limit(bundle):
    resources(bundle, memory={"limit": 64 * MIB, "swap": 128 * MIB})
    bundle.up()
    update(bundle, "--memory", "-1").ok()
    assert memory_limit(bundle) == NO_LIMIT
    assert memory_and_swap(bundle) in (NO_LIMIT, None)


@memory
def test_reservation(bundle):
    bundle.up()
    update(bundle, "--memory-reservation", "32m").ok()
    assert file(bundle, "memory", "memory.soft_limit_in_bytes", "memory.low") == str(32 * MIB)


@memory
@pytest.mark.parametrize("memory, swap", [(256, 512), (16, 32), (96, 96), (16, 16), (128, 128)])
def test_memory_and_swap_move_together(bundle, memory, swap):
    """Up, down, and so that one of the two orders of writing is wrong."""
    resources(bundle, memory={"limit": 64 * MIB, "swap": 128 * MIB})
    bundle.up()
    needs_swap(bundle)
    update(bundle, "--memory", f"{memory}m", "--memory-swap", f"{swap}m").ok()
    assert memory_limit(bundle) == str(memory * MIB)
    assert memory_and_swap(bundle) == str(swap * MIB)


@memory
def test_swap_alone(bundle):
    resources(bundle, memory={"limit": 64 * MIB, "swap": 128 * MIB})
    bundle.up()
    needs_swap(bundle)
    update(bundle, "--memory-swap", "80m").ok()
    assert [memory_limit(bundle), memory_and_swap(bundle)] == [str(64 * MIB), str(80 * MIB)]
    update(bundle, "--memory-swap", "-1").ok()
    assert [memory_limit(bundle), memory_and_swap(bundle)] == [str(64 * MIB), NO_LIMIT]


@memory
def test_memory_alone_leaves_both_together_as_they_are(bundle):
    resources(bundle, memory={"limit": 64 * MIB, "swap": 128 * MIB})
    bundle.up()
    needs_swap(bundle)
    update(bundle, "--memory", "96m").ok()
    assert [memory_limit(bundle), memory_and_swap(bundle)] == [str(96 * MIB), str(128 * MIB)]
    message = update(bundle, "--memory", "256m").fails()
    assert str(128 * MIB) in message.hint
    assert [memory_limit(bundle), memory_and_swap(bundle)] == [str(96 * MIB), str(128 * MIB)]


@cpu
def test_quota_and_period_are_independent(bundle):
    resources(bundle, cpu={"quota": 500000, "period": 1000000})
    bundle.up()
    update(bundle, "--cpu-period", "900000").ok()
    assert quota_and_period(bundle) == ["500000", "900000"]
    update(bundle, "--cpu-quota", "600000").ok()
    assert quota_and_period(bundle) == ["600000", "900000"]
    update(bundle, "--cpu-quota", "-1").ok()
    assert quota_and_period(bundle) == ["max", "900000"]
    update(bundle, "--cpu-quota", "20000", "--cpu-period", "10000").ok()
    assert quota_and_period(bundle) == ["20000", "10000"]


@cpu
def test_burst(bundle):
    resources(bundle, cpu={"quota": 50000, "period": 100000})
    bundle.up()
    update(bundle, "--cpu-burst", "40000").ok()
    update(bundle, "--cpu-quota", "30000", "--cpu-burst", "30000").ok()  # below the old burst
    assert file(bundle, "cpu", "cpu.cfs_burst_us", "cpu.max.burst") == "30000"
    update(bundle, "--cpu-quota", "10000").fails()
    assert quota_and_period(bundle) == ["30000", "100000"]
    update(bundle, "--cpu-burst", "0").ok()
    assert file(bundle, "cpu", "cpu.cfs_burst_us", "cpu.max.burst") == "0"


@cpu
def test_shares_and_idle(bundle):
    bundle.up()
    update(bundle, "--cpu-share", "200").ok()
    assert file(bundle, "cpu", "cpu.shares", "cpu.weight") == ("29" if V2 else "200")
    update(bundle, "--cpu-idle", "1").ok()
    assert file(bundle, "cpu", "cpu.idle", "cpu.idle") == "1"
    update(bundle, "--cpu-period", "50000").ok()  # shares are not written again: idle would go
    assert file(bundle, "cpu", "cpu.idle", "cpu.idle") == "1"
    update(bundle, "--cpu-idle", "0", "--cpu-share", "512").ok()
    assert file(bundle, "cpu", "cpu.idle", "cpu.idle") == "0"
    assert file(bundle, "cpu", "cpu.shares", "cpu.weight") == ("59" if V2 else "512")
    update(bundle, "--cpu-idle", "2").fails(part="invalid argument")


@needs("cpuset")
def test_cpuset(bundle):
    bundle.up()
    update(bundle, "--cpuset-cpus", "0", "--cpuset-mems", "0").ok()
    assert file(bundle, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    allowed = Path(f"/proc/{bundle.pid()}/status").read_text()
    assert "\nCpus_allowed_list:\t0\n" in allowed


@pids
@pytest.mark.parametrize("words, seen", [("10", "10"), ("-1", "max")])
def test_pids(bundle, words, seen):
    resources(bundle, pids={"limit": 20})
    bundle.up()
    update(bundle, "--pids-limit", words).ok()
    assert pids_max(bundle) == seen


def disk():
    """A block device of this machine that has no partition of it in front."""
    for entry in sorted(Path("/sys/block").iterdir()):
        if (entry / "device").exists() or entry.name.startswith("loop"):
            major, minor = (entry / "dev").read_text().strip().split(":")
            return {"major": int(major), "minor": int(minor)}
    pytest.skip("no block device")


def throttle(bundle):
    return file(bundle, "io" if V2 else "blkio", "blkio.throttle.read_bps_device", "io.max")


@needs("io" if V2 else "blkio")
def test_block_devices_are_added_and_changed(bundle):
    device = disk()
    name = f"{device['major']}:{device['minor']}"
    bundle.up()
    update_json(bundle, {"blockIO": {"throttleReadBpsDevice": [device | {"rate": MIB}]}}).ok()
    assert str(MIB) in throttle(bundle) and name in throttle(bundle)
    update_json(bundle, {"blockIO": {"throttleReadBpsDevice": [device | {"rate": 2 * MIB}]}}).ok()
    assert str(2 * MIB) in throttle(bundle)
    assert len(throttle(bundle).splitlines()) == 1
    update_json(bundle, {"blockIO": {"throttleReadBpsDevice": [device | {"rate": 0}]}}).ok()
    assert str(2 * MIB) not in throttle(bundle)


@needs("hugetlb")
def test_huge_pages(bundle):
    bundle.up()
    update_json(bundle, {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}).ok()
    assert file(bundle, "hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max") == str(4 * MIB)


@pytest.mark.skipif(not V2, reason="unified is of cgroup v2")
def test_unified(bundle):
    bundle.up()
    update_json(bundle, {"unified": {"cgroup.max.depth": "7"}}).ok()
    assert file(bundle, "freezer", "", "cgroup.max.depth") == "7"


# ---- from a file ----

@memory
@pids
def test_resources_from_stdin_and_from_a_file(bundle):
    bundle.up()
    change = {"memory": {"limit": 64 * MIB}, "pids": {"limit": 9}, "unknown": {"x": []}}
    update_json(bundle, change).ok()
    assert [memory_limit(bundle), pids_max(bundle)] == [str(64 * MIB), "9"]
    path = bundle.path / "change.json"
    path.write_text(json.dumps({"memory": {"limit": 48 * MIB}}))
    update(bundle, "-r", path, "--pids-limit", "77").ok()  # options are ignored then
    assert [memory_limit(bundle), pids_max(bundle)] == [str(48 * MIB), "9"]


def test_devices_are_left_alone(bundle):
    bundle.up()
    change = {"devices": [{"allow": True, "access": "rwm"}]}
    update_json(bundle, change).ok()
    read = bundle.exec("sh", "-c", "mknod /tmp/d b 7 0; cat /tmp/d")
    assert "not permitted" in read.stderr


def test_nothing_to_change(bundle):
    bundle.up()
    update(bundle).ok()
    update_json(bundle, {}).ok()


@pytest.mark.parametrize("text, part, place", [
    ('{"memory":\n {"limit": "64M"}}', "memory.limit", (2, 12)),
    ('{"pids": {"limit": 1.5}}', "pids.limit", (1, 20)),
    ("[", None, (1, 1)),
    ("", None, (1, 1)),
])
def test_wrong_file(bundle, text, part, place):
    bundle.up()
    message = update(bundle, "-r", "-", stdin=text).fails(part=part)
    assert message.whole.startswith(f"stdin:{place[0]}:{place[1]}: ")


def test_missing_file(bundle):
    bundle.up()
    update(bundle, "-r", "/nonexistent").fails("open /nonexistent: no such file or directory")


@needs("cpuset")
def test_place_of_a_refused_value_is_told(bundle):
    bundle.up()
    path = bundle.path / "change.json"
    path.write_text('{"cpu": {"shares": 2,\n  "cpus": "4095"}}')
    message = update(bundle, "-r", path).fails(pointer="/linux/resources/cpu/cpus")
    assert message.whole.startswith(f"{path}:2:11: failed to write \"4095\": ")
    assert update(bundle, "--cpuset-cpus", "4095").fails().pointer is None


# ---- all or nothing ----

@memory
@pids
@needs("cpuset")
def test_failed_update_restores_the_old_values(bundle):
    resources(bundle, memory={"limit": 64 * MIB, "swap": 128 * MIB}, pids={"limit": 20},
              cpu={"quota": 50000, "period": 100000, "shares": 512})
    bundle.up()
    before = snapshot(bundle)
    update_json(bundle, {
        "memory": {"limit": 256 * MIB, "swap": 512 * MIB, "reservation": 32 * MIB},
        "cpu": {"quota": 70000, "period": 200000, "shares": 2048, "cpus": "4095"},
        "pids": {"limit": 40},
    }).fails(part="4095")
    assert snapshot(bundle) == before
    message = update_json(bundle, {"pids": {"limit": 40}, "blockIO": {"throttleReadBpsDevice": [
        disk() | {"rate": MIB}, {"major": 4095, "minor": 1, "rate": MIB}]}}).fails()
    assert snapshot(bundle) == before
    assert message.hint is None  # it would tell what could not be put back


def snapshot(bundle):
    """Every limit of the container."""
    found = {}
    for controller in ("memory", "cpu", "cpuset", "pids", "blkio", "io"):
        directory = bundle.cgroup(controller)
        for path in sorted(directory.iterdir()) if directory else ():
            if path.is_file() and path.name.endswith((
                    "limit_in_bytes", "max", "low", "high", "shares", "weight", "_us", "cpus",
                    "mems", "idle", "burst", "device")):
                found[f"{directory}/{path.name}"] = path.read_text()
    assert len(found) > 3 or V2
    return found


@memory
def test_limit_below_use(bundle):
    bundle.args("sh", "-c", "head -c 20m /dev/zero | tail -c 20m | sleep 1000")
    resources(bundle, memory={"checkBeforeUpdate": True})
    bundle.run_detached().ok()
    directory = bundle.cgroup("memory")
    current = directory / ("memory.current" if V2 else "memory.usage_in_bytes")
    wait_until(lambda: int(current.read_text()) > 20 * MIB, "memory to be used",
               timeout=15)
    before = memory_limit(bundle)
    text = "rejecting memory limit" if V2 else "unable to set memory limit to 1048576 (current"
    update(bundle, "--memory", "1m").fails(part=text)
    assert memory_limit(bundle) == before
    assert bundle.status() == "running"


@needs("cpuset")
def test_wrong_word(bundle):
    bundle.up()
    update(bundle, "--memory", "x").fails("invalid value for memory: invalid size: 'x'")
    if not V2:
        update(bundle, "--cpu-share", "1").fails("the minimum allowed cpu-shares is 2")
        update_json(bundle, {"unified": {"memory.max": "1"}}).fails(
            part="invalid configuration: cannot use unified on cgroup v1")


def test_kernel_memory_is_told_to_be_ignored(bundle):
    bundle.up()
    for result in (update(bundle, "--kernel-memory", "1m"),
                   update(bundle, "--kernel-memory-tcp", "1m"),
                   update_json(bundle, {"memory": {"kernel": MIB}})):
        assert result.ok().messages("warning") == [
            "Kernel memory settings are ignored and will be removed"]


def test_rdt_is_not_there(bundle):
    bundle.up()
    update(bundle, "--l3-cache-schema", "L3:0=f").fails(
        "Intel RDT/CAT: l3 cache schema is not enabled")
    update(bundle, "--mem-bw-schema", "MB:0=70").fails(
        "Intel RDT/MBA: memory bandwidth schema is not enabled")


# ---- in every state ----

@pids
def test_created_and_started(bundle):
    bundle.sleep()
    bundle.create().ok()
    update(bundle, "--pids-limit", "11").ok()
    assert bundle.status() == "created"
    bundle.start().ok()
    assert pids_max(bundle) == "11"
    state = bundle.state()
    update(bundle, "--pids-limit", "12").ok()
    assert bundle.state() == state
    assert bundle.exec("echo", "works").ok().stdout == "works\n"


@pids
def test_paused(bundle):
    bundle.up()
    bundle.freeze()
    update(bundle, "--pids-limit", "11").ok()
    assert pids_max(bundle) == "11" and bundle.status() == "paused"
    bundle.freeze(False)


def test_stopped(bundle):
    bundle.up()
    bundle.stop()
    update(bundle, "--pids-limit", "11").fails("container not running")
    bundle.creel("update", "nobody").fails("container does not exist")


@pids
def test_foreground_run_can_be_updated(bundle):
    bundle.sleep()
    running = bundle.spawn_run()
    update(bundle, "--pids-limit", "11").ok()
    assert pids_max(bundle) == "11"
    bundle.delete("--force").ok()
    running.wait()


# ---- killed ----

@memory
@pids
@pytest.mark.creel_only("the order of writes is its own")
def test_killed_at_each_system_call(bundle):
    """What is in force is old or new, and the next update sets all of it right."""
    resources(bundle, memory={"limit": 64 * MIB}, pids={"limit": 20})
    bundle.up()
    words = ("update", "--memory", "96m", "--pids-limit", "30", bundle.id)
    step = stepper.of(bundle)
    bundle.creel(*words, wrapper=step.at()).ok()
    for call in step.calls():
        update(bundle, "--memory", "64m", "--pids-limit", "20").ok()
        bundle.creel(*words, wrapper=step.at(call.point, "kill"))
        assert memory_limit(bundle) in (str(64 * MIB), str(96 * MIB))
        assert pids_max(bundle) in ("20", "30")
        assert bundle.status() == "running"
    bundle.creel(*words).ok()
    assert [memory_limit(bundle), pids_max(bundle)] == [str(96 * MIB), "30"]
    assert os.listdir(bundle.root) == [bundle.id]
    assert bundle.exec("true").ok()
