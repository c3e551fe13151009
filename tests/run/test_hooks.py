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


def test_working_directory_is_made_in_what_a_hook_mounts(bundle):
    (bundle.rootfs / "place").mkdir()
    bundle.process["cwd"] = "/place/deep"
    bundle.hook("createContainer", f"mount -t tmpfs tmpfs {bundle.rootfs}/place")
    assert bundle.output("pwd; stat -f -c %T .").split() == ["/place/deep", "tmpfs"]
    assert not list((bundle.rootfs / "place").iterdir())


def test_create_container_hook_is_in_all_namespaces_of_the_container(noting):
    note(noting, "createContainer", "$(cd /proc/self/ns; readlink ipc mnt net pid uts | tr '\\n' ' ')")
    noting.hook("createContainer", "true")
    noting.sleep()
    noting.create().ok()
    inside = host.namespaces(noting.pid())
    seen = notes(noting)[0].split()[1:]
    assert seen == [inside[name] for name in ("ipc", "mnt", "net", "pid", "uts")]


def test_start_container_hook_is_the_program_before_the_program(noting):
    """Its user, its directory, its root, its capabilities."""
    noting.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    noting.process["cwd"] = "/var/somewhere"
    (noting.path / "notes").chmod(0o666)
    own = "$(id -u; id -G; pwd; ls -d /bin/busybox; grep CapEff /proc/self/status)"
    note(noting, "startContainer", own)
    noting.run().ok()
    text = " ".join(notes(noting)).split()
    assert text == ["startContainer", "1000", "1000", "5", "/var/somewhere", "/bin/busybox",
                    "CapEff:", "0" * 16]


def test_runtime_hooks_find_the_limits_in_force(noting):
    """What they learn of the container is what it will be."""
    noting.linux["resources"]["pids"] = {"limit": 77}
    if not host.hierarchy("pids"):
        pytest.skip("no pids controller")
    note(noting, "createRuntime", f"$(cat $(find /sys/fs/cgroup -path '*{noting.id}/pids.max'))")
    noting.create().ok()
    assert notes(noting) == ["createRuntime 77"]


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


KEYS = {"ociVersion", "id", "status", "pid", "bundle"}


@pytest.mark.creel_only("1.1 writes a pid of 0 and annotations that are null")
@pytest.mark.parametrize("kind", KINDS)
def test_state_has_these_keys_and_no_other(noting, kind):
    note(noting, kind, "$(cat)")
    whole_life(noting)
    state = told(noting, kind)
    assert set(state) == (KEYS - {"pid"} if kind == "poststop" else KEYS)
    assert state["ociVersion"] == noting.config["ociVersion"]


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_pid_for_a_hook_in_the_container_is_its_own_view(noting, kind):
    note(noting, kind, "$(cat)")
    whole_life(noting)
    assert told(noting, kind)["pid"] == 1


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


def test_init_that_a_hook_kills_is_told(noting):
    noting.hook("createRuntime", 'read -r state; kill -9 "$(echo "$state" | grep -o '
                '\'"pid": *[0-9]*\' | grep -o "[0-9]*")"; sleep 0.2')
    noting.create().fails(part="container init was killed by signal 9")


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_empty_environment_is_empty(noting, kind):
    script = f"tr '\\0' '\\n' </proc/$$/environ >{noting.path}/notes; echo end >>{noting.path}/notes"
    noting.hook(kind, script, env=[])
    noting.create(env={"PATH": PATH, "SECRET": "x"}).ok()
    assert notes(noting) == ["end"]


def environment_inside(noting, kind, command):
    """What a hook that names no environment has."""
    noting.env(OWN="of the program")
    where = "/notes" if kind == "startContainer" else f"{noting.path}/notes"
    noting.hook(kind, f"PATH=/bin:/usr/bin env >{where}")
    how = {"env": {"PATH": PATH, "SECRET": "x"}}
    if command == "run":
        noting.run(**how).ok()
    else:
        noting.create(**how).ok()
        noting.start().ok()
        noting.wait_stopped()
    return notes(noting)


@pytest.mark.parametrize("command", ["run", "create"])
def test_in_the_container_a_missing_environment_is_the_programs(noting, command):
    """And never that of the runtime's caller, which may have secrets."""
    seen = environment_inside(noting, "startContainer", command)
    assert "OWN=of the program" in seen and "SECRET=x" not in seen


@pytest.mark.creel_only("it has the program's")
@pytest.mark.parametrize("command", ["run", "create"])
def test_program_of_the_host_has_nobodys_environment(noting, command):
    """By LD_PRELOAD, say, the image could take it over: it has the host's root and all rights."""
    seen = environment_inside(noting, "createContainer", command)
    assert not [line for line in seen if line.startswith(("OWN=", "SECRET="))]


@pytest.mark.creel_only("it has the program's")
def test_program_of_the_host_finds_others(noting):
    noting.hook("createContainer", f"printf %s $PATH >{noting.path}/notes")
    whole_life(noting)
    assert "/usr/bin" in notes(noting)[0].split(":")


