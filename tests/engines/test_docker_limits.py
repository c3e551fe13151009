"""Docker: limits, read back from the files of the container's cgroup, and what happens at them."""

import json

import pytest
from command import limit, wait_until

MIB = 1 << 20


@pytest.mark.quick
def test_limits_and_update(docker):
    options = ["--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m"]
    options += ["--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "50"]
    box = docker.start(options=options)
    pid = docker.pid()
    wanted = {
        "memory.max": str(64 * MIB),
        "memory.swap.max": str(32 * MIB),
        "memory.low": str(32 * MIB),
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0",
        "pids.max": "50",
    }
    assert {name: limit(pid, name) for name in wanted} == wanted
    weight = int(limit(pid, "cpu.weight"))  # there is more than one way to make it from shares
    docker("update", "--memory", "48m", "--memory-swap", "64m", "--memory-reservation", "24m", box)
    docker("update", "--cpus", "0.25", "--cpu-shares", "2048", "--pids-limit", "60", box)
    wanted = {
        "memory.max": str(48 * MIB),
        "memory.swap.max": str(16 * MIB),
        "memory.low": str(24 * MIB),
        "cpu.max": "25000 100000",
        "cpuset.cpus": "0",
        "pids.max": "60",
    }
    assert {name: limit(pid, name) for name in wanted} == wanted
    assert int(limit(pid, "cpu.weight")) > weight


def test_no_limits(docker):
    docker.start()
    pid = docker.pid()
    wanted = {"memory.max": "max", "cpu.max": "max 100000", "memory.swap.max": "max"}
    assert {name: limit(pid, name) for name in wanted} == wanted


def test_statistics(docker):
    box = docker.start("sh", "-c", "dd if=/dev/zero of=/dev/shm/data bs=1M count=8; sleep 1000",
                       options=["--memory", "64m"])  # fmt: skip
    wait_until(lambda: "8+0 records out" in docker("logs", box).err, "the data is written")
    said = json.loads(docker("stats", "--no-stream", "--format", "json", box).out)
    used, whole = said["MemUsage"].split(" / ")
    assert whole == "64MiB" and float(used.removesuffix("MiB")) > 8
    assert said["PIDs"] == "1"


def test_out_of_memory(docker):
    docker.start("tail", "/dev/zero", options=["--memory", "16m", "--memory-swap", "16m"])
    docker("wait", docker.name())
    state = docker.inspect()["State"]
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)


def test_too_many_processes(docker):
    script = "for i in 1 2 3 4 5 6; do sleep 5 & done; wait"
    done = docker.run("sh", "-c", script, options=["--pids-limit", "4"], status=None)
    assert "can't fork" in done.err, done


def test_limits_of_processes(docker):
    options = ["--ulimit", "nofile=100:200", "--ulimit", "core=0", "--oom-score-adj", "300"]
    script = "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj"
    assert docker.run("sh", "-c", script, options=options).out.split() == ["100", "200", "0", "300"]
