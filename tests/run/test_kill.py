"""`kill`: which signal reaches whom; and many containers at once, for kill and delete."""

import fcntl
import json
import os
import re
import signal
from pathlib import Path

import pytest

from program import wait_until


def procs(bundle):
    return [int(pid) for pid in (bundle.cgroup("freezer") / "cgroup.procs").read_text().split()]


def counting(bundle, signals="TERM"):
    """Runs a container of three processes, each of which notes the signals that it gets."""
    bundle.shell(f"note() {{ trap 'echo x >>/got-'$1 {signals}; echo >/ready-$1; "
                 "while :; do sleep 0.01; done; }; "
                 "note b & note c & note a")
    bundle.run_detached().ok()
    for name in "abc":
        wait_until((bundle.rootfs / f"ready-{name}").exists, "the traps to be set")


def got(bundle):
    return sorted(path.name[-1] for path in bundle.rootfs.glob("got-*"))


# ---- which signal ----

@pytest.mark.parametrize("words", [[], ["TERM"], ["SIGTERM"], ["term"], ["sigterm"], ["15"]])
def test_ways_to_name_a_signal(bundle, words):
    bundle.shell("trap 'echo TERM >/got; exit' TERM; echo >/ready; while :; do sleep 0.01; done")
    bundle.run_detached().ok()
    wait_until((bundle.rootfs / "ready").exists, "the trap to be set")
    bundle.kill(*words).ok()
    bundle.wait_stopped()
    assert (bundle.rootfs / "got").read_text() == "TERM\n"


@pytest.mark.parametrize("word, number", [
    ("HUP", 1), ("SIGQUIT", 3), ("sigusr1", 10), ("usr2", 12), ("37", 37), ("PWR", 30),
    *[pytest.param(word, number, marks=pytest.mark.creel_only("it knows no real-time names"))
      for word, number in (("RTMIN", 34), ("SIGRTMIN+3", 37), ("rtmax-1", 63), ("RTMAX", 64))],
])
def test_the_named_signal_is_the_one_that_arrives(prober, word, number):
    prober.args("probe", "signal")
    result = prober.run_detached().ok()
    wait_until(lambda: "ready" in result.stdout, "the program")
    prober.kill(word).ok()
    prober.wait_stopped()
    assert result.stdout == f"ready\n{number}\n"


@pytest.mark.parametrize("word", ["FOO", "SIGFOO", "9x", "SIGSIGTERM", "SIG", "KILL "])
def test_unknown_signal(bundle, word):
    bundle.up()
    bundle.kill(word).fails(f'unknown signal "{word}"')
    assert bundle.status() == "running"


def test_unknown_signal_to_nobody(bundle):
    bundle.kill("FOO").fails("container does not exist")


@pytest.mark.parametrize("word", ["65", "1000", "-9", "RTMIN+31"])
def test_number_out_of_range(bundle, word):
    bundle.up()
    assert bundle.kill(word).rc == 1
    assert bundle.status() == "running"


FATAL = ("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
         "PIPE", "ALRM", "TERM", "STKFLT", "XCPU", "XFSZ", "VTALRM", "PROF", "IO", "PWR", "SYS")


@pytest.mark.parametrize("name", FATAL)
def test_fatal_signal_ends_a_created_container(bundle, name):
    if bundle.program.name == "runc" and name not in ("HUP", "INT", "TERM", "KILL", "ABRT"):
        pytest.skip("the Go runtime lets it pass")
    bundle.create().ok()
    bundle.kill(name).ok()
    bundle.wait_stopped()
    bundle.delete().ok()


@pytest.mark.parametrize("name", ["CHLD", "CONT", "WINCH", "URG"])
def test_harmless_signal_leaves_a_created_container(bundle, name):
    bundle.sleep()
    bundle.create().ok()
    bundle.kill(name).ok()
    bundle.start().ok()
    assert bundle.status() == "running"


def test_handlers_of_the_wait_are_gone_in_the_program(bundle):
    bundle.host_namespace("pid")
    bundle.sleep()
    bundle.create().ok()
    bundle.start().ok()
    status = Path(f"/proc/{bundle.pid()}/status").read_text()
    masks = dict(re.findall(r"^(Sig(?:Blk|Ign|Cgt)):\t(\w+)$", status, re.M))
    assert {int(mask, 16) for mask in masks.values()} == {0}, masks


# ---- to whom ----

def test_init_alone_is_signalled(bundle):
    counting(bundle)
    bundle.kill("TERM").ok()
    wait_until(lambda: got(bundle) == ["a"], "the signal")


def test_all_reaches_every_process(bundle):
    counting(bundle)
    bundle.creel("kill", "--all", bundle.id, "TERM").ok()
    wait_until(lambda: got(bundle) == ["a", "b", "c"] or bundle.program.name == "runc",
               "the signals")


def test_all_on_a_stopped_container_is_no_error(bundle):
    bundle.up()
    bundle.stop()
    bundle.creel("kill", "--all", bundle.id, "KILL").ok()


def test_all_kills_what_a_stopped_container_left(bundle):
    bundle.host_namespace("pid")
    bundle.shell("sleep 1000 & echo >/ready")
    bundle.run_detached().ok()
    bundle.wait_stopped()
    assert procs(bundle)
    bundle.creel("kill", "-a", bundle.id, "9").ok()
    wait_until(lambda: not procs(bundle), "the end of what was left")


@pytest.mark.creel_only("1.1 leaves the cgroup on v2")
def test_kill_reaches_every_process_without_a_pid_namespace(bundle):
    bundle.host_namespace("pid")
    bundle.shell("sleep 1000 & sleep 1000 & echo >/ready; wait")
    bundle.run_detached().ok()
    wait_until((bundle.rootfs / "ready").exists, "the children")
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    bundle.delete().ok()
    assert bundle.guard.check() == []


