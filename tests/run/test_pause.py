"""`pause` and `resume`: what stands still, what goes on, and what cannot be had."""

import os
import signal
import time
from pathlib import Path

import pytest

import host
import stepper
from program import wait_until

V2 = host.is_cgroup_v2()


@pytest.fixture
def ticking(bundle):
    """A bundle whose container runs and makes a file longer all the time."""
    bundle.shell("while :; do echo >>/ticks; sleep 0.01; done")
    bundle.run_detached().ok()
    bundle.ticks = bundle.rootfs / "ticks"
    wait_until(lambda: size(bundle.ticks) > 2, "the first ticks")
    return bundle


def size(path):
    return path.stat().st_size if path.exists() else 0


def stands_still(path):
    before = size(path)
    time.sleep(0.1)
    return size(path) == before


def test_everything_stands_still_until_resume(ticking):
    result = ticking.pause().ok()
    assert (result.stdout, result.stderr) == ("", "")
    assert ticking.status() == "paused"
    assert stands_still(ticking.ticks)
    before = size(ticking.ticks)
    result = ticking.resume().ok()
    assert (result.stdout, result.stderr) == ("", "")
    assert ticking.status() == "running"
    wait_until(lambda: size(ticking.ticks) > before, "the next ticks")


def test_it_may_be_repeated(ticking):
    for _ in range(5):
        ticking.pause().ok()
        ticking.resume().ok()
    before = size(ticking.ticks)
    wait_until(lambda: size(ticking.ticks) > before, "the next ticks")


def test_processes_of_exec_stand_still_too(bundle):
    bundle.up()
    bundle.exec("sh", "-c", "while :; do echo >>/ticks; sleep 0.01; done", options=["-d"]).ok()
    ticks = bundle.rootfs / "ticks"
    wait_until(lambda: size(ticks) > 2, "the first ticks")
    bundle.pause().ok()
    assert stands_still(ticks)


def test_processes_in_a_cgroup_below_stand_still_too(bundle):
    bundle.up()
    below = bundle.cgroup("freezer") / "below"
    below.mkdir()
    pid_file = bundle.path / "pid"
    bundle.exec("sh", "-c", "while :; do echo >>/ticks; sleep 0.01; done",
                options=["-d", "--pid-file", pid_file]).ok()
    (below / "cgroup.procs").write_text(pid_file.read_text())
    ticks = bundle.rootfs / "ticks"
    wait_until(lambda: size(ticks) > 2, "the first ticks")
    bundle.pause().ok()
    assert stands_still(ticks)
    bundle.resume().ok()
    wait_until(lambda: not stands_still(ticks), "the next ticks")


def test_a_created_container_is_created_again_after_resume(bundle):
    bundle.shell("echo >/ran; sleep 1000")
    bundle.create().ok()
    bundle.pause().ok()
    assert bundle.status() == "paused"
    bundle.start().fails("cannot start a container in the paused state")
    bundle.resume().ok()
    assert bundle.status() == "created"
    bundle.start().ok()
    wait_until((bundle.rootfs / "ran").exists, "the program to run")


def test_signals_arrive_after_resume(bundle):
    bundle.shell("trap 'echo TERM >/got; exit' TERM; echo >/ready; while :; do sleep 0.01; done")
    bundle.run_detached().ok()
    wait_until((bundle.rootfs / "ready").exists, "the trap to be set")
    bundle.pause().ok()
    bundle.kill("TERM").ok()
    assert bundle.status() == "paused"
    bundle.resume().ok()
    bundle.wait_stopped()
    assert (bundle.rootfs / "got").read_text() == "TERM\n"


@pytest.mark.parametrize("own_pids", [True, False])
def test_kill_ends_a_paused_container_at_once(bundle, own_pids):
    if not own_pids:
        bundle.host_namespace("pid")
    bundle.shell("sleep 1000 & sleep 1000 & echo >/ready; wait")
    bundle.run_detached().ok()
    wait_until((bundle.rootfs / "ready").exists, "the children")
    bundle.pause().ok()
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    bundle.delete().ok()


def test_kill_all_ends_a_paused_container_at_once(bundle):
    bundle.up()
    bundle.pause().ok()
    bundle.creel("kill", "--all", bundle.id, "KILL").ok()
    bundle.wait_stopped()


def test_a_container_that_forks_all_the_time_can_be_paused(bundle):
    bundle.shell("while :; do /bin/true & /bin/true; done")
    bundle.run_detached().ok()
    for _ in range(3):
        bundle.pause().ok()
        assert bundle.status() == "paused"
        bundle.resume().ok()


def test_a_run_in_the_foreground_can_be_paused(bundle):
    bundle.shell("trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done")
    running = bundle.spawn_run()
    wait_until(lambda: "ready" in running.output(), "the trap to be set")
    bundle.pause().ok()
    running.signal(signal.SIGTERM)
    assert bundle.status() == "paused"
    bundle.resume().ok()
    assert running.wait().rc == 9


