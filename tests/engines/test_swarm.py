"""Swarm: a service on two nodes, which are daemons with a network of their own each."""

import contextlib
import json
import shutil

import archive
import pytest
from command import limit, nothing_left, own_network, run, wait_until
from docker import Dockerd

MANAGER, WORKER = "10.99.0.1", "10.99.0.2"


@contextlib.contextmanager
def cable():
    """Two network namespaces with a cable between them."""
    with own_network() as one, own_network() as other:
        run("ip", "-n", one, "link", "add", "end0", "type", "veth", "peer", "end0", "netns", other)
        for name, address in ((one, MANAGER), (other, WORKER)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "end0")
            run("ip", "-n", name, "link", "set", "end0", "up")
        yield one, other


@pytest.fixture
def nodes(workshop, containerd, runtimes, image, runtime):
    """A manager and a worker that joined it."""
    with contextlib.ExitStack() as stack:
        daemons = []
        for number, network in enumerate(stack.enter_context(cable())):
            where = workshop / f"s{number}"
            stack.callback(shutil.rmtree, where)
            options = f"--default-runtime={runtime.name}", "--shutdown-timeout=5"
            node = Dockerd(where, network, containerd, runtimes, *options)
            daemons.append(stack.enter_context(node))
            node.docker("load", "--input", image)
        manager, worker = daemons
        manager.docker("swarm", "init", "--advertise-addr", MANAGER)
        token = manager.docker("swarm", "join-token", "--quiet", "worker").out.strip()
        join = "--token", token, "--advertise-addr", WORKER, f"{MANAGER}:2377"
        worker.docker("swarm", "join", *join)
        yield daemons
        for node in reversed(daemons):
            node.docker("swarm", "leave", "--force")
            nothing_left(lambda node=node: containers(node))
            nothing_left(node.leftovers)


def containers(node):
    """What runs on a node."""
    listed = json.loads(node.api("GET", "/containers/json"))
    return [json.loads(node.api("GET", f"/containers/{one['Id']}/json")) for one in listed]


def test_service(nodes, runtime):
    manager, _ = nodes
    script = "trap 'exit 0' TERM; echo here; while :; do sleep 0.1; done"
    options = ["--detach", "--no-resolve-image", "--replicas", "4", "--replicas-max-per-node", "2"]
    options += ["--limit-memory", "32m", "--restart-delay", "0s", "--name", "work"]
    manager.docker("service", "create", *options, archive.NAME, "sh", "-c", script)

    def counts():
        return [len(containers(node)) for node in nodes]

    wait_until(lambda: counts() == [2, 2], "two on each node", 120)
    everything = [one for node in nodes for one in containers(node)]
    for one in everything:
        assert one["HostConfig"]["Runtime"] == runtime.name
        assert limit(one["State"]["Pid"], "memory.max") == str(32 << 20)
    wait_until(lambda: manager.docker("service", "logs", "work").out.count("here") == 4, "logs", 60)

    victim = containers(nodes[1])[0]["Id"]
    nodes[1].docker("kill", victim)
    before = {one["Id"] for one in everything} - {victim}

    def replaced():
        now = {one["Id"] for node in nodes for one in containers(node)}
        return len(now) == 4 and before < now and victim not in now

    wait_until(replaced, "another one for what was killed", 120)
    manager.docker("service", "scale", "--detach", "work=2")
    wait_until(lambda: sum(counts()) == 2, "two are left", 120)
    manager.docker("service", "rm", "work")
    wait_until(lambda: counts() == [0, 0], "none is left", 120)