@pytest.mark.creel_only("1.1 leaves the cgroup on v2")
def test_kill_reaches_every_process_in_the_pid_namespace_of_another(bundle):
    bundle.up()
    other = bundle.id + "-b"
    bundle.namespace("pid", f"/proc/{bundle.pid()}/ns/pid")
    bundle.shell("sleep 1000 & sleep 1000 & echo >/ready; wait")
    bundle.run_detached(id=other).ok()
    wait_until((bundle.rootfs / "ready").exists, "the children")
    bundle.kill("KILL", id=other).ok()
    bundle.wait_stopped(other)
    bundle.delete(id=other).ok()
    assert bundle.status() == "running"


@pytest.mark.creel_only("it always has a cgroup")
@pytest.mark.parametrize("words", [["KILL"], ["-a", "KILL"]])
@pytest.mark.parametrize("own_pids", [True, False])
def test_without_a_cgroup(bundle, own_pids, words):
    if not own_pids:
        bundle.host_namespace("pid")
    bundle.up_without_cgroup()
    bundle.creel("kill", *words[:-1], bundle.id, words[-1]).ok()
    bundle.wait_stopped()
    bundle.kill("KILL").fails("container not running")
    bundle.creel("kill", "-a", bundle.id, "KILL").ok()


# ---- many at once ----

@pytest.fixture
def many(bundle):
    """A bundle with three running containers: ID-a, ID-b, ID-cc; and one that was created: ID-d."""
    if bundle.program.name == "runc":
        pytest.skip("it takes one id")
    bundle.sleep()
    bundle.names = [f"{bundle.id}-{name}" for name in ("a", "b", "cc")]
    for name in bundle.names:
        bundle.run_detached(id=name).ok()
    bundle.create(id=f"{bundle.id}-d").ok()
    bundle.names.append(f"{bundle.id}-d")
    return bundle


def statuses(bundle):
    listed = json.loads(bundle.creel("list", "-f", "json").ok().stdout) or []
    return {one["id"][len(bundle.id) + 1:]: one["status"] for one in listed}


@pytest.mark.parametrize("pattern, killed", [
    ("[ab]$", "a b"), ("[-]c{2}$", "cc"), ("(a|d)$", "a d"), (".", "a b cc d"), ("^a", ""),
    ("[-].$", "a b d"), ("c+$", "cc"),
])
def test_kill_by_expression(many, pattern, killed):
    result = many.creel("kill", "--regex", pattern, "KILL").ok()
    assert (result.stdout, result.stderr) == ("", "")
    for name in killed.split():
        many.wait_stopped(f"{many.id}-{name}")
    left = {name for name, status in statuses(many).items() if status != "stopped"}
    assert left == {"a", "b", "cc", "d"} - set(killed.split())


def test_kill_by_expression_passes_over_what_has_stopped(many):
    many.kill("KILL", id=many.names[0]).ok()
    many.wait_stopped(many.names[0])
    assert many.creel("kill", "-r", many.id, "KILL").ok().stderr == ""
    for name in many.names:
        many.wait_stopped(name)


def test_kill_by_expression_with_another_signal(many):
    many.creel("kill", "-r", "d$", "TERM").ok()
    many.wait_stopped(many.names[-1])
    many.creel("kill", "-r", ".", "FOO").fails('unknown signal "FOO"')


def test_delete_by_expression(many):
    many.creel("delete", "--force", "--regex", "[ab]$").ok()
    assert statuses(many) == {"cc": "running", "d": "created"}
    many.creel("delete", "-f", "-r", "").ok()
    assert statuses(many) == {}


def test_delete_by_expression_tells_what_it_cannot_delete(many):
    result = many.creel("delete", "--regex", "[ad]$")
    result.fails("1 of 2 containers failed")
    name = f"{many.id}-a"
    assert result.messages("warning") == [
        f"container {name}: cannot delete container {name} that is not stopped: running; "
        "hint: kill it first, or use --force"]
    assert statuses(many) == {"a": "running", "b": "running", "cc": "running"}


def test_delete_by_expression_takes_ruins_too(many):
    for name, text in (("ruin-1", "{"), ("ruin-2", None)):
        (many.root / name).mkdir()
        if text:
            (many.root / name / "state.json").write_text(text)
    many.creel("delete", "-f", "-r", "^ruin-").ok()
    assert not list(many.root.glob("ruin-*"))
    assert len(statuses(many)) == 4


def test_expression_that_matches_nothing(many):
    assert many.creel("delete", "-r", "nothing").ok().stderr == ""


@pytest.mark.parametrize("pattern", ["(", "[", "*a", "a{2"])
def test_bad_expression(many, pattern):
    result = many.creel("kill", "-r", pattern, "KILL")
    if result.rc:  # what is an error and what is a character, the C libraries do not agree
        result.fails(re.compile(r'^invalid regular expression "'))
    assert set(statuses(many).values()) == {"running", "created"}


def test_expression_of_another_state_directory(many):
    (many.path / "other").mkdir()
    many.program("--root", many.path / "other", "delete", "-f", "-r", ".").ok()
    assert len(statuses(many)) == 4


@pytest.mark.parametrize("words", [[], ["KILL"], ["0"]])
def test_before_there_is_a_process(bundle, words):
    """create has the lock, and has not cloned yet: what `state` calls creating."""
    bundle.create().ok()
    bundle.stop()
    path = bundle.root / bundle.id / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"init_process_pid": 0}))
    lock = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert bundle.status() == "creating"
        bundle.kill(*words).fails("container not running")
    finally:
        os.close(lock)
