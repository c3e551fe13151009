"""create, start, kill, delete: what each does in each state, with its exit status and text."""

import os
import signal

import pytest

import leaks
from program import wait_until

STATES = ("created", "running", "paused", "stopped")


@pytest.fixture(params=STATES)
def container(request, bundle):
    """
    A bundle whose container is in each of the states in turn; bundle.given is the state's name.
    """
    bundle.given = request.param
    bring_into(bundle, request.param)
    assert bundle.status() == request.param
    return bundle


def bring_into(bundle, state):
    bundle.sleep()
    bundle.create().ok()
    if state in ("running", "paused"):
        bundle.start().ok()
    if state == "paused":
        bundle.freeze()
    if state == "stopped":
        bundle.start().ok()
        bundle.stop()


# ---- every command in every state ----

def test_start(container):
    refused = {
        "running": "cannot start an already running container",
        "paused": "cannot start a container in the paused state",
        "stopped": "cannot start a container that has stopped",
    }
    if container.given == "created":
        container.start().ok()
        assert container.status() == "running"
    else:
        container.start().fails(refused[container.given])
        assert container.status() == container.given


def test_exec(container):
    refused = {
        "paused": "cannot exec in a paused container (use --ignore-paused to override)",
        "stopped": "cannot exec in a stopped container",
    }
    result = container.exec("echo", "inside")
    if container.given in refused:
        result.fails("exec failed: " + refused[container.given], rc=255)
    else:
        assert result.ok().stdout == "inside\n"
    assert container.status() == container.given


def test_kill(container):
    if container.given == "stopped":
        container.kill("KILL").fails("container not running")
    else:
        container.kill("KILL").ok()
        if container.given == "paused":
            container.freeze(False)
        container.wait_stopped()


def test_kill_with_signal_zero_changes_nothing(container):
    if container.given == "stopped":
        container.kill("0").fails("container not running")
    else:
        container.kill("0").ok()
        assert container.status() == container.given


def test_delete(container):
    if container.given in ("created", "stopped"):
        container.delete().ok()
        assert container.status() is None
    else:
        container.delete().fails(f"cannot delete container {container.id} that is not stopped: "
                                 f"{container.given}")
        assert container.status() == container.given


def test_delete_force(container):
    container.delete("--force").ok()
    assert container.status() is None
    assert container.guard.check() == []


def test_state(container):
    state = container.state()
    assert state["status"] == container.given
    assert (state["pid"] == 0) == (container.given == "stopped")


def test_create_again(container):
    container.create().fails("runc create failed: container with given ID already exists")
    assert container.status() == container.given


def test_run_again(container):
    container.run().fails("runc run failed: container with given ID already exists")
    assert container.status() == container.given


@pytest.mark.parametrize("command, rc, text", [
    (["start", "ID"], 1, "container does not exist"),
    (["state", "ID"], 1, "container does not exist"),
    (["kill", "ID", "KILL"], 1, "container does not exist"),
    (["delete", "ID"], 1, "container does not exist"),
    (["exec", "ID", "true"], 255, "exec failed: container does not exist"),
])
def test_unknown_container(bundle, command, rc, text):
    bundle.root.mkdir()
    bundle.creel(*[bundle.id if word == "ID" else word for word in command]).fails(text, rc=rc)


@pytest.mark.parametrize("command, rc", [("start", 1), ("state", 1), ("delete", 1), ("exec", 255)])
@pytest.mark.parametrize("id", ["..", ".", "a/b", "a b", "ä", "../x"])
def test_malformed_id_is_refused(bundle, command, rc, id):
    words = ["true"] if command == "exec" else []
    prefix = "exec failed: " if command == "exec" else ""
    bundle.creel(command, id, *words).fails(prefix + "invalid container ID format", rc=rc)


# ---- create and start ----

