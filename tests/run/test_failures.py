"""
Whatever goes wrong half-way, nothing is left: every step of the plan fails once, and create is
killed everywhere.

creel-faulty is the program with one addition: CREEL_FAIL_STEP=N in its environment makes the Nth
step of the plan fail.
"""

import collections
import itertools
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from program import PATH, Program, wait_until

MOST_STEPS = 400


@pytest.fixture
def faulty(bundle):
    beside = bundle.program.path.parent / "tests" / "creel-faulty"
    path = Path(os.environ.get("CREEL_FAULTY", beside))
    if not path.exists():
        pytest.skip(f"no {path}")
    bundle.program = Program(path, bundle.program.options)
    return bundle


def environment(step):
    return {"PATH": PATH, "CREEL_FAIL_STEP": str(step)}


def fail_every_step(command, rc=1):
    """
    Calls command(step) for 1, 2, … until it succeeds; yields each failed step, of which there must
    be some.
    """
    for step in itertools.count(1):
        assert step <= MOST_STEPS, f"step {step} still fails"
        result = command(step)
        if result.rc == 0:
            assert step > 5, f"step {step} did not fail\n{result}"
            return
        result.fails(rc=rc)
        yield step


# ---- configurations that together have every kind of step ----

def plain(bundle):
    """The default configuration."""


def rich(bundle):
    """Much of what an engine asks for."""
    (bundle.path / "volume").mkdir()
    bundle.bind(bundle.path / "volume", "/volume", "rbind", "ro", "rslave")
    bundle.mount("/scratch", "tmpfs", "tmpfs", "size=1m")
    bundle.config["root"]["readonly"] = True
    bundle.linux["rootfsPropagation"] = "rslave"
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle.linux["devices"] = [{"type": "c", "path": "/dev/mine", "major": 1, "minor": 3}]
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
    bundle.process["oomScoreAdj"] = 100
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                 "poststop"):
        bundle.hook(kind, "exit 0")


def user_namespace(bundle):
    """Root of the container is nobody on the host."""
    bundle.user_namespace()


def listener(bundle):
    """A seccomp filter with a listener, which waits in the queue of an agent's socket."""
    bundle.agent = socket.socket(socket.AF_UNIX)
    bundle.agent.bind(str(bundle.path / "agent.sock"))
    bundle.agent.listen(2 * MOST_STEPS)
    bundle.process["noNewPrivileges"] = False
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(bundle.path / "agent.sock"),
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}


CONFIGURATIONS = [plain, rich, user_namespace, listener]


@pytest.fixture(params=CONFIGURATIONS, ids=lambda function: function.__name__)
def configured(request, bundle):
    request.param(bundle)
    return bundle


# ---- steps that fail ----

def test_no_step_of_create_leaves_anything(faulty, configured):
    def create_and_start(step):
        # A step that init takes behind the gate can fail after create has returned.
        created = faulty.create(env=environment(step))
        return faulty.start() if created.rc == 0 else created

    faulty.sleep()
    for step in fail_every_step(create_and_start):
        faulty.delete("--force").ok()
        assert faulty.guard.check() == [], f"after step {step}"
    assert faulty.status() == "running"


def test_no_step_of_run_leaves_anything(faulty, configured):
    faulty.args("true")
    for step in fail_every_step(lambda step: faulty.run(env=environment(step))):
        assert faulty.guard.check() == [], f"after step {step}"


def test_no_step_of_exec_harms_the_container(faulty):
    faulty.sleep()
    faulty.save()
    faulty.run_detached().ok()
    procs = faulty.cgroup("freezer") / "cgroup.procs"
    for step in fail_every_step(lambda step: faulty.exec("true", env=environment(step)), rc=255):
        assert procs.read_text().split() == [str(faulty.pid())], f"after step {step}"
        assert faulty.status() == "running"


def test_pid_file_is_not_written_when_a_step_fails(faulty):
    path = faulty.path / "pid"
    def create(step):
        return faulty.create("--pid-file", path, env=environment(step))

    for step in fail_every_step(create):
        assert not path.exists(), f"after step {step}"


def test_failed_step_is_named(faulty):
    for step in fail_every_step(lambda step: faulty.run(env=environment(step))):
        message = faulty.run(env=environment(step)).fails()
        assert message.text.startswith("runc run failed: ")
        assert len(message.text) > 30, message.text


