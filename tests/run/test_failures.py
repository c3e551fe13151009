"""
Whatever goes wrong half-way, nothing is left: every step of the plan fails once, and create is
killed at any time.

creel-faulty is the program with one addition: CREEL_FAIL_STEP=N in its environment makes the Nth
step of the plan fail.
"""

import itertools
import os
import random
import shutil
import signal
import socket
import time

import pytest

import stepper
from program import PATH, wait_until

MOST_STEPS = 400


@pytest.fixture
def faulty(bundle, faulty):
    """A bundle whose program fails where it is told to."""
    bundle.program = faulty
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


def kill_in_between(bundle, *words):
    """To kill the process that makes init when it is about to tell of it: words and wrapper."""
    step = stepper.of(bundle)
    bundle.creel(*words, wrapper=step.at()).ok()
    told = [call.point for call in step.calls() if (call.process, call.name) == ("0.1", "sendmsg")]
    return words, step.at(told[-1], "kill")


# Init has the socket on which the runtime listens, so there is no end of file.
@pytest.mark.creel_only("it is about the processes that it makes")
def test_exec_whose_process_in_between_is_killed(bundle):
    bundle.up()
    words, wrapper = kill_in_between(bundle, "exec", bundle.id, "true")
    bundle.creel(*words, wrapper=wrapper).fails(part="killed by signal 9", rc=255)
    assert bundle.status() == "running"


@pytest.mark.creel_only("it is about the processes that it makes")
def test_create_whose_process_in_between_is_killed(bundle):
    bundle.user_namespace()
    bundle.namespace("network", f"/proc/{os.getpid()}/ns/net")
    bundle.config["mounts"] = bundle.config["mounts"][:1]
    bundle.save()
    words, wrapper = kill_in_between(bundle, "create", "-b", bundle.path, bundle.id)
    bundle.delete().ok()
    bundle.creel(*words, wrapper=wrapper).fails(part="killed by signal 9")


# ---- one call of the kernel that fails; tests/run/sweep has all of them ----

@pytest.mark.creel_only("1.1 is not as careful")
@pytest.mark.parametrize("call", ["openat", "flock"])
def test_state_directory_that_cannot_be_used_is_not_left(bundle, call):
    step = stepper.of(bundle)
    bundle.create(wrapper=step.at()).ok()
    calls = step.calls()
    bundle.delete().ok()
    made = next(i for i, found in enumerate(calls) if found.name == "mkdir")
    point = next(found.point for found in calls[made:] if found.name == call)
    bundle.create(wrapper=step.at(point, "errno=EMFILE")).fails(part="too many open files")
    assert list(bundle.root.iterdir()) == []


@pytest.mark.creel_only("1.1 is not as careful")
def test_tmpfs_whose_directory_cannot_be_looked_at(bundle):
    """It gets the mode of the directory that it covers, not that of one which is not there."""
    (bundle.rootfs / "secret").mkdir(mode=0o700)
    bundle.mount("/secret", "tmpfs", "tmpfs")
    step = stepper.of(bundle)
    bundle.run(wrapper=step.at()).ok()
    point = next(call.point for call in step.calls() if call.text == "secret")
    bundle.run(wrapper=step.at(point, "errno=EIO")).fails(part="input/output error")


def domain_name(bundle):
    bundle.config["domainname"] = "example.org"


def scheduler(bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 7}


def io_priority(bundle):
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}


def personality(bundle):
    bundle.linux["personality"] = {"domain": "LINUX"}


def mapped(bundle):
    (bundle.path / "volume").mkdir()
    maps = [{"containerID": 0, "hostID": 1000, "size": 10}]
    bundle.bind(bundle.path / "volume", "/mnt", "bind", "idmap")
    bundle.config["mounts"][-1] |= {"uidMappings": maps, "gidMappings": maps}


def mapped_into(bundle):
    mapped(bundle)
    bundle.config["mounts"][-1] |= {"type": "tmpfs", "source": "tmpfs", "options": []}


def remounted(bundle):
    bundle.mount("/dev/shm", "tmpfs", "tmpfs", "remount", "size=2m")


IDMAP = "failed to set MOUNT_ATTR_IDMAP on "


