"""`hooks`: when and where the six kinds run, what they are told, what their failure does."""

import json
import os
import re
import signal
import time

import pytest

import host
from program import PATH, wait_until

BEFORE = ("prestart", "createRuntime", "createContainer")
KINDS = (*BEFORE, "startContainer", "poststart", "poststop")


def note(bundle, kind, text="$(cat)"):
    """
    A hook of a kind that appends `kind text` to BUNDLE/notes; startContainer sees it as /notes.
    """
    path = "/notes" if kind == "startContainer" else f"{bundle.path}/notes"
    bundle.hook(kind, f'printf "%s\\n" "{kind} {text}" >>{path}', env=[f"PATH={PATH}"])


@pytest.fixture
def noting(bundle):
    """A bundle with a file notes that hooks inside and outside can write."""
    (bundle.path / "notes").touch()
    bundle.bind(bundle.path / "notes", "/notes")
    return bundle


def notes(bundle):
    return (bundle.path / "notes").read_text().splitlines()


def told(bundle, kind):
    """The state that a hook of a kind got on its standard input."""
    (line,) = [line for line in notes(bundle) if line.startswith(f"{kind} ")]
    return json.loads(line.removeprefix(f"{kind} "))


def whole_life(bundle):
    bundle.sleep()
    bundle.create().ok()
    pid = bundle.pid()
    bundle.start().ok()
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    bundle.delete().ok()
    return pid


# ---- order and place ----

@pytest.mark.creel_only("1.1 runs poststart before startContainer")
def test_order(noting):
    for kind in reversed(KINDS):
        note(noting, kind, "first")
        note(noting, kind, "second")
    whole_life(noting)
    assert notes(noting) == [f"{kind} {nth}" for kind in KINDS for nth in ("first", "second")]


@pytest.mark.creel_only("1.1 runs poststart in create")
def test_which_command_runs_which(noting):
    for kind in KINDS:
        note(noting, kind, "")
    noting.sleep()
    seen = []

    def step(command):
        command()
        ran = [line.strip() for line in notes(noting)][len(seen):]
        seen.extend(ran)
        return ran

    assert step(lambda: noting.create().ok()) == list(BEFORE)
    assert step(lambda: noting.start().ok()) == ["startContainer", "poststart"]
    assert step(lambda: noting.kill("KILL").ok()) == []
    noting.wait_stopped()
    assert step(lambda: noting.delete().ok()) == ["poststop"]


def test_foreground_run_runs_all(noting):
    for kind in KINDS:
        note(noting, kind, "")
    noting.args("sleep", "0.05")
    noting.run().ok()
    assert sorted(line.strip() for line in notes(noting)) == sorted(KINDS)


@pytest.mark.parametrize("kind, runtime_side", [
    ("prestart", True), ("createRuntime", True), ("createContainer", False),
    ("startContainer", False), ("poststart", True), ("poststop", True)])
def test_mount_namespace(noting, kind, runtime_side):
    note(noting, kind, "$(readlink /proc/self/ns/mnt)")
    whole_life(noting)
    seen = notes(noting)[0].split()[1]
    assert (seen == host.namespaces()["mnt"]) == runtime_side


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "poststart"])
def test_working_directory_of_runtime_hooks_is_the_bundle(noting, kind):
    note(noting, kind, "$(pwd)")
    whole_life(noting)
    assert notes(noting) == [f"{kind} {noting.path}"]


def test_create_container_hook_starts_in_the_rootfs_and_sees_the_host(noting):
    note(noting, "createContainer", "$(pwd) $(cat /proc/1/comm >/dev/null && ls -d etc/group)")
    whole_life(noting)
    assert notes(noting) == [f"createContainer {noting.rootfs} etc/group"]


def test_create_container_hook_can_still_mount(noting):
    """As the hooks of device vendors do."""
    (noting.path / "extra").mkdir()
    (noting.path / "extra/file").write_text("by the hook\n")
    noting.hook("createContainer", f"mount --bind {noting.path}/extra {noting.rootfs}/mnt")
    assert noting.output("cat /mnt/file") == "by the hook"