def test_it_is_paused_in_the_kernels_words(bundle):
    bundle.up()
    cgroup = bundle.cgroup("freezer")
    bundle.pause().ok()
    if V2:
        assert "frozen 1" in (cgroup / "cgroup.events").read_text()
    else:
        assert (cgroup / "freezer.state").read_text() == "FROZEN\n"
    bundle.resume().ok()
    if V2:
        assert (cgroup / "cgroup.freeze").read_text() == "0\n"
    else:
        assert (cgroup / "freezer.state").read_text() == "THAWED\n"


def test_one_of_two_containers_is_paused(bundle):
    bundle.up()
    other = bundle.id + "-b"
    bundle.sleep()
    bundle.run_detached(id=other).ok()
    bundle.pause().ok()
    assert (bundle.status(), bundle.status(other)) == ("paused", "running")
    result = bundle.creel("list").ok()
    assert [line.split()[2] for line in result.stdout.splitlines()[1:]] == ["paused", "running"]


def test_zombie_of_init_is_stopped_not_paused(bundle):
    bundle.up()
    os.kill(bundle.pid(), signal.SIGKILL)
    bundle.wait_stopped()
    bundle.pause().fails("container not running")
    bundle.resume().fails("container not paused")


# ---- others at the same time ----

def meanwhile(bundle, script):
    """Pauses the container; script runs before pause looks for the first time whether it is."""
    step, file = stepper.of(bundle), bundle.cgroup("freezer")
    file /= "cgroup.events" if V2 else "freezer.state"
    bundle.creel("pause", bundle.id, wrapper=step.at()).ok()
    look = [call.point for call in step.calls() if call.text == str(file)][-1]
    bundle.resume().ok()
    return bundle.creel("pause", bundle.id, wrapper=step.at(look, f"run={script}"))


def thaw(bundle):
    cgroup = bundle.cgroup("freezer")
    return f"echo 0 >{cgroup}/cgroup.freeze" if V2 else f"echo THAWED >{cgroup}/freezer.state"


@pytest.mark.creel_only("1.1 freezes it once more")
def test_a_thaw_while_it_is_paused_is_told(bundle):
    bundle.up()
    meanwhile(bundle, thaw(bundle)).fails("somebody let the container go on while it was being paused")
    assert bundle.status() == "running"
    bundle.pause().ok()


@pytest.mark.creel_only("1.1 says that it is paused")
@pytest.mark.parametrize("thawed", [True, False] if V2 else [True])
def test_an_end_while_it_is_paused_is_told(bundle, thawed):
    """A frozen process dies as well, but in version 1, where `kill` thaws it."""
    bundle.up()
    pid = bundle.pid()
    ended = f"while grep -qs 'State:.[^Z]' /proc/{pid}/status; do sleep 0.01; done"
    script = [f"kill -9 {pid}", *([thaw(bundle)] if thawed else []), ended]
    meanwhile(bundle, "; ".join(script)).fails("container not running")
    assert bundle.status() == "stopped"
    bundle.delete().ok()


@pytest.mark.creel_only("1.1 looks beforehand")
@pytest.mark.parametrize("words", [("kill", "KILL"), ("delete", "--force")], ids=["kill", "delete"])
def test_a_freeze_that_comes_upon_the_end_keeps_nobody(bundle, words):
    """A frozen process of version 1 dies when it is thawed, whoever froze it and when."""
    bundle.up()
    cgroup = bundle.cgroup("freezer")
    freeze = f"echo 1 >{cgroup}/cgroup.freeze" if V2 else f"echo FROZEN >{cgroup}/freezer.state"
    wrapper = stepper.of(bundle).at("0:pidfd_send_signal#1", f"run={freeze}")
    at = 1 if words[0] == "kill" else 2
    bundle.creel(*words[:at], bundle.id, *words[at:], wrapper=wrapper).ok()
    wait_until(lambda: bundle.status() in ("stopped", None), "its end")


# ---- without the rights ----

READ_ONLY = """
for m in $(grep ' /sys/fs/cgroup' /proc/self/mountinfo | cut -d' ' -f5); do
    mount -o remount,bind,ro "$m"
done
exec "$@"
"""


@pytest.mark.creel_only("1.1 says it beforehand, and of rootless containers alone")
@pytest.mark.parametrize("command", ["pause", "resume"])
def test_lack_of_access_is_explained(bundle, command):
    bundle.up()
    if command == "resume":
        bundle.pause().ok()
    before = bundle.status()
    wrapper = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh"]
    result = bundle.creel(command, bundle.id, wrapper=wrapper)
    result.fails(part="read-only file system")
    assert result.messages("warning") == [
        f"runc {command} failure might be caused by lack of full access to cgroups"]
    assert bundle.status() == before


@pytest.mark.creel_only("it always has a cgroup")
def test_without_a_cgroup(bundle):
    bundle.up_without_cgroup()
    bundle.pause().fails("cannot toggle freezer: cgroups not configured for container")
    bundle.resume().fails("container not paused")
    assert bundle.status() == "running"


def test_a_cgroup_that_was_removed_is_no_reason_to_hang(bundle):
    bundle.up()
    cgroup = bundle.cgroup("freezer")
    bundle.stop()
    wait_until(lambda: not (cgroup / "cgroup.procs").read_text(), "the cgroup to be empty")
    cgroup.rmdir()
    bundle.pause().fails("container not running")
    assert Path(bundle.root / bundle.id).exists()
    bundle.delete().ok()
