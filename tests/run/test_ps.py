"""`ps`: the processes of a container, in the words of ps(1) or as pids."""

import json
import shutil
import subprocess

import pytest

from program import PATH, wait_until

needs_ps = pytest.mark.skipif(not shutil.which("ps"), reason="no ps on this machine")


def procs(bundle):
    """The kernel's own list."""
    return sorted(int(pid) for pid in (bundle.cgroup("freezer") / "cgroup.procs").read_text().split())


@pytest.fixture
def three(bundle):
    """A bundle whose container has three processes."""
    bundle.shell("sleep 1000 & sleep 1000 & wait")
    bundle.run_detached().ok()
    wait_until(lambda: len(procs(bundle)) == 3, "the children")
    return bundle


# ---- json ----

def test_json_is_the_pids_on_one_line(three):
    result = three.ps(options=["--format", "json"]).ok()
    assert sorted(json.loads(result.stdout)) == procs(three)
    assert result.stdout.endswith("]\n") and " " not in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("form", [["-f", "json"], ["-f=json"], ["--format=json"], ["-format", "json"]])
def test_forms_of_the_option(bundle, form):
    bundle.up()
    assert bundle.ps(options=form).ok().stdout == f"[{bundle.pid()}]\n"


def test_exec_is_among_them(three):
    pid_file = three.path / "pid"
    three.exec("sleep", "1000", options=["-d", "--pid-file", pid_file]).ok()
    assert int(pid_file.read_text()) in json.loads(three.ps(options=["-f", "json"]).ok().stdout)


def test_processes_in_cgroups_below_are_among_them(three):
    moved = procs(three)[1]
    below = three.cgroup("devices") / "below/deeper"
    below.mkdir(parents=True)
    (below / "cgroup.procs").write_text(str(moved))
    assert moved in json.loads(three.ps(options=["-f", "json"]).ok().stdout)


def test_pids_are_the_callers(bundle):
    bundle.up()
    assert json.loads(bundle.ps(options=["-f", "json"]).ok().stdout) == [bundle.pid()]
    assert bundle.pid() != 1


# ---- the table ----

@needs_ps
def test_table_is_that_of_ps(three):
    result = three.ps().ok()
    header, *lines = result.stdout.splitlines()
    assert header.split()[:3] == ["UID", "PID", "PPID"]
    assert sorted(int(line.split()[1]) for line in lines) == procs(three)
    whole = subprocess.check_output(["ps", "-ef"], text=True, env={"PATH": PATH})
    assert header in whole.splitlines()
    assert result.stderr == ""


@needs_ps
def test_options_of_the_caller(three):
    header, *lines = three.ps("-e", "-o", "pid,comm").ok().stdout.splitlines()
    assert header.split() == ["PID", "COMMAND"]
    assert sorted(int(line.split()[0]) for line in lines) == procs(three)


@needs_ps
def test_options_behind_the_id_are_for_ps(three):
    three.ps("-f", "json").fails(part="exit status 1: ")


@needs_ps
def test_output_without_pids(three):
    three.ps("-e", "-o", "comm").fails("couldn't find PID field in ps output")


@needs_ps
def test_option_that_ps_does_not_know(three):
    message = three.ps("--bogus").fails(part="exit status 1: error: unknown gnu long option")
    assert "Usage:" in message.text


@pytest.mark.creel_only("it adds nothing")
def test_machine_without_ps(bundle):
    bundle.up()
    result = bundle.creel("ps", bundle.id, env={"PATH": str(bundle.path)})
    result.fails('exec: "ps": executable file not found in $PATH')
    bundle.creel("ps", "-f", "json", bundle.id, env={"PATH": str(bundle.path)}).ok()


def test_unknown_format(bundle):
    bundle.up()
    bundle.ps(options=["--format", "yaml"]).fails("invalid format option")


# ---- in other states ----

def test_created(bundle):
    bundle.create().ok()
    assert bundle.ps(options=["-f", "json"]).ok().stdout == f"[{bundle.pid()}]\n"


def test_paused(three):
    before = three.ps(options=["-f", "json"]).ok().stdout
    three.pause().ok()
    assert three.ps(options=["-f", "json"]).ok().stdout == before


def test_stopped(bundle):
    bundle.up()
    bundle.stop()
    wait_until(lambda: not procs(bundle), "the cgroup to be empty")
    assert bundle.ps(options=["-f", "json"]).ok().stdout == "null\n"


@needs_ps
def test_stopped_table_is_its_header(bundle):
    bundle.up()
    bundle.stop()
    wait_until(lambda: not procs(bundle), "the cgroup to be empty")
    (header,) = bundle.ps().ok().stdout.splitlines()
    assert header.split()[1] == "PID"


def test_what_a_stopped_container_left_is_shown(bundle):
    bundle.host_namespace("pid")
    bundle.shell("sleep 1000 & echo >/ready")
    bundle.run_detached().ok()
    bundle.wait_stopped()
    assert json.loads(bundle.ps(options=["-f", "json"]).ok().stdout) == procs(bundle)


def test_of_a_run_in_the_foreground(bundle):
    bundle.sleep()
    bundle.spawn_run()
    assert bundle.ps(options=["-f", "json"]).ok().stdout == f"[{bundle.pid()}]\n"
    bundle.kill("KILL").ok()


# ---- without a cgroup, or access to it ----

@pytest.mark.creel_only("it always has a cgroup")
def test_without_a_cgroup(bundle):
    bundle.up_without_cgroup()
    bundle.ps(options=["-f", "json"]).fails(
        "unable to get all container pids: the container has no cgroup")
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    assert bundle.ps(options=["-f", "json"]).ok().stdout == "null\n"


@pytest.mark.creel_only("1.1 says nothing of it")
def test_lack_of_access_is_explained(bundle):
    bundle.up()
    (bundle.cgroup("devices") / "cgroup.procs").chmod(0)
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"]
    bundle.root.chmod(0o755)
    for file in (bundle.root / bundle.id).iterdir():
        file.chmod(0o644)
    (bundle.root / bundle.id).chmod(0o755)
    result = bundle.creel("ps", "-f", "json", bundle.id, wrapper=nobody)
    result.fails(part="permission denied")
    assert result.messages("warning") == [
        "runc ps failure might be caused by lack of full access to cgroups"]