@pytest.mark.creel_only("it has other words")
@pytest.mark.parametrize("asked, point, error, text, hint", [
    (domain_name, "setdomainname#1", "EPERM", 'unable to set domainname "example.org": operation not '
     'permitted', None),
    (scheduler, "sched_setattr#1", "EPERM", "error setting scheduler: operation not permitted",
     "it takes CAP_SYS_NICE"),
    (io_priority, "ioprio_set#1", "EPERM", "failed to set io priority: operation not permitted", None),
    (personality, "personality#1", "EINVAL", "set personality: invalid argument", None),
    (remounted, "fspick#1", "EPERM", "fspick: operation not permitted", None),
    (mapped, "0:mount_setattr#2", "EPERM", ": mount_setattr: operation not permitted", None),
    (mapped, "0:mount_setattr#3", "EPERM", IDMAP + "BUNDLE/volume: operation not permitted",
     "another user namespace than the caller's, or its ids are mapped already"),
    (mapped, "0:mount_setattr#3", "EINVAL", IDMAP + "BUNDLE/volume: invalid argument",
     "cannot be id-mapped by this kernel"),
    (mapped, "0:mount_setattr#3", "EIO", IDMAP + "BUNDLE/volume: input/output error", None),
    (mapped_into, "0:mount_setattr#2", "EINVAL", IDMAP + "/mnt: invalid argument",
     "the file system tmpfs cannot be id-mapped by this kernel"),
])
def test_what_the_kernel_refuses(bundle, asked, point, error, text, hint):
    asked(bundle)
    point = point if ":" in point else f"*:{point}"
    result = bundle.run(wrapper=stepper.of(bundle).at(point, f"errno={error}"))
    message = result.fails(part=text.replace("BUNDLE", str(bundle.path)))
    assert (hint in message.hint) if hint else not message.hint


def test_file_system_that_cannot_be_changed_now(bundle):
    bundle.write("big/file", "x" * (1 << 16))
    bundle.mount("/big", "tmpfs", "tmpfs", "tmpcopyup", "size=1m")
    bundle.mount("/big", "tmpfs", "tmpfs", "remount", "size=4k")
    bundle.run().fails(part="reconfigure the file system: invalid argument (tmpfs: Too small a size")


@pytest.mark.parametrize("field, capability", [("uid", "setuid"), ("gid", "setgid")])
def test_user_that_the_runtime_may_not_become(bundle, field, capability):
    bundle.process["user"][field] = 1000
    without = ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    bundle.run(wrapper=without).fails(part="operation not permitted", pointer="/process/user")


def test_more_arguments_than_the_kernel_takes(bundle):
    bundle.args("true", "x" * (1 << 17))
    message = bundle.run().fails(part="argument list too long")
    assert "arguments and environment are more than the kernel takes" in message.hint


@pytest.mark.creel_only("1.1 knows no faccessat2")
@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
@pytest.mark.parametrize("call", ["faccessat2", "pidfd_open", "memfd_create", "keyctl"])
def test_call_that_a_sandbox_refuses_and_nobody_needs(bundle, call, error):
    bundle.shell("true")
    bundle.run(wrapper=stepper.of(bundle).at(f"*:{call}", f"errno={error}")).ok()


@pytest.mark.creel_only("it is about how init lives on")
def test_init_that_could_not_outlive_the_runtime(bundle):
    step = stepper.of(bundle)
    bundle.create(wrapper=step.at()).ok()
    bundle.delete().ok()
    calls = [call for call in step.calls() if call.process == "0.1"]
    stats = next(i for i, call in enumerate(calls) if call.text == "/bin/true")
    point = [call.point for call in calls[:stats] if call.name == "prctl"][-1]
    bundle.create(wrapper=step.at(point, "errno=ENOSPC")).fails(part="no space left on device")


def test_program_waits_until_it_is_recorded(bundle):
    """A runtime that is killed before it has written whom it made must not leave that running."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    output = bundle.path / "strace"
    slow = ("-e", "trace=renameat,execve", "-e", "inject=renameat:delay_enter=500000:when=3")
    bundle.args("/bin/true")
    bundle.run(wrapper=("strace", "-f", "-qq", "-o", output, *slow)).ok()
    lines = output.read_text().splitlines()
    recorded = [i for i, line in enumerate(lines) if "(DELAYED)" in line]
    program = [i for i, line in enumerate(lines) if 'execve("/bin/true"' in line]
    assert recorded and program and program[0] > recorded[0], lines
