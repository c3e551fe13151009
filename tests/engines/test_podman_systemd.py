"""Podman and systemd: as the first process in a container, and as the one who starts it."""

import re
import shutil
from pathlib import Path

import archive
import pytest
from command import run, wait_until
from service import Unit, service

# What systemd in the container has to do: reach a target with a few services, and no more.
UNITS = {
    "etc/systemd/system/scenario.target": "[Unit]\nRequires=basic.target hello.service\n"
    "After=basic.target hello.service\n",
    "etc/systemd/system/hello.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
    "ExecStart=/bin/sh -c 'echo hello >/run/hello; cat /proc/self/cgroup >/run/where'\n"
    "PrivateTmp=yes\nMemoryMax=64M\n",
    "etc/fstab": "",
    "etc/machine-id": "",
    "etc/hostname": "inner\n",
}


def idmap(user):
    """How the ids of a mount become those of the user, and of whom the user may speak for."""
    if not user.uid:
        return []
    first = re.search(rf"^{user.name}:(\d+):", Path("/etc/subuid").read_text(), re.M)[1]
    maps = " ".join(f"{kind}:0:{user.uid}:1 {kind}:1:{first}:65535" for kind in "ug")
    return ["-o", f"X-mount.idmap={maps}"]


@pytest.fixture
def machine(workshop, podman):
    """The root of this machine, below changes that vanish; systemd has little to start in it."""
    where = workshop / "machine"
    where.mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "machine", where)
    for name in ("lower", "upper", "work", "root"):
        (where / name).mkdir()
    podman.user.own(where / "upper")
    run("mount", "--bind", *idmap(podman.user), "/", where / "lower")
    options = f"lowerdir={where}/lower,upperdir={where}/upper,workdir={where}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, where / "root")
    for name, text in UNITS.items():
        (where / "root" / name).write_text(text)
        podman.user.own(where / "root" / name)
    for wants in (where / "root/etc/systemd/system").glob("*.wants"):
        shutil.rmtree(wants)
    yield where / "root"
    for name in ("root", "lower"):
        run("umount", "--lazy", where / name)
    run("umount", "--lazy", where)
    where.rmdir()


def is_up(podman):
    answer = podman("exec", "box", "systemctl", "is-system-running", status=None)
    return answer.out.strip() in ("running", "degraded")


def test_systemd_inside(podman, machine):
    """It starts, divides its cgroup, runs services with limits, and ends when it is told."""
    options = ["--network=none", "--name=box", "--systemd=always", "--stop-timeout=60"]
    command = ["/usr/lib/systemd/systemd", "--unit=scenario.target"]
    podman("run", "--detach", *options, "--rootfs", machine, *command)
    wait_until(lambda: is_up(podman), "systemd is up", 240)
    assert podman.sh("cat /proc/1/comm /run/hello") == "systemd\nhello\n"
    assert podman.sh("cat /run/where") == "0::/system.slice/hello.service\n"
    limit = "cat /sys/fs/cgroup/system.slice/hello.service/memory.max || :"
    assert podman.sh(limit) in ("67108864\n", "")
    words = ["systemd-run", "--wait", "--pipe", "--quiet", "-p", "MemoryMax=32M", "sh", "-c"]
    script = "cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max"
    assert podman("exec", "box", *words, script).out == f"{32 << 20}\n"
    assert podman.cgroup().name == "init.scope"
    podman("stop", "box")
    assert podman.state()["ExitCode"] in (0, 130)


def test_unit_that_runs_a_container(podman):
    """systemd follows the monitor of a container in the background, and sees it end."""
    words = ["run", "--rm", "--name=box", "--network=none", "--cgroups=no-conmon", "--detach"]
    words += ["--sdnotify=conmon", "localhost/box", "sleep", "1000"]
    text = service(podman, *words, Type="notify", NotifyAccess="all")
    with Unit(podman.user, "scenario-box.service", text) as unit:
        unit.becomes("active")
        assert unit.show("MainPID") == str(podman.state()["ConmonPid"])
        assert podman.sh("echo hi") == "hi\n"
        podman("stop", "--time=0", "box")
        unit.becomes("inactive", "failed")


def test_container_that_tells_systemd(podman):
    """What is said at the socket in the container arrives outside, and nothing before."""
    script = "until [ -e /tmp/go ]; do sleep 0.1; done; /usr/bin/systemd-notify --ready; sleep 1000"
    given = [f"--volume=/{name}:/{name}:ro" for name in ("usr", "lib", "lib64")]
    words = ["run", "--rm", "--name=box", "--network=none", "--sdnotify=container", *given]
    words += ["--cgroups=split", "localhost/box", "sh", "-c", script]
    text = service(podman, *words, Type="notify", NotifyAccess="all")
    with Unit(podman.user, "scenario-tells.service", text) as unit:
        wait_until(lambda: podman("ps", "--quiet").out, "the container", 60)
        assert unit.show("ActiveState") == "activating"
        wait_until(
            lambda: podman("exec", "box", "touch", "/tmp/go", status=None).status == 0, "it runs"
        )
        unit.becomes("active")
        podman("stop", "--time=0", "box")


QUADLET = """
[Container]
ContainerName=box
Image={image}
Exec=sleep 1000
Network=none
Pull=never
ReadOnly=true
DropCapability=all
GlobalArgs={arguments}
PodmanArgs=--memory=64m
[Service]
Environment=CONTAINERS_CONF={settings}
"""


def test_quadlet(rootful):
    """A container that systemd's generator for Podman makes a service of."""
    program = rootful.command().index("podman")
    text = QUADLET.format(
        image=archive.NAME,
        arguments=" ".join(rootful.command()[program + 1 :]),
        settings=rootful.storage.settings,
    )
    file = "containers/systemd/scenario-quadlet.container"
    with Unit(rootful.user, "scenario-quadlet.service", text, file) as unit:
        unit.becomes("active", "failed")
        assert unit.show("ActiveState") == "active"
        cgroup = rootful.cgroup()
        assert cgroup.name.startswith("libpod-payload-")
        assert cgroup.parent.name == unit.name
        assert (cgroup / "memory.max").read_text() == "67108864\n"
        rootful.sh("touch /x", status=1)


def test_properties_of_the_scope(podman):
    """Annotations of the container say them."""
    says = {"Description": "'of my own'", "TimeoutStopUSec": "uint64 12000000"}
    options = [f"--annotation=org.systemd.property.{key}={value}" for key, value in says.items()]
    podman.start(options=options)
    manager = "--user" if podman.user.uid else "--system"
    show = ["systemctl", manager, "show", *(f"--property={key}" for key in says)]
    told = run(*podman.user.command(*show, podman.cgroup().name)).out
    assert sorted(told.splitlines()) == ["Description=of my own", "TimeoutStopUSec=12s"]
