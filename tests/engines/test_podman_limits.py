"""Podman: control groups: limits as the kernel tells them, changes of them, who makes them."""

import os
from pathlib import Path

import pytest
from command import wait_until
from service import Unit, service

OPTIONS = {
    "--memory=64m": ("memory.max", "67108864"),
    "--memory-reservation=32m": ("memory.low", "33554432"),
    "--memory-swap=96m": ("memory.swap.max", "33554432"),
    "--cpus=0.5": ("cpu.max", "50000 100000"),
    "--pids-limit=33": ("pids.max", "33"),
    "--cgroup-conf=memory.high=50331648": ("memory.high", "50331648"),
}

# An ordinary user is not given these by default.
MORE_OPTIONS = OPTIONS | {
    "--cpuset-cpus=0": ("cpuset.cpus", "0"),
    "--cpuset-mems=0": ("cpuset.mems", "0"),
    "--blkio-weight=500": ("io.weight", None),
}


def expect_limits(podman, options):
    cgroup = podman.cgroup()
    for option, (file, value) in options.items():
        if value is not None:
            assert (cgroup / file).read_text().strip() == value, option


@pytest.mark.quick
def test_limits(podman):
    options = OPTIONS if podman.user.uid else MORE_OPTIONS
    podman.start(options=[*options, "--cpu-shares=2048"])
    expect_limits(podman, options)
    assert int(podman.limit("cpu.weight")) > 60
    assert podman.cgroup().name.endswith(".scope"), "systemd has made it"


def test_limits_without_systemd(rootful):
    def manage(*words, **options):
        return rootful("--cgroup-manager=cgroupfs", *words, **options)

    manage(
        "run", "-d", "--network=none", "--name=box", *MORE_OPTIONS, "localhost/box", "sleep", "99"
    )
    expect_limits(rootful, MORE_OPTIONS)
    assert rootful.cgroup().name.startswith("libpod-")
    assert rootful.cgroup().parent.name == "libpod_parent"
    manage("update", "--memory=80m", "box")
    assert rootful.limit("memory.max") == str(80 << 20)
    manage("exec", "box", "true")
    manage("rm", "--force", "--time=0", "box")


def test_without_systemd_as_a_user(rootless):
    """By path an ordinary user has no cgroup; it works without limits."""
    manage = "--cgroup-manager=cgroupfs"
    assert (
        rootless(manage, "run", "--rm", "--network=none", "localhost/box", "echo", "hi").out
        == "hi\n"
    )


def test_update(podman):
    name = podman.start(options=["--memory=64m", "--cpus=0.5", "--pids-limit=33"])
    podman("update", "--memory=80m", "--cpus=0.25", "--pids-limit=44", name)
    assert podman.limit("memory.max") == str(80 << 20)
    assert podman.limit("cpu.max") == "25000 100000"
    assert podman.limit("pids.max") == "44"
    podman("update", "--memory=40m", "--memory-swap=40m", name)
    assert (podman.limit("memory.max"), podman.limit("memory.swap.max")) == (str(40 << 20), "0")
    assert podman.limit("pids.max") == "44"
    podman("pause", name)
    podman("update", "--cpus=0.75", name)
    assert podman.limit("cpu.max") == "75000 100000"
    podman("unpause", name)


def test_limit_of_processes(podman):
    script = "for n in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait"
    done = podman.run("sh", "-c", script, options=["--pids-limit=5"], status=None)
    assert "can't fork" in done.err


def test_devices_are_limited(rootful):
    """Of what the kernel has, only what is asked for may be opened; a node alone does not help."""
    disk = os.stat("/dev/vda").st_rdev
    number = f"{os.major(disk)}:{os.minor(disk)}"
    read = "head -c 1 /tmp/disk >/dev/null; echo $?"
    script = f"mknod /tmp/disk b {number.replace(':', ' ')}; {read}"
    done = rootful.run("sh", "-c", script)
    assert done.out == "1\n" and "ot permitted" in done.err
    options = [f"--device-cgroup-rule=b {number} r"]
    assert rootful.run("sh", "-c", script, options=options).out == "0\n"
    name = rootful.start(options=["--device=/dev/vda:/tmp/disk:r"])
    assert rootful.sh(read) == "0\n"
    assert "ot permitted" in rootful("exec", name, "sh", "-c", "echo >/tmp/disk", status=1).err


def test_own_parent(rootful):
    rootful.start(options=["--cgroup-parent=scenario.slice"])
    assert rootful.cgroup().parent.name == "scenario.slice"


def test_parent_of_a_user(rootless):
    rootless.start(options=["--cgroup-parent=app-scenario.slice", "--memory=64m"])
    cgroup = rootless.cgroup()
    assert cgroup.parent.name == "app-scenario.slice"
    assert "user@1000.service" in cgroup.parts
    assert (cgroup / "memory.max").read_text() == "67108864\n"


def test_without_a_cgroup(podman):
    """Which the engine asks of a runtime only if it is told that this one knows how."""
    words = ["run", "-d", "--network=none", "--name=box", "--cgroups=disabled", "localhost/box"]
    if podman.runtime.name == "runc":
        assert podman(*words, "sleep", "1000", status=None).status
        return
    podman(*words, "sleep", "1000")
    assert "libpod-" not in Path(f"/proc/{podman.state()['Pid']}/cgroup").read_text()
    assert podman.sh("echo hi") == "hi\n"
    podman("stop", "--time=1", "box")


def test_split(podman):
    """The engine's own unit is divided: the monitor and the container are both in it."""
    unit = "scenario-split.service"
    words = ["run", "--rm", "--network=none", "--name=box", "--cgroups=split", "--memory=64m"]
    with Unit(podman.user, unit, service(podman, *words, "localhost/box", "sleep", "1000")):
        wait_until(lambda: podman("ps", "--quiet").out, "the container", 60)
        cgroup = podman.cgroup()
        assert cgroup.name.startswith("libpod-payload-")
        assert cgroup.parent.name == unit
        assert (cgroup / "memory.max").read_text() == "67108864\n"
        assert podman.sh("echo hi") == "hi\n"
        podman("stop", "--time=0", "box")


def test_no_monitor_scope(podman):
    """The monitor stays where the engine is."""
    podman.start(options=["--cgroups=no-conmon"])
    assert podman.cgroup().name.endswith(".scope")
    monitor = podman.state()["ConmonPid"]
    assert "libpod-conmon" not in Path(f"/proc/{monitor}/cgroup").read_text()


def test_cgroup_namespace(podman):
    assert podman.run("cat", "/proc/self/cgroup").out == "0::/\n"
    options = ["--cgroupns=host"]
    assert "libpod-" in podman.run("cat", "/proc/self/cgroup", options=options).out
    out = podman.run(
        "sh", "-c", "mount | grep cgroup; ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/a; echo $?"
    )
    assert "cgroup.procs" in out.out and "(ro," in out.out and out.out.endswith("1\n")
