"""
A container that does not want to end: a thousand tasks that ignore SIGTERM, tasks that fork as fast
as they are killed, cgroups within cgroups, a container that has frozen itself. delete -f ends it.
"""

import pytest

import host
from program import wait_until

CROWD = """
trap '' TERM
i=0; while [ $i -lt {count} ]; do sleep 1000 & i=$((i+1)); done
echo ready; wait
"""
BOMB = "f() { f & f & wait; }; trap '' TERM; echo ready; f 2>/dev/null; while :; do f 2>/dev/null; done"
NEST = """
cd {place} || exit 1
i=0
while [ $i -lt 100 ]; do
	d=n$i; for j in 1 2 3 4 5 6 7 8 9; do d=$d/d; done
	mkdir -p $d; i=$((i+1))
	sleep 1000 &
	echo $! >$d/cgroup.procs
done
echo ready; wait
"""


def start(bundle, script):
    bundle.shell(script)
    result = bundle.run_detached().ok()
    wait_until(lambda: "ready" in result.stdout, "the program", 20)
    return result


def end(bundle):
    bundle.delete("--force").ok()
    assert bundle.guard.check() == []


@pytest.fixture(params=["own pids", "pids of the host"])
def swarm(bundle, request):
    if request.param != "own pids":
        bundle.host_namespace("pid")
    return bundle


@pytest.mark.parametrize("count", [100, 1000])
def test_crowd(swarm, count):
    start(swarm, CROWD.format(count=count))
    end(swarm)


def test_bomb(swarm):
    if not host.hierarchy("pids"):
        pytest.skip("no pids controller: nothing would stop it")
    swarm.linux["resources"]["pids"] = {"limit": 200}
    start(swarm, BOMB)
    end(swarm)


def test_frozen_crowd(swarm):
    start(swarm, CROWD.format(count=100))
    swarm.freeze()
    end(swarm)


def own_cgroup(bundle):
    """Makes the container's cgroups writable from inside; where they are there."""
    bundle.config["mounts"][-1]["options"].remove("ro")
    if host.is_cgroup_v2():
        return "/sys/fs/cgroup"
    return "/sys/fs/cgroup/freezer"


def test_container_that_froze_itself(swarm):
    name, value = ("cgroup.freeze", "1") if host.is_cgroup_v2() else ("freezer.state", "FROZEN")
    place = own_cgroup(swarm)
    start(swarm, f"sleep 1000 & echo ready; sleep 0.1; echo {value} >{place}/{name}; sleep 1000")
    wait_until(lambda: swarm.status() == "paused", "the container to freeze")
    end(swarm)


def test_cgroups_in_cgroups(swarm):
    place = own_cgroup(swarm)
    start(swarm, NEST.format(place=place))
    assert len(host.hierarchy("freezer").find(swarm.id)) > 1000
    end(swarm)