def test_runtime_hook_runs_before_the_program_and_in_no_container(noting):
    in_cgroup = f"$(grep -c {noting.id} /proc/self/cgroup)"
    note(noting, "createRuntime", f"$(readlink /proc/self/ns/net) {in_cgroup}")
    whole_life(noting)
    assert notes(noting)[0].split()[1:] == [host.namespaces()["net"], "0"]


def test_prestart_hook_finds_the_namespaces(noting):
    """Network plugins of old: they configure the network of the pid that they are told."""
    pid = "$(cat | tr , '\\n' | sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p')"
    note(noting, "prestart", f"$(readlink /proc/{pid}/ns/net)")
    whole_life(noting)
    seen = notes(noting)[0].split()[1]
    assert seen.startswith("net:[") and seen != host.namespaces()["net"]


# ---- what they are told ----

@pytest.mark.parametrize("kind, status", [
    ("prestart", "creating"), ("createRuntime", "creating"), ("createContainer", "creating"),
    ("startContainer", "created"),
    pytest.param("poststart", "running", marks=pytest.mark.creel_only("1.1 says created")),
    ("poststop", "stopped")])
def test_state_on_standard_input(noting, kind, status):
    noting.config["annotations"] = {"key": "value"}
    note(noting, kind, "$(cat)")
    pid = whole_life(noting)
    state = told(noting, kind)
    assert state["id"] == noting.id
    assert state["status"] == status
    assert state["bundle"] == str(noting.path)
    assert state["annotations"] == {"key": "value"}
    assert "ociVersion" in state
    if kind in ("prestart", "createRuntime", "poststart"):
        assert state["pid"] == pid
    elif kind == "poststop":
        assert state.get("pid", 0) == 0


def test_arguments_are_the_whole_vector(noting):
    script = f'echo "$0|$1|$2" >{noting.path}/notes'
    noting.config["hooks"] = {"createRuntime": [
        {"path": "/bin/sh", "args": ["zero", "-c", script, "a", "b c", "d"]}]}
    whole_life(noting)
    assert notes(noting) == ["a|b c|d"]


def test_environment_is_the_given_one(noting):
    noting.hook("createRuntime", f"env >{noting.path}/notes", env=[f"PATH={PATH}", "A=b"])
    noting.sleep()
    noting.create(env={"PATH": PATH, "SECRET": "x"}).ok()
    assert {"A=b", f"PATH={PATH}"} <= set(notes(noting)) and "SECRET=x" not in notes(noting)


def test_without_a_given_one_it_has_the_runtimes_environment(noting):
    noting.hook("createRuntime", f"env >{noting.path}/notes")
    noting.sleep()
    noting.create(env={"PATH": PATH, "PASSED": "on"}).ok()
    assert "PASSED=on" in notes(noting)


def test_large_state_is_passed_whole(noting):
    noting.config["annotations"] = {f"key{n}": "x" * 1000 for n in range(200)}
    note(noting, "createRuntime", "$(wc -c)")
    whole_life(noting)
    assert int(notes(noting)[0].split()[1]) > 200000


def test_hook_that_does_not_read_is_no_error(noting):
    noting.config["annotations"] = {f"key{n}": "x" * 1000 for n in range(200)}
    noting.hook("createRuntime", "exec <&-; exit 0")
    whole_life(noting)


def test_hook_has_no_descriptors_of_the_runtime(noting):
    noting.hook("createRuntime", f"ls -l /proc/self/fd >{noting.path}/notes", env=[f"PATH={PATH}"])
    whole_life(noting)
    numbers = {line.split(" -> ")[0].split()[-1] for line in notes(noting) if " -> " in line}
    assert numbers <= {"0", "1", "2", "3"}  # 3 is the directory that ls reads


# ---- failure ----

@pytest.mark.creel_only("1.1 does not name the kind")
@pytest.mark.parametrize("kind", BEFORE)
def test_failure_before_the_program_undoes_the_container(noting, kind):
    noting.hook(kind, "echo to stdout; echo to stderr >&2; exit 7")
    note(noting, kind, "never reached")
    message = noting.create().fails(re.compile(rf"error running {kind} hook #0: exit status 7"))
    assert "to stdout" in message.text and "to stderr" in message.text
    assert noting.status() is None
    assert notes(noting) == []


