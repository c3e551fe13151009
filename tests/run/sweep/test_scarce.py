"""
A machine that has too little, for as long as a command lasts: system calls that a sandbox or an old
kernel refuses, memory, descriptors, processes, room for the state. A command does its work or says
what it lacks, and then there is nothing that delete -f does not remove.
"""

import resource
import secrets
import signal
import subprocess
import time

import pytest

import host
import stepper
from commands import COMMANDS, CONFIGURATIONS
from hanging import Failing
from sweeping import told

# What Linux has had since 5.14 or less, and sandboxes have not always let through.
NEW_CALLS = ["clone3", "close_range", "execveat", "faccessat2", "fsconfig", "fsmount", "fsopen",
             "memfd_create", "mount_setattr", "move_mount", "open_tree", "openat2", "pidfd_open",
             "pidfd_send_signal", "prctl", "setns", "statx", "unshare"]
OUT_OF_MEMORY = -9

pytestmark = pytest.mark.once


def ready(bundle, configuration="rich"):
    CONFIGURATIONS[configuration](bundle)
    bundle.args("true")
    bundle.save()


def works_or_says(bundle, result, rcs=(1,)):
    """And nothing is left then."""
    if result.rc:
        assert result.rc in rcs, told(result)
        assert result.rc == OUT_OF_MEMORY or result.stderr.strip(), "not a word"
    bundle.delete("--force").ok()
    assert bundle.guard.check() == [], told(result)


def run(bundle, **how):
    return bundle.creel("run", "-b", bundle.path, bundle.id, **how)


# ---- calls that are refused throughout ----


@pytest.mark.creel_only("1.1 is not as careful")
@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
@pytest.mark.parametrize("calls", [*([name] for name in NEW_CALLS), NEW_CALLS],
                         ids=[*NEW_CALLS, "all"])
def test_refused_calls(bundle, calls, error):
    ready(bundle)
    points = [word for name in calls for word in (f"*:{name}", f"errno={error}")]
    wrapper = stepper.of(bundle).at(*points)
    works_or_says(bundle, run(bundle, wrapper=wrapper))


# ---- limits of the runtime itself ----


def limit(name, value):
    return lambda: resource.setrlimit(getattr(resource, name), (value, value))


@pytest.mark.parametrize("files", range(3, 65))
def test_descriptors(bundle, files):
    ready(bundle)
    works_or_says(bundle, run(bundle, preexec_fn=limit("RLIMIT_NOFILE", files)))


@pytest.mark.parametrize("mebibytes", [1, 2, 4, 8, 16, 32, 48, 49, 52, 64, 96, 100, 128, 256])
def test_address_space(bundle, mebibytes):
    ready(bundle)
    result = run(bundle, preexec_fn=limit("RLIMIT_AS", mebibytes << 20))
    works_or_says(bundle, result, (1, -11, 127))  # below 2 MiB the kernel cannot even execute it


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_of_a_user(bundle, processes):
    ready(bundle, "user_namespace")
    works_or_says(bundle, run(bundle, preexec_fn=limit("RLIMIT_NPROC", processes)))


@pytest.fixture
def own_cgroup(bundle):
    """own_cgroup(controller, file, value): a preexec_fn, by which the runtime is in such a cgroup."""
    made = []

    def make(controller, name, value):
        hierarchy = host.hierarchy(controller)
        if hierarchy is None or hierarchy.version != 1:
            pytest.skip(f"no {controller} hierarchy of version 1")
        path = hierarchy.own() / f"own-{secrets.token_hex(4)}"
        path.mkdir()
        made.append(path)
        (path / name).write_text(str(value))
        return lambda: (path / "cgroup.procs").write_text("0")

    yield make
    for path in made:
        path.rmdir()


@pytest.mark.parametrize("processes", range(1, 21))
def test_processes_of_a_cgroup(bundle, own_cgroup, processes):
    ready(bundle)
    result = run(bundle, preexec_fn=own_cgroup("pids", "pids.max", processes))
    works_or_says(bundle, result)


@pytest.mark.parametrize("kibibytes", [256, 512, 1024, 2048, 4096, 8192, 16384])
def test_memory_of_a_cgroup(bundle, own_cgroup, kibibytes):
    ready(bundle)
    bundle.linux["resources"].pop("memory", None)
    bundle.save()
    result = run(bundle, preexec_fn=own_cgroup("memory", "memory.limit_in_bytes", kibibytes << 10))
    works_or_says(bundle, result, (1, 137, OUT_OF_MEMORY))


# ---- the state directory ----


