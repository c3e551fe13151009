"""Podman: what becomes of a container that runs: signals, pause, restarts, health, logs."""

import json
import os
import re
import signal
import time
from pathlib import Path

from command import wait_until

WAITS = "trap 'exit 5' TERM; trap 'echo caught' USR1; echo up; while :; do sleep 0.1; done"
DEAF = "trap '' TERM; echo up; while :; do sleep 0.1; done"


def log_has(podman, part, name="box"):
    wait_until(lambda: part in podman("logs", name).out, f"{part!r} in the log")


def start_up(podman, script, *options):
    name = podman.start("sh", "-c", script, options=options)
    log_has(podman, "up")
    return name


def test_signals_stop_and_wait(podman):
    name = start_up(podman, WAITS)
    podman("kill", "--signal=USR1", name)
    log_has(podman, "caught")
    waiting = podman.background("wait", name)
    podman("stop", "--time=30", name)
    assert waiting.communicate(timeout=60)[0] == "5\n"
    state = podman.state()
    assert (state["Status"], state["ExitCode"], state["OOMKilled"]) == ("exited", 5, False)
    podman("start", name)
    assert podman.state()["Status"] == "running"


def test_stop_that_is_not_heeded(podman):
    name = start_up(podman, DEAF)
    podman("stop", "--time=1", name)
    assert podman.state()["ExitCode"] == 137


def test_signal_that_the_container_wants(podman):
    script = "trap 'exit 4' INT; echo up; while :; do sleep 0.1; done"
    name = start_up(podman, script, "--stop-signal=INT")
    podman("stop", "--time=30", name)
    assert podman.state()["ExitCode"] == 4


def test_created_and_never_started(podman):
    podman("create", "--network=none", "--name=box", "localhost/box", "sh", "-c", "echo hi; exit 3")
    podman("init", "box")
    assert podman.state()["Status"] == "initialized"
    done = podman("start", "--attach", "box", status=3)
    assert done.out == "hi\n"
    podman("create", "--network=none", "--name=never", "localhost/box", "true")
    podman("init", "never")
    podman("rm", "--force", "--time=0", "never")
    assert len(podman.storage.containers()) == 1


def test_pause(podman):
    name = podman.start("sh", "-c", "while :; do echo tick; sleep 0.1; done")
    cgroup = podman.cgroup()
    podman("pause", name)
    assert podman.state()["Status"] == "paused"
    assert (cgroup / "cgroup.freeze").read_text() == "1\n"
    before = podman("logs", name).out
    time.sleep(0.5)
    assert podman("logs", name).out == before
    podman("unpause", name)
    assert podman.state()["Status"] == "running"
    assert (cgroup / "cgroup.freeze").read_text() == "0\n"
    podman("pause", name)
    podman("rm", "--force", "--time=0", name)
    assert not cgroup.exists()


def test_top_and_stats(podman):
    name = podman.start("sh", "-c", "sleep 2000 & sleep 3000 & wait")
    wait_until(lambda: podman("top", name, "args").out.count("\nsleep") == 2, "two more processes")
    lines = podman("top", name, "pid", "user", "seccomp", "state").out.splitlines()
    assert [line.split()[:3] for line in lines[1:2]] == [["1", "root", "filter"]]
    told = json.loads(podman("stats", "--no-stream", "--format=json", name).out)[0]
    assert int(told["pids"]) == 3
    assert "0B" not in told["mem_usage"].split(" / ")[0].split()


def test_limit_of_time(podman):
    begin = time.monotonic()
    podman.run("sleep", "1000", options=["--timeout=2"], status=None)
    assert time.monotonic() - begin < 100


def test_killed_from_outside(podman):
    """The engine gives the real process, and finds out by itself how it ended."""
    pid, ident = podman.where / "pid", podman.where / "id"
    podman.start(options=[f"--pidfile={pid}", f"--cidfile={ident}"])
    assert re.fullmatch(r"[1-9]\d*", pid.read_text())
    assert Path(f"/proc/{pid.read_text()}/comm").read_text() == "sleep\n"
    assert podman.inspect()["Id"] == ident.read_text()
    os.kill(int(pid.read_text()), signal.SIGKILL)
    wait_until(lambda: podman.state()["Status"] == "exited", "the engine knows")
    assert podman.state()["ExitCode"] == 137


def test_restart_policy(podman):
    podman.start("sh", "-c", "echo again; exit 1", options=["--restart=on-failure:2"])
    wait_until(lambda: podman.state()["Status"] == "exited", "the last end", 120)
    assert podman.inspect()["RestartCount"] == 2
    assert podman("logs", "box").out == "again\n" * 3


def test_restart(podman):
    name = start_up(podman, WAITS)
    first = podman.state()["Pid"]
    podman("restart", "--time=30", name)
    assert podman.state()["Pid"] != first
    assert podman("ps", "--quiet").out.strip()


def test_health(podman):
    options = ["--health-cmd=test -e /tmp/well", "--health-interval=disable", "--health-retries=1"]
    name = podman.start(options=options)
    podman("healthcheck", "run", name, status=1)
    assert podman.state()["Health"]["Status"] == "unhealthy"
    podman.sh("touch /tmp/well")
    podman("healthcheck", "run", name)
    assert podman.state()["Health"]["Status"] == "healthy"


def test_health_by_a_timer(rootful):
    """The engine's own timer asks, and a failure ends the container."""
    options = ["--health-cmd=false", "--health-interval=1s", "--health-retries=1"]
    name = rootful.start(options=[*options, "--health-on-failure=kill"])
    wait_until(lambda: rootful.state(name)["Status"] == "exited", "the container is killed", 90)
    assert rootful.state(name)["ExitCode"] == 137


def test_memory_used_up(podman):
    options = ["--memory=20m", "--memory-swap=20m"]
    podman.start("sh", "-c", "exec tail </dev/zero", options=options)
    wait_until(lambda: podman.state()["Status"] == "exited", "the end", 120)
    state = podman.state()
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)


def test_logs(podman):
    script = "for n in 1 2 3; do echo out $n; echo err $n >&2; sleep 0.2; done"
    name = podman.start("sh", "-c", script)
    done = podman("logs", "--follow", name)
    assert done.out.splitlines() == ["out 1", "out 2", "out 3"]
    assert done.err.splitlines() == ["err 1", "err 2", "err 3"]


def test_log_in_the_journal(rootful):
    options = ["--log-driver=journald", "--name=logged"]
    rootful.run("echo", "into the journal", options=options)
    read = "journalctl", "CONTAINER_NAME=logged", "--output=cat"
    wait_until(lambda: "into the journal" in os.popen(" ".join(read)).read(), "the line")


def test_copies(podman):
    name = podman.start()
    podman("cp", podman.file("given", "text\n"), f"{name}:/tmp/given")
    assert podman.sh("cat /tmp/given") == "text\n"
    podman("cp", f"{name}:/etc/passwd", podman.where / "taken")
    assert "root:" in (podman.where / "taken").read_text()
    podman("commit", "--quiet", name, "localhost/changed")
    out = podman("run", "--rm", "--network=none", "localhost/changed", "cat", "/tmp/given").out
    podman("rmi", "localhost/changed")
    assert out == "text\n"


def test_started_again(podman):
    """At once after its end: nothing is mistaken for what was there before."""
    name = podman.start("sh", "-c", "exit 9")
    for _ in range(5):
        podman("wait", name)
        assert podman("start", "--attach", name, status=9).out == ""