@pytest.mark.creel_only("1.1 does not name the kind")
def test_number_of_the_failing_hook(noting):
    note(noting, "createRuntime", "ran")
    noting.hook("createRuntime", "exit 1")
    noting.create().fails(part="error running createRuntime hook #1: exit status 1")


@pytest.mark.creel_only("1.1 warns alone")
def test_failing_poststart_hook_stops_the_container(noting):
    noting.hook("poststart", "exit 3")
    noting.sleep()
    noting.create().ok()
    noting.start().fails(part="error running poststart hook #0: exit status 3")
    wait_until(lambda: noting.status() in ("stopped", None), "the container to stop")


def test_failing_start_container_hook_ends_the_container(noting):
    noting.hook("startContainer", "exit 3")
    noting.shell("echo ran >/notes")
    noting.create().ok()
    noting.start()
    noting.wait_stopped()
    assert notes(noting) == []


def test_failing_start_container_hook_fails_run(noting):
    noting.hook("startContainer", "exit 3")
    noting.shell("echo ran >/notes")
    assert noting.run().rc in (1, 255)
    assert notes(noting) == []


@pytest.mark.creel_only("1.1 does not go on")
def test_failing_poststop_hook_is_a_warning_and_the_rest_runs(noting):
    noting.hook("poststop", "exit 3")
    note(noting, "poststop", "next")
    noting.create().ok()
    result = noting.delete()
    assert any("poststop hook #0" in text for text in result.messages("warning"))
    assert notes(noting) == ["poststop next"]
    assert noting.status() is None


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_timeout(noting, kind):
    noting.hook(kind, "exec sleep 1000", timeout=1, env=[f"PATH={PATH}"])
    begin = time.monotonic()
    noting.create().fails(re.compile(r"hook ran past specified timeout of 1(\.0)?s"))
    assert 0.9 < time.monotonic() - begin < 3
    assert noting.guard.check() == []


def test_hook_in_time(noting):
    noting.hook("createRuntime", "exit 0", timeout=5)
    noting.create().ok()


@pytest.mark.parametrize("path, text", [
    ("/nowhere/hook", "no such file or directory"), ("/etc/passwd", "permission denied")])
def test_hook_that_cannot_be_run(noting, path, text):
    noting.config["hooks"] = {"createRuntime": [{"path": path}]}
    noting.create().fails(re.compile(f"{path}.*{text}"))


@pytest.mark.creel_only("1.1 does not name the kind")
def test_hook_killed_by_a_signal(noting):
    noting.hook("createRuntime", "kill -KILL $$")
    noting.create().fails(part="error running createRuntime hook #0: signal")


def test_relative_path_is_refused(noting):
    noting.config["hooks"] = {"createRuntime": [{"path": "hook"}]}
    noting.create().fails()


def test_hooks_do_not_run_when_the_id_is_taken(noting):
    noting.create().ok()
    note(noting, "createRuntime", "ran")
    noting.create().fails()
    assert notes(noting) == []


def test_poststop_finds_the_cgroup_gone(noting):
    cgroups = f"$(find /sys/fs/cgroup -name {noting.id} | wc -l)"
    note(noting, "poststop", f"{cgroups} $(ls {noting.root} | wc -l)")
    whole_life(noting)
    assert notes(noting) == ["poststop 0 0"]


def test_output_of_hooks_is_not_the_programs(noting):
    noting.hook("createRuntime", "echo noise")
    noting.hook("createContainer", "echo noise")
    noting.shell("echo program")
    assert noting.run().ok().stdout == "program\n"


def test_create_does_not_wait_for_what_a_hook_left_in_the_background(noting):
    script = f"sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >{noting.path}/notes"
    noting.hook("createRuntime", script)
    noting.create().ok()
    os.kill(int(notes(noting)[0]), signal.SIGKILL)


@pytest.mark.creel_only("1.1 keeps no copy")
def test_delete_does_not_need_the_copy_of_the_configuration(bundle):
    bundle.hook("poststop", "exit 0")
    bundle.sleep()
    bundle.create().ok()
    (bundle.root / bundle.id / "config.json").write_text("{ damaged")
    result = bundle.delete("--force").ok()
    assert any("poststop hooks are not run" in text for text in result.messages("warning"))