def test_create_prepares_but_does_not_run(bundle):
    bundle.shell("echo ran >/ran")
    bundle.create().ok()
    assert not (bundle.rootfs / "ran").exists()
    bundle.start().ok()
    wait_until((bundle.rootfs / "ran").exists, "the program to run")


def test_create_prints_nothing(bundle):
    result = bundle.create().ok()
    assert (result.stdout, result.stderr) == ("", "")


def test_start_prints_nothing_of_its_own(bundle):
    bundle.sleep()
    bundle.create().ok()
    result = bundle.start().ok()
    assert (result.stdout, result.stderr) == ("", "")


def test_process_keeps_its_pid_over_start(bundle):
    bundle.sleep()
    bundle.create().ok()
    pid = bundle.pid()
    bundle.start().ok()
    assert bundle.pid() == pid
    wait_until(lambda: open(f"/proc/{pid}/comm").read() == "sleep\n", "the program")


def test_streams_of_create_belong_to_the_container(bundle):
    bundle.shell("echo out; echo err >&2; cat")
    created = bundle.create(stdin="in\n").ok()
    bundle.start().ok()
    bundle.wait_stopped()
    assert (created.stdout, created.stderr) == ("out\nin\n", "err\n")


def test_later_changes_of_the_config_have_no_effect(bundle):
    bundle.shell("echo first; hostname")
    created = bundle.create().ok()
    bundle.shell("echo second")
    bundle.config["hostname"] = "changed"
    bundle.save()
    bundle.start().ok()
    bundle.wait_stopped()
    assert created.stdout == "first\ncreel\n"


def test_stopped_by_its_own_end(bundle):
    bundle.args("true")
    bundle.create().ok()
    bundle.start().ok()
    bundle.wait_stopped()
    bundle.start().fails("cannot start a container that has stopped")


@pytest.mark.creel_only("1.1 leaks in this race")
def test_one_of_many_concurrent_creates_wins(bundle):
    bundle.sleep()
    bundle.save()
    bundle.alive.add(bundle.id)
    runners = [bundle.spawn("create", "-b", bundle.path, bundle.id) for _ in range(6)]
    results = [runner.wait() for runner in runners]
    assert sorted(result.rc for result in results) == [0, 1, 1, 1, 1, 1]
    for result in results:
        if result.rc:
            result.fails("runc create failed: container with given ID already exists")
    bundle.start().ok()
    assert bundle.status() == "running"


def test_one_of_two_concurrent_starts_wins(bundle):
    bundle.sleep()
    bundle.create().ok()
    runners = [bundle.spawn("start", bundle.id) for _ in range(2)]
    assert sorted(runner.wait().rc for runner in runners) == [0, 1]
    assert bundle.status() == "running"


def test_many_containers_at_once(bundle):
    bundle.sleep()
    bundle.save()
    ids = [f"{bundle.id}-{n}" for n in range(8)]
    bundle.alive.update(ids)
    for runner in [bundle.spawn("run", "-d", "-b", bundle.path, id) for id in ids]:
        runner.wait().ok()
    assert bundle.creel("list", "-q").ok().stdout.split() == ids
    for runner in [bundle.spawn("delete", "-f", id) for id in ids]:
        runner.wait().ok()


def test_ids_may_hold_all_allowed_characters(bundle):
    id = f"{bundle.id}_A.b+c-9"
    bundle.shell("echo ran")
    assert bundle.run(id=id).ok().stdout == "ran\n"


# ---- kill ----

@pytest.mark.parametrize("words", [[], ["TERM"], ["SIGTERM"], ["term"], ["sigterm"], ["15"]])
def test_ways_to_name_a_signal(bundle, words):
    bundle.shell("trap 'echo TERM >/got; exit' TERM; echo >/ready; while :; do sleep 0.01; done")
    bundle.run_detached().ok()
    wait_until((bundle.rootfs / "ready").exists, "the trap to be set")
    bundle.kill(*words).ok()
    bundle.wait_stopped()
    assert (bundle.rootfs / "got").read_text() == "TERM\n"


