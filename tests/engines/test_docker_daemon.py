"""Docker: what its daemon does over time and across its own end, and daemons that are set up otherwise."""

import contextlib
import os
import shutil
import signal

import archive
from command import wait_until
from docker import Docker, Dockerd

FIRST_RANGE = "100000"  # /etc/subuid has it for the user of the machine
USER = "tester"


def test_restart_policies(docker):
    docker.start("false", options=["--restart", "on-failure:2"], name="twice")
    ticks = "echo tick; sleep 1; exit 0"
    box = docker.start("sh", "-c", ticks, options=["--restart", "always"])
    twice = docker.name("twice")
    wait_until(lambda: docker.inspect(twice)["RestartCount"] == 2, "two restarts")
    wait_until(lambda: not docker.inspect(twice)["State"]["Running"], "it is given up")
    assert docker.inspect(twice)["State"]["ExitCode"] == 1
    wait_until(lambda: docker("logs", box).out.count("tick") > 1, "it starts again")
    docker("stop", "--time", "1", box)
    assert not docker.inspect()["State"]["Running"]


def test_health(docker):
    options = ["--health-cmd", "test -e /tmp/good", "--health-interval", "1s"]
    options += ["--health-retries", "1", "--health-timeout", "30s"]
    box = docker.start(options=options)

    def health():
        return docker.inspect()["State"]["Health"]["Status"]

    wait_until(lambda: health() == "unhealthy", "it is found ill", 60)
    docker("exec", box, "touch", "/tmp/good")
    wait_until(lambda: health() == "healthy", "it is found well", 60)


@contextlib.contextmanager
def another(dockerd, image, runtime, folder, *options):
    """Docker on a daemon with other options, beside the one of the session."""
    where = dockerd.where.parent / folder
    runtimes = {r.name: r for r in dockerd.runtimes}
    with Dockerd(where, dockerd.network, dockerd.containerd, runtimes, *options) as daemon:
        daemon.docker("load", "--input", image)
        engine = Docker(daemon, runtime)
        yield engine
        engine.finish()
    shutil.rmtree(where)


def test_default_runtime_that_lives_on(dockerd, image, runtime):
    """Nothing names the runtime; the daemon is killed, and finds its containers again."""
    options = ["--default-runtime", runtime.name, "--live-restore"]
    with another(dockerd, image, runtime, f"l-{runtime.name}", *options) as docker:
        box = docker.name()
        script = "trap 'exit 3' TERM; while :; do sleep 0.1; done"
        words = "--detach", "--network=none", "--name", box, archive.NAME, "sh", "-c", script
        docker("run", *words)
        assert docker.inspect()["HostConfig"]["Runtime"] == runtime.name
        pid = docker.pid()
        docker.daemon.end(signal.SIGKILL)
        os.kill(pid, 0)
        docker.daemon.start()
        assert docker.pid() == pid
        assert docker("exec", box, "echo", "still").out == "still\n"
        docker("stop", box)
        assert docker.inspect()["State"]["ExitCode"] == 3
        docker("start", box)
        docker("build", "--tag", docker.name(), "-", text=BUILD, env=CLASSIC, timeout=120)
        assert docker("run", "--rm", "--network=none", docker.name(), "cat", "/tmp/made").out == "7\n"
        docker("image", "rm", docker.name())


BUILD = "FROM localhost/box\nUSER ann\nWORKDIR /tmp\nRUN echo 7 >made && test $(id -u) = 1000\n"
CLASSIC = {"DOCKER_BUILDKIT": "0", "PATH": "/usr/bin"}  # BuildKit has a runtime of its own


def test_user_namespaces(dockerd, image, runtime, tmp_path):
    tmp_path.chmod(0o777)
    options = ["--userns-remap", USER, "--exec-opt", "native.cgroupdriver=cgroupfs"]
    with another(dockerd, image, runtime, f"u-{runtime.name}", *options) as docker:
        where = ["--volume", f"{tmp_path}:/out"]
        box = docker.start(options=[*where, "--memory", "32m", "--read-only", "--tmpfs", "/tmp"])
        said = docker("exec", box, "cat", "/proc/self/uid_map").out.split()
        assert said[:2] == ["0", FIRST_RANGE]
        docker("exec", box, "touch", "/out/made", "/tmp/made")
        assert (tmp_path / "made").stat().st_uid == int(FIRST_RANGE)
        docker("exec", box, "sh", "-c", "echo 1 >/proc/sys/vm/drop_caches", status=1)
        done = docker.run("cat", "/proc/self/uid_map", options=["--userns", "host"], name="host")
        assert done.out.split() == ["0", "0", "4294967295"]