def test_null_environment_is_a_missing_one(noting):
    noting.hook("createRuntime", f"env >{noting.path}/notes", env=None)
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


@pytest.mark.creel_only("1.1 waits for ever for what the hook started")
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_timeout(noting, kind):
    noting.hook(kind, "exec sleep 1000", timeout=1, env=[f"PATH={PATH}"])
    note(noting, kind, "never reached")
    begin = time.monotonic()
    noting.create().fails(part=f"error running {kind} hook #0: hook ran past specified timeout of "
                               "1.0s")
    assert time.monotonic() - begin > 0.9
    assert notes(noting) == []
    assert noting.guard.check() == []


# Each leaves the first process of the hook in a way of its own.
RUNAWAYS = {
    "a child": "sleep 1000 & wait",
    "another session": "setsid sleep 1000 & wait",
    "a daemon": "(setsid sh -c 'sleep 1000 & exec sleep 1000' &) ; exec sleep 1000",
    "deaf to signals": "trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM; sleep 1000' & wait",
    "many": "for n in 1 2 3 4 5 6 7 8 9; do setsid sh -c 'setsid sleep 1000 & sleep 1000' & done; "
            "wait",
}


@pytest.mark.creel_only("1.1 kills the first process alone")
@pytest.mark.parametrize("kind, way", [("createRuntime", way) for way in RUNAWAYS] + [
    ("prestart", "another session"), ("createContainer", "another session")])
def test_all_that_a_hook_started_ends_when_its_time_is_up(noting, kind, way):
    noting.hook(kind, RUNAWAYS[way], timeout=1, env=[f"PATH={PATH}"])
    noting.create().fails(part="hook ran past specified timeout of 1.0s")
    assert noting.guard.check() == []


def killed_in_hook(noting, timeout):
    """A create that was ended with its process group while its hook runs. The hook's pids."""
    pids = noting.path / "pids"
    noting.hook("createRuntime", f"echo $$ >{pids}; setsid sleep 1000 & echo $! >>{pids}; wait",
                timeout=timeout, env=[f"PATH={PATH}"])
    noting.save()
    running = noting.spawn("create", "--bundle", noting.path, noting.id, start_new_session=True)
    wait_until(lambda: pids.exists() and pids.read_text().count("\n") == 2, "the hook to run")
    os.killpg(running.pid, signal.SIGTERM)
    running.wait()
    return [int(pid) for pid in pids.read_text().split()]


@pytest.mark.creel_only("1.1 ends no hook then")
def test_hook_ends_in_time_though_the_runtime_was_killed(noting):
    killed_in_hook(noting, 1)
    noting.delete("--force").ok()
    wait_until(lambda: noting.guard.check(0) == [], "the hook to end")


@pytest.mark.creel_only("1.1 has no lock")
def test_who_watches_over_a_hook_holds_no_lock(noting):
    hook = killed_in_hook(noting, 600)
    noting.delete("--force").ok()
    for pid in hook:
        os.kill(pid, signal.SIGKILL)


def test_what_a_hook_left_in_the_background_in_time_goes_on(noting):
    script = f"setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >{noting.path}/notes"
    noting.hook("createRuntime", script, timeout=60)
    noting.create().ok()
    pid = int(notes(noting)[0])
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.creel_only("1.1 warns alone")
def test_timeout_of_poststart_stops_the_container(noting):
    noting.hook("poststart", RUNAWAYS["another session"], timeout=1, env=[f"PATH={PATH}"])
    noting.sleep()
    noting.create().ok()
    noting.start().fails(part="error running poststart hook #0: hook ran past specified timeout")
    noting.wait_stopped()


@pytest.mark.creel_only("1.1 has no error")
def test_timeout_of_start_container_ends_the_container(noting):
    noting.hook("startContainer", "setsid sleep 1000 & exec sleep 1000", timeout=1)
    noting.create().ok()
    noting.start().fails(
        part="error running startContainer hook #0: hook ran past specified timeout")
    noting.wait_stopped()


@pytest.mark.creel_only("1.1 does not go on")
def test_timeout_of_poststop_is_a_warning(noting):
    noting.hook("poststop", RUNAWAYS["another session"], timeout=1, env=[f"PATH={PATH}"])
    note(noting, "poststop", "next")
    noting.create().ok()
    (warning,) = noting.delete().ok().messages("warning")
    assert "poststop hook #0: hook ran past specified timeout of 1.0s" in warning
    assert notes(noting) == ["poststop next"]


@pytest.mark.creel_only("1.1 has other words")
def test_hook_with_a_timeout_fails_as_others_do(noting):
    noting.hook("createRuntime", "echo out; echo err >&2; exit 7", timeout=60)
    noting.create().fails(re.compile(
        r"error running createRuntime hook #0: exit status 7, stdout: out, stderr: err"))
    noting.config["hooks"] = {"createRuntime": [{"path": "/nowhere/hook", "timeout": 60}]}
    noting.create().fails(part="fork/exec /nowhere/hook: no such file or directory")


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