@pytest.mark.parametrize("word", ["FOO", "SIGFOO", "9x", "SIGSIGTERM"])
def test_unknown_signal(bundle, word):
    bundle.up()
    bundle.kill(word).fails(f'unknown signal "{word}"')
    assert bundle.status() == "running"


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "KILL"])
def test_fatal_signal_ends_a_created_container(bundle, name):
    bundle.create().ok()
    bundle.kill(name).ok()
    bundle.wait_stopped()
    bundle.delete().ok()


def test_kill_all_on_a_stopped_container_is_no_error(bundle):
    bundle.up()
    bundle.stop()
    bundle.creel("kill", "--all", bundle.id, "KILL").ok()


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


# ---- delete ----

def test_delete_is_once(bundle):
    bundle.create().ok()
    bundle.delete().ok()
    bundle.delete().fails("container does not exist")


def test_delete_force_of_nothing_is_silent(bundle):
    result = bundle.delete("--force").ok()
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.creel_only("1.1 knows no lock")
def test_a_command_that_hangs_does_not_hang_others(bundle):
    bundle.hook("createRuntime", "echo $$ >pid; mv pid ready; exec sleep 1000")
    bundle.save()
    bundle.alive.add(bundle.id)
    creating = bundle.spawn("create", "-b", bundle.path, bundle.id)
    wait_until((bundle.path / "ready").exists, "the hook")
    message = bundle.delete("--force").fails(f"container {bundle.id} is in use by another command")
    assert "hook" in message.hint
    creating.signal(signal.SIGKILL)
    creating.wait()
    os.kill(int((bundle.path / "ready").read_text()), signal.SIGKILL)
    bundle.delete("--force").ok()


def test_delete_force_twice(bundle):
    bundle.up()
    bundle.delete("--force").ok()
    bundle.delete("--force").ok()


@pytest.mark.creel_only("1.1 leaves the cgroup on v2")
def test_delete_kills_what_a_stopped_container_left_without_a_pid_namespace(bundle):
    bundle.host_namespace("pid")
    bundle.shell("sleep 1000 & echo >/ready")
    bundle.run_detached().ok()
    bundle.wait_stopped()
    bundle.delete().ok()
    assert bundle.guard.check() == []


def test_delete_removes_a_leftover_directory(bundle):
    (bundle.root / bundle.id).mkdir(parents=True)
    bundle.delete().fails("container does not exist")
    assert list(bundle.root.iterdir()) == []


def test_delete_force_removes_a_leftover_directory(bundle):
    (bundle.root / bundle.id).mkdir(parents=True)
    bundle.delete("--force").ok()
    assert list(bundle.root.iterdir()) == []


def test_delete_needs_no_bundle(bundle):
    bundle.up()
    os.rename(bundle.path / "config.json", bundle.path / "gone.json")
    bundle.delete("--force").ok()
    assert bundle.status() is None


def test_commands_need_no_environment(bundle):
    bundle.up()
    how = {"env": {"XDG_RUNTIME_DIR": ""}}
    bundle.creel("state", bundle.id, **how).ok()
    bundle.creel("kill", bundle.id, "KILL", **how).ok()
    bundle.wait_stopped()
    bundle.creel("delete", bundle.id, **how).ok()


def test_init_killed_while_created(bundle):
    bundle.create().ok()
    os.kill(bundle.pid(), signal.SIGKILL)
    bundle.wait_stopped()
    bundle.start().fails("cannot start a container that has stopped")
    bundle.delete().ok()


def test_a_zombie_counts_as_stopped(bundle):
    bundle.up()
    pid = bundle.pid()
    with leaks.reaper.paused():
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: leaks.is_nested_zombie(pid), "the zombie")
        assert bundle.status() == "stopped"
        bundle.delete().ok()


def test_root_directory_is_made_private(bundle):
    bundle.create().ok()
    assert bundle.root.stat().st_mode & 0o777 == 0o700
