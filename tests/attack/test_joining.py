"""
Processes in a container that watch for the ones that come in by exec, and take what they can get of
them: the host's root, descriptors, environment, memory, program. What may trace others in there
(CAP_SYS_PTRACE) sees a process from its first moment in the pid namespace; by then it must have
nothing of the host.
"""

import os
import re
import time

import pytest

from program import PATH, wait_until
from traps import RACE_SECONDS

SECRET = {"PATH": PATH, "TOKEN": "hunter2"}

# What a process that comes in may have open: the protocol's socket, its root, its streams.
HARMLESS = re.compile(r"fd (socket:\[\d+\]|pipe:\[\d+\]|/|/dev/null|/dev/pts/\d+"
                      r"|/tmp/#\d+ \(deleted\)|/bin/\w+|/etc/passwd|anon_inode:\S+)")  # fmt: skip


@pytest.fixture
def secrets(armed):
    """A file of the host, and twenty descriptors that a careless caller has open."""
    marker = armed.path / "marker"
    marker.write_text("of the host\n")
    folder = os.open(armed.path, os.O_RDONLY | os.O_DIRECTORY)
    files = [folder, os.open("/sys/fs/cgroup", os.O_PATH)]
    files += [os.open(marker, os.O_RDONLY) for _ in range(18)]
    yield marker, files
    for fd in files:
        os.close(fd)


def watched(bundle, secrets, words=(), seconds=RACE_SECONDS, env=()):
    """
    What `onlooker` in the container was able to take of the execs that go on meanwhile: its lines.
    The number of those execs comes with them.
    """
    marker, files = secrets
    bundle.process["env"] += list(env)
    bundle.args("onlooker", str(marker), str(seconds))
    running = bundle.spawn_run()
    end, count = time.monotonic() + seconds - 0.3, 0
    while time.monotonic() < end:
        result = bundle.creel(*words, "exec", bundle.id, "/bin/true", pass_fds=files, env=SECRET)
        count += result.rc == 0
    lines = running.wait().ok().stdout.splitlines()
    assert lines[0] == "ready" and int(lines[-1].split()[1]) > 0 < count, lines
    bundle.alive.discard(bundle.id)
    return lines[1:-1]


def assert_nothing_of_the_host(lines):
    for line in lines:
        assert re.fullmatch("cwd /|mem |traced ", line) or HARMLESS.fullmatch(line), lines


def test_nothing_is_had_without_the_right_to_trace(armed, secrets):
    armed.capabilities(["CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"])
    lines = watched(armed, secrets, env=["TRACE=1"])
    assert not [line for line in lines if re.match("root|environ|exe|mem|traced", line)], lines
    assert_nothing_of_the_host(lines)


@pytest.mark.parametrize("kind", ["own", "shared"])
def test_nothing_of_the_host_is_had_with_it(armed, secrets, kind):
    """Shared: the pid namespace belongs to another container, as in a pod."""
    armed.capabilities()
    if kind == "shared":
        pod = f"{armed.id}-pod"
        armed.sleep()
        armed.run_detached(id=pod).ok()
        armed.linux["cgroupsPath"] = f"/{armed.id}-b"
        armed.namespace("pid", f"/proc/{armed.pid(pod)}/ns/pid")
        armed.config["mounts"] = [m for m in armed.config["mounts"] if m["type"] != "cgroup"]
    assert_nothing_of_the_host(watched(armed, secrets))


def test_nothing_of_the_host_is_had_by_who_traces(armed, secrets):
    armed.capabilities()
    assert_nothing_of_the_host(watched(armed, secrets, env=["TRACE=1"]))


def test_nothing_is_had_in_a_user_namespace(armed, secrets):
    """There root may do everything inside, and nothing to what comes from outside."""
    armed.user_namespace()
    armed.capabilities()
    secrets[0].chmod(0o644)
    lines = watched(armed, secrets)
    assert not [line for line in lines if re.match("root|environ|exe|mem|traced", line)], lines
    assert_nothing_of_the_host(lines)


def test_state_and_log_are_not_among_the_descriptors(armed, secrets):
    armed.capabilities()
    log = armed.path / "log"
    lines = watched(armed, secrets, ("--debug", "--log", log))
    assert_nothing_of_the_host(lines)
    assert "level=debug" in log.read_text()


def test_oom_score_and_label_leave_no_proc_of_the_host(armed, secrets):
    """Both are written in a procfs, which must not be the host's once the process is inside."""
    armed.capabilities()
    armed.process["oomScoreAdj"] = 500
    assert_nothing_of_the_host(watched(armed, secrets))


# ---- the moment before there is a container ------------------------------------------------------


@pytest.mark.parametrize("command", ["create", "run"])
@pytest.mark.parametrize("hook", ["createRuntime", "createContainer"])
def test_exec_waits_until_the_container_has_its_own_root(armed, secrets, command, hook):
    """Until then the root of its mount namespace is still the host's."""
    marker = secrets[0]
    begun, go = armed.path / "begun", armed.path / "go"
    armed.hook(hook, f"touch {begun}; while ! [ -e {go} ]; do sleep 0.01; done")
    armed.sleep()
    armed.save()
    armed.alive.add(armed.id)
    making = armed.spawn(command, *(["-d"] if command == "run" else []), "-b", armed.path, armed.id)
    wait_until(begun.exists, "the hook to run")
    entering = armed.spawn("exec", armed.id, "/bin/cat", marker)
    time.sleep(0.1)
    assert entering.process.poll() is None, entering.wait()
    go.touch()
    making.wait().ok()
    result = entering.wait()
    assert result.rc == 1 and "No such file" in result.stderr and result.stdout == "", result


def test_exec_fails_when_the_making_fails(armed):
    begun, go = armed.path / "begun", armed.path / "go"
    armed.hook("createContainer", f"touch {begun}; while ! [ -e {go} ]; do sleep 0.01; done; exit 1")
    armed.save()
    making = armed.spawn("run", "-b", armed.path, armed.id)
    wait_until(begun.exists, "the hook to run")
    entering = armed.spawn("exec", armed.id, "/bin/true")
    time.sleep(0.1)
    go.touch()
    assert making.wait().rc == 1
    entering.wait().fails(part="container does not exist", rc=255)


def test_exec_of_a_hook_of_poststart_goes_through(armed):
    """The container is made by then, although the command that makes it is still busy."""
    words = f"{armed.program.path} --root {armed.root} exec {armed.id} /bin/touch /was-here"
    armed.hook("poststart", f"{words} </dev/null")
    armed.sleep()
    armed.run_detached().ok()
    assert (armed.rootfs / "was-here").exists()
