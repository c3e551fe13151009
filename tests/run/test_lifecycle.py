"""create, start and delete: what comes after what, and what is there afterwards."""

import os
import signal
from pathlib import Path

import pytest

import leaks
from program import PATH, wait_until

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


@pytest.mark.creel_only("it shows its environment")
def test_waiting_process_shows_neither_words_nor_environment(bundle):
    bundle.create(env={"PATH": PATH, "SECRET": "of-the-caller"}).ok()
    proc = f"/proc/{bundle.pid()}"
    wait_until(lambda: Path(proc, "cmdline").read_text().rstrip("\0") == "creel init",
               "init to forget what it was called with")
    assert "SECRET" not in open(f"{proc}/environ").read()


@pytest.mark.creel_only("it shows its words")
def test_waiting_process_shows_no_words_when_there_is_no_environment(bundle):
    bundle.create(wrapper=["env", "-i"]).ok()
    proc = f"/proc/{bundle.pid()}"
    wait_until(lambda: Path(proc, "cmdline").read_text().rstrip("\0") == "creel init",
               "init to forget what it was called with")


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


@pytest.mark.by_path
def test_ids_may_hold_all_allowed_characters(bundle):
    id = f"{bundle.id}_A.b+c-9"
    bundle.shell("echo ran")
    assert bundle.run(id=id).ok().stdout == "ran\n"


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