# ---- create killed ----

def kill_and_clean(bundle):
    """What an administrator does after create was killed. Nothing may be left then."""
    bundle.delete("--force").ok()
    assert bundle.guard.check() == []


@pytest.mark.creel_only("1.1 leaks")
def test_create_killed_at_any_time(bundle):
    bundle.save()
    begin = time.monotonic()
    bundle.create().ok()
    duration = time.monotonic() - begin
    bundle.delete().ok()
    chance = random.Random(1)
    for _ in range(20):
        running = bundle.spawn("create", "-b", bundle.path, bundle.id)
        time.sleep(chance.uniform(0, duration))
        running.signal(signal.SIGKILL)
        running.process.wait()
        kill_and_clean(bundle)


@pytest.mark.creel_only("1.1 leaks")
def test_create_killed_at_each_system_call(configured):
    configured.save()
    words = ("create", "-b", configured.path, configured.id)
    for call, nth in kill_points(configured, *words):
        traced(configured, f"inject={call}:signal=SIGKILL:when={nth}", *words)
        kill_and_clean(configured)


@pytest.mark.parametrize("command", ["start", "delete"])
def test_later_commands_killed_at_each_system_call(bundle, command):
    bundle.sleep()
    bundle.create().ok()
    for call, nth in kill_points(bundle, command, bundle.id):
        bundle.create().ok()
        traced(bundle, f"inject={call}:signal=SIGKILL:when={nth}", command, bundle.id)
        kill_and_clean(bundle)


def kill_points(bundle, *words):
    """
    Runs a command once, cleans up, and gives its system calls as [(name, how many of that name so
    far)].
    """
    if not shutil.which("strace"):
        pytest.skip("no strace")
    seen, points = collections.Counter(), []
    for line in traced(bundle, "trace=all", *words).splitlines():
        if match := re.match(r"(\w+)\(", line):
            seen[match[1]] += 1
            points.append((match[1], seen[match[1]]))
    bundle.delete("--force").ok()
    assert len(points) > 20
    return points


def traced(bundle, expression, *words):
    """Runs a command of the program under strace and gives what that wrote."""
    output = bundle.path / "strace"
    bundle.creel(*words, wrapper=("strace", "-qq", "-o", output, "-e", expression))
    return output.read_text(errors="replace")


def test_killed_foreground_run_takes_the_container_with_it_or_delete_does(bundle):
    bundle.sleep()
    running = bundle.spawn_run()
    running.signal(signal.SIGKILL)
    running.process.wait()
    kill_and_clean(bundle)


def test_killed_exec_harms_nothing(bundle):
    bundle.up()
    running = bundle.spawn("exec", bundle.id, "sleep", "1000")
    procs = bundle.cgroup("freezer") / "cgroup.procs"
    wait_until(lambda: len(procs.read_text().split()) == 2, "the process")
    running.signal(signal.SIGKILL)
    running.process.wait()
    assert bundle.status() == "running"
    kill_and_clean(bundle)


# ---- a machine that refuses ----

def limited(limit, value):
    return lambda: resource.setrlimit(getattr(resource, limit), (value, value))


@pytest.mark.parametrize("files", range(3, 24, 2))
def test_too_few_descriptors(bundle, files):
    result = bundle.run(preexec_fn=limited("RLIMIT_NOFILE", files))
    if result.rc != 0:
        assert result.stderr != ""
    bundle.delete("--force").ok()


def test_state_directory_that_cannot_be_written(bundle):
    bundle.root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", bundle.root], check=True)
    try:
        bundle.run().fails()
    finally:
        subprocess.run(["umount", bundle.root], check=True)


@pytest.mark.creel_only("1.1 does not say why")
def test_full_state_directory(bundle):
    bundle.root.mkdir()
    options = "size=4k,nr_inodes=4"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", bundle.root], check=True)
    try:
        (bundle.root / "filler").write_bytes(b"x" * 4096)
        result = bundle.run()
        assert result.rc == 1 and "no space left on device" in result.stderr
        assert sorted(path.name for path in bundle.root.iterdir()) == ["filler"]
    finally:
        subprocess.run(["umount", bundle.root], check=True)