@pytest.fixture
def state_on(bundle):
    """state_on(options) mounts a tmpfs on the state directory."""
    bundle.root.mkdir()

    def mount(options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", bundle.root], check=True)

    yield mount
    subprocess.run(["umount", bundle.root], check=True)


def life(bundle):
    """create, start, exec, update, pause, resume, delete: each works or says why not."""
    results = [bundle.creel(*COMMANDS["create"].argv(bundle))]
    if results[0].rc == 0:
        for words in (("start", bundle.id), ("exec", bundle.id, "true"),
                      ("update", "--pids-limit", "77", bundle.id), ("pause", bundle.id),
                      ("resume", bundle.id), ("kill", bundle.id, "KILL")):
            results.append(bundle.creel(*words))
    for result in results:
        assert result.rc in (0, 1, 255), told(result)
        assert result.rc == 0 or len(result.messages("error")) == 1, told(result)
    bundle.delete("--force").ok()


@pytest.mark.creel_only("1.1 does not say why")
@pytest.mark.parametrize("left", [0, 4, 8, 12, 16, 60])
def test_full_state_directory(bundle, state_on, left):
    CONFIGURATIONS["rich"](bundle)
    bundle.sleep()
    bundle.save()
    state_on("size=64k")
    (bundle.root / "filler").write_bytes(b"x" * (64 - left) * 1024)
    life(bundle)
    assert [path.name for path in bundle.root.iterdir()] == ["filler"]
    (bundle.root / "filler").unlink()


def test_read_only_state_directory(bundle, state_on):
    ready(bundle)
    state_on("ro")
    run(bundle).fails(part="read-only file system")


@pytest.mark.creel_only("1.1 does not say why")
@pytest.mark.parametrize("inodes", range(1, 8))
def test_state_directory_without_inodes(bundle, state_on, inodes):
    CONFIGURATIONS["rich"](bundle)
    bundle.sleep()
    bundle.save()
    state_on(f"nr_inodes={inodes}")
    life(bundle)
    assert list(bundle.root.iterdir()) == []


@pytest.mark.creel_only("1.1 does not say why")
def test_state_directory_that_became_read_only(bundle, state_on):
    CONFIGURATIONS["rich"](bundle)
    bundle.sleep()
    bundle.save()
    state_on("size=1m")
    bundle.creel(*COMMANDS["create"].argv(bundle)).ok()
    remount = ["mount", "-o", "remount,bind,ro", bundle.root]
    subprocess.run(remount, check=True)
    for words in (("start", bundle.id), ("exec", bundle.id, "true"), ("delete", "-f", bundle.id)):
        result = bundle.creel(*words)
        assert result.rc == 0 or len(result.messages("error")) == 1, told(result)
    assert bundle.creel("list").rc == 0
    remount[2] = "remount,bind,rw"
    subprocess.run(remount, check=True)
    bundle.delete("--force").ok()
    assert list(bundle.root.iterdir()) == []


@pytest.fixture
def failing():
    """failing(path) mounts what answers EIO alone on path."""
    made = []

    def mount(path):
        made.append(Failing(path))
        return made[-1]

    yield mount
    for mounted in made:
        mounted.let_go()


IO_ERROR = "input/output error"


@pytest.mark.creel_only("it is about errors")
def test_state_directory_on_a_disk_that_fails(bundle, failing):
    ready(bundle)
    bundle.root.mkdir()
    disk = failing(bundle.root)
    for words in (("create", "-b", bundle.path, bundle.id), ("run", "-b", bundle.path, bundle.id),
                  ("list",), ("state", bundle.id), ("kill", bundle.id), ("delete", "-f", bundle.id)):
        bundle.creel(*words).fails(part=IO_ERROR)
    disk.let_go()
    assert bundle.guard.check() == []


@pytest.mark.creel_only("it is about errors")
def test_state_that_fails_when_it_is_there(bundle, failing):
    """Nobody takes a container for stopped, or removes it, because its state cannot be read."""
    CONFIGURATIONS["rich"](bundle)
    bundle.up()
    disk = failing(bundle.root / bundle.id)
    for words in (("state",), ("kill",), ("exec", "true"), ("ps",), ("pause",), ("events", "--stats"),
                  ("update", "--pids-limit", "77"), ("delete",), ("delete", "-f")):
        at = 1 if words[0] == "exec" else len(words)
        result = bundle.creel(*words[:at], bundle.id, *words[at:])
        result.fails(part=IO_ERROR, rc=255 if words[0] == "exec" else 1)
    assert IO_ERROR in bundle.creel("list").ok().stderr
    disk.let_go()
    assert bundle.status() == "running"
    bundle.delete("-f").ok()


# ---- signals all the time ----


@pytest.mark.parametrize("name", ["CHLD", "WINCH", "CONT", "URG"])
@pytest.mark.parametrize("command", ["create", "run", "exec", "delete"])
def test_storm_of_signals(bundle, command, name):
    CONFIGURATIONS["rich"](bundle)
    bundle.sleep()
    if command == "run":
        bundle.args("true")
    bundle.save()
    for _ in range(5):
        COMMANDS[command].before(bundle)
        argv = ["exec", bundle.id, "true"] if command == "exec" else COMMANDS[command].argv(bundle)
        storm(bundle.spawn(*argv), getattr(signal, f"SIG{name}")).ok()
        bundle.delete("--force").ok()


@pytest.mark.parametrize("command", ["create", "run", "exec", "delete"])
def test_stopped_and_continued(bundle, command):
    CONFIGURATIONS["rich"](bundle)
    bundle.sleep()
    if command == "run":
        bundle.args("true")
    bundle.save()
    for _ in range(5):
        COMMANDS[command].before(bundle)
        argv = ["exec", bundle.id, "true"] if command == "exec" else COMMANDS[command].argv(bundle)
        storm(bundle.spawn(*argv), signal.SIGSTOP, signal.SIGCONT).ok()
        bundle.delete("--force").ok()


def storm(running, *signals):
    while running.process.poll() is None:
        for number in signals:
            running.signal(number)
        time.sleep(0.001)
    return running.wait()
