"""Pods and their containers, as kubelet asks containerd for them; the handler is the runtime's."""

import os
from pathlib import Path

import pytest
from command import cgroup_of, limit, wait_until
from cri import CriContainerd, Pods

grpc = pytest.importorskip("grpc", reason="python3-grpcio is not installed")

RUNNING, EXITED = 1, 2
POD, CONTAINER, NODE = 0, 1, 2


@pytest.fixture(scope="session")
def cri(workshop, network, runtimes):
    with CriContainerd(workshop / "k", network, runtimes) as daemon:
        yield daemon


@pytest.fixture
def pods(cri, image, runtime):
    engine = Pods(cri, image, runtime)
    yield engine
    engine.finish()


@pytest.mark.quick
def test_life(pods):
    """One pod, one container: started, entered, changed, stopped."""
    pod = pods.pod(hostname="here")
    script = "trap 'exit 5' TERM; echo said; while :; do sleep 0.1; done"
    box = pods.container(pod, "sh", "-c", script, resources={"memory_limit_in_bytes": 64 << 20})
    assert pods.status(box).state == RUNNING
    assert pods.exec(box, "sh", "-c", "hostname; echo bad >&2; exit 3") == (3, "here\n", "bad\n")
    log = pods.daemon.where / "logs"
    wait_until(lambda: "stdout F said" in next(log.glob("*.log")).read_text(), "its log")
    pid = pods.pid(box)
    assert limit(pid, "memory.max") == str(64 << 20)
    resources = {"memory_limit_in_bytes": 48 << 20, "cpu_quota": 20000, "cpu_period": 100000}
    pods.daemon.call("UpdateContainerResources", container_id=box, linux=resources)
    assert limit(pid, "memory.max") == str(48 << 20)
    assert limit(pid, "cpu.max") == "20000 100000"
    stats = pods.daemon.call("ContainerStats", container_id=box).stats
    assert 0 < stats.memory.working_set_bytes.value < 48 << 20
    pods.daemon.call("StopContainer", container_id=box, timeout=10)
    assert (pods.status(box).state, pods.status(box).exit_code) == (EXITED, 5)


def test_by_systemd(pods):
    pod = pods.pod(systemd=True)
    box = pods.container(pod, resources={"memory_limit_in_bytes": 64 << 20, "cpu_shares": 2048})
    pid = pods.pid(box)
    assert cgroup_of(pid) == Path(f"/sys/fs/cgroup/engines.slice/cri-containerd-{box}.scope")
    assert limit(pid, "memory.max") == str(64 << 20)
    resources = {"memory_limit_in_bytes": 96 << 20}
    pods.daemon.call("UpdateContainerResources", container_id=box, linux=resources)
    assert limit(pid, "memory.max") == str(96 << 20)
    assert pods.exec(box, "true")[0] == 0


def test_a_pod_is_shared(pods):
    """Containers of a pod have its network and IPC, and a process namespace each."""
    pod = pods.pod()
    first, second = pods.container(pod), pods.container(pod)
    spaces = {kind: [os.readlink(f"/proc/{pods.pid(box)}/ns/{kind}") for box in (first, second)]
              for kind in ("net", "ipc", "pid", "mnt")}  # fmt: skip
    same = {kind for kind, (one, other) in spaces.items() if one == other}
    assert same == {"net", "ipc"}


def test_processes_are_shared(pods):
    namespaces = {"pid": POD}
    pod = pods.pod(namespaces=namespaces)
    box = pods.container(pod, "sleep", "7777", security={"namespace_options": namespaces})
    assert "sleep 7777" in pods.exec(box, "ps", "-o", "args")[1]
    assert pods.exec(box, "cat", "/proc/1/cmdline")[1] == "sleep\x001000\x00"


def test_network_of_the_node(pods):
    namespaces = {"network": NODE, "pid": CONTAINER}
    pod = pods.pod(namespaces=namespaces, hostname="")
    box = pods.container(pod, security={"namespace_options": namespaces})
    inode = os.stat(f"/run/netns/{pods.daemon.network}").st_ino
    assert pods.exec(box, "readlink", "/proc/self/ns/net")[1] == f"net:[{inode}]\n"


def test_user_namespace(pods):
    maps = [{"host_id": 200000, "container_id": 0, "length": 65536}]
    namespaces = {"pid": CONTAINER, "userns_options": {"mode": 0, "uids": maps, "gids": maps}}
    pod = pods.pod(namespaces=namespaces)
    box = pods.container(pod, security={"namespace_options": namespaces})
    status, said, _ = pods.exec(box, "sh", "-c", "cat /proc/self/uid_map; id -u; touch /tmp/x")
    assert (status, said.split()) == (0, ["0", "200000", "65536", "0"])
    assert Path(f"/proc/{pods.pid(box)}").stat().st_uid == 200000


def test_security(pods):
    pod = pods.pod()
    security = {
        "capabilities": {"drop_capabilities": ["ALL"], "add_capabilities": ["CHOWN"]},
        "run_as_user": {"value": 0},
        "no_new_privs": True,
        "readonly_rootfs": True,
        "masked_paths": ["/proc/timer_list"],
        "readonly_paths": ["/proc/sys"],
        "seccomp": {"profile_type": 0},
    }
    box = pods.container(pod, security=security)
    said = pods.exec(box, "cat", "/proc/self/status")[1]
    for line in ("CapEff:\t0000000000000001", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in said
    assert pods.exec(box, "cat", "/proc/timer_list") == (0, "", "")
    for place in ("/x", "/proc/sys/kernel/printk"):
        status, _, errors = pods.exec(box, "sh", "-c", f"echo 1 >{place}")
        assert status == 1 and "Read-only file system" in errors
    free = pods.container(pod, security={"seccomp": {"profile_type": 1}})
    assert "Seccomp:\t0" in pods.exec(free, "cat", "/proc/self/status")[1]


def test_out_of_memory(pods):
    pod = pods.pod()
    resources = {"memory_limit_in_bytes": 16 << 20}
    box = pods.container(pod, "tail", "/dev/zero", resources=resources)
    wait_until(lambda: pods.status(box).state == EXITED, "its end")
    assert (pods.status(box).exit_code, pods.status(box).reason) == (137, "OOMKilled")


def test_a_command_that_is_not_there(pods):
    pod = pods.pod()
    with pytest.raises(grpc.RpcError) as failure:
        pods.container(pod, "nope")
    assert 'exec: "nope": executable file not found in $PATH' in failure.value.details()
    box = pods.container(pod)
    with pytest.raises(grpc.RpcError) as failure:
        pods.exec(box, "nope")
    assert 'exec: "nope": executable file not found in $PATH' in failure.value.details()


def test_a_probe_that_takes_too_long(pods):
    box = pods.container(pods.pod())
    with pytest.raises(grpc.RpcError) as failure:
        pods.exec(box, "sleep", "100", timeout=1)
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert pods.exec(box, "ps", "-o", "args")[1].count("sleep 100\n") == 0
