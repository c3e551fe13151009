"""`exec --cgroup`: the sub-cgroups that a process joins; and where it goes when init has moved."""

import re
from pathlib import Path

import pytest

import host
from program import wait_until

V2 = host.is_cgroup_v2()

v1 = pytest.mark.skipif(V2, reason="controllers have hierarchies of their own in cgroup v1")
v2 = pytest.mark.skipif(not V2, reason="of cgroup v2")


@pytest.fixture
def up(bundle):
    """A bundle whose container runs and has a cgroup "sub/deeper" in every hierarchy."""
    bundle.up()
    for h in host.hierarchies():
        for path in h.find(bundle.id):
            for new in (path / "sub", path / "sub/deeper"):
                new.mkdir()
                for name in ("cpuset.cpus", "cpuset.mems") if h.version == 1 else ():
                    if (new / name).exists():
                        (new / name).write_text((path / name).read_text())
    return bundle


def places(bundle, *options):
    """{name of the hierarchy: path below the container's cgroup} of a process of exec."""
    pid_file = bundle.path / "pid"
    bundle.exec("sleep", "1000", options=["-d", "--pid-file", pid_file, *options]).ok()
    own = re.compile(rf"/(?:{bundle.id}|runc-{bundle.id}\.scope)(/.*)?$")
    found = {}
    for line in Path(f"/proc/{pid_file.read_text()}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if here := own.search(path):
            found |= dict.fromkeys(names.split(","), here[1] or "")
    return found


def ours(bundle, **other):
    """All hierarchies: "" (the container's own) but for what other says."""
    return dict.fromkeys(places(bundle), "") | other


# ---- where ----

@pytest.mark.parametrize("path, below", [
    ("sub", "/sub"), ("/sub", "/sub"), ("sub/deeper", "/sub/deeper"), ("sub//deeper/", "/sub/deeper"),
    ("/", ""), ("sub/.", "/sub")])
def test_path(up, path, below):
    assert places(up, "--cgroup", path) == dict.fromkeys(ours(up), below)


@v1
def test_path_of_one_controller(up):
    assert places(up, "--cgroup", "freezer:sub") == ours(up, freezer="/sub")


@v1
def test_path_of_several_controllers(up):
    assert places(up, "--cgroup", "memory,freezer:/sub/deeper") == ours(
        up, memory="/sub/deeper", freezer="/sub/deeper")


@v1
def test_several_paths(up):
    assert places(up, "--cgroup", "memory:sub", "--cgroup=freezer:sub/deeper") == ours(
        up, memory="/sub", freezer="/sub/deeper")


@v1
@pytest.mark.creel_only("the last one joined counts")
def test_controllers_of_one_hierarchy_go_together(up):
    names = Path("/proc/self/cgroup").read_text()
    shared = re.search(r":(\w+),(\w+):", names)
    if not shared:
        pytest.skip("no controllers share a hierarchy here")
    assert places(up, "--cgroup", f"{shared[1]}:sub") == ours(
        up, **{shared[1]: "/sub", shared[2]: "/sub"})


def test_without_it_the_containers_own(up):
    assert set(places(up).values()) == {""}


def test_the_process_is_limited_there(up):
    controller, file = ("pids", "pids.max")
    if not host.hierarchy(controller):
        pytest.skip("this cgroup layout has no controller pids")
    (up.cgroup(controller) / file).write_text("3")
    where = "sub" if V2 else "pids:sub"
    script = "sleep 0.01 & sleep 0.01 & sleep 0.01 & wait"
    result = up.exec("sh", "-c", script, options=["--cgroup", where])
    assert "can't fork" in result.stderr


def test_with_a_process_file(up):
    path = up.path / "process.json"
    path.write_text('{"args": ["cat", "/proc/self/cgroup"], "cwd": "/", "env": ["PATH=/bin"]}')
    result = up.creel("exec", "--cgroup", "sub", "--process", path, up.id)
    assert f"/{up.id}/sub\n" in result.ok().stdout or "/sub\n" in result.stdout


def test_it_is_killed_and_deleted_with_the_container(up):
    places(up, "--cgroup", "sub")
    up.delete("--force").ok()
    assert up.guard.check() == []


# ---- what is refused ----

@pytest.mark.parametrize("path", ["nosuch", "sub/nosuch", "/nosuch"])
def test_it_must_exist(up, path):
    up.exec("true", options=["--cgroup", path]).fails(
        re.compile(r"^exec failed: .*no such file or directory$"), rc=255)


@pytest.mark.parametrize("path", ["..", "../other", "sub/../../other", "/..", "sub/../.."])
def test_it_cannot_escape(up, path):
    up.exec("true", options=["--cgroup", path]).fails(
        re.compile(re.escape(path) + " is not a sub cgroup path$"), rc=255)


@v1
def test_a_controller_cannot_escape_either(up):
    up.exec("true", options=["--cgroup", "freezer:../other"]).fails(
        part="../other is not a sub cgroup path", rc=255)


@v1
def test_a_cpuset_must_have_processors(up):
    if not host.hierarchy("cpuset"):
        pytest.skip("this cgroup layout has no cpuset")
    (up.cgroup("cpuset") / "bare").mkdir()
    message = up.exec("true", options=["--cgroup", "cpuset:bare"]).fails(
        part="no space left on device", rc=255)
    assert up.program.name == "runc" or "cpuset.cpus" in message.hint


@pytest.mark.creel_only("it goes by the first letters of a path")
def test_a_neighbour_with_a_longer_name_is_no_sub_cgroup(up):
    up.create(id=up.id + "-b").ok()
    up.exec("true", options=["--cgroup", f"../{up.id}-b"]).fails(
        part="is not a sub cgroup path", rc=255)


def test_unknown_controller(up):
    up.exec("true", options=["--cgroup", "nosuch:sub"]).fails(
        re.compile("unknown controller nosuch in SubCgroupPaths$"), rc=255)


def test_several_without_controllers(up):
    up.exec("true", options=["--cgroup", "sub", "--cgroup", "sub/deeper"]).fails(
        "exec failed: invalid --cgroup argument: sub (missing <controller>: prefix)", rc=255)


@v1
@pytest.mark.creel_only("1.1 takes the last")
@pytest.mark.parametrize("words, text", [
    (["freezer:sub", "freezer:sub/deeper"],
     "invalid --cgroup argument(s): controller freezer specified multiple times"),
    ([":sub"], "invalid --cgroup argument: :sub (empty <controller> prefix)"),
    (["freezer,:sub"], "invalid --cgroup argument: freezer,:sub (empty <controller> prefix)"),
])
def test_malformed(up, words, text):
    options = [f"--cgroup={word}" for word in words]
    up.exec("true", options=options).fails("exec failed: " + text, rc=255)


# ---- init in a cgroup of its own making ----

def init_moves(bundle, controllers=True):
    """What a service manager does: it puts init into a child and lets the container's own pass on
    its controllers."""
    own = bundle.cgroup("freezer")
    available = (own / "cgroup.controllers").read_text().split()
    if not available:
        pytest.skip("no controller of cgroup v2 is available here")
    (own / "init.scope").mkdir()
    (own / "other").mkdir()
    (own / "init.scope/cgroup.procs").write_text(str(bundle.pid()))
    if controllers:
        (own / "cgroup.subtree_control").write_text(" ".join("+" + name for name in available))


@v2
def test_exec_follows_init_into_its_cgroup(bundle):
    bundle.up()
    init_moves(bundle)
    assert places(bundle) == {"": "/init.scope"}


@v2
def test_exec_stays_where_it_may(bundle):
    bundle.up()
    init_moves(bundle, controllers=False)
    assert places(bundle) == {"": ""}


@v2
def test_exec_with_a_path_follows_nobody(bundle):
    bundle.up()
    init_moves(bundle)
    assert places(bundle, "--cgroup", "other") == {"": "/other"}
    bundle.exec("true", options=["--cgroup", "/"]).fails(part="device or resource busy", rc=255)


@v2
@pytest.mark.by_path  # systemd removes a scope without processes
@pytest.mark.creel_only("it goes where init was moved")
def test_exec_does_not_leave_the_containers_cgroup(bundle):
    bundle.up()
    init_moves(bundle)
    outside = host.hierarchy("freezer").point / f"{bundle.id}-outside"
    outside.mkdir()
    (outside / "cgroup.procs").write_text(str(bundle.pid()))
    message = bundle.exec("true").fails(part="device or resource busy", rc=255)
    assert "passes controllers on" in message.hint
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    wait_until(lambda: not (outside / "cgroup.procs").read_text(), "the cgroup to be empty")
    outside.rmdir()


@v2
def test_pause_and_ps_and_kill_know_what_is_below(bundle):
    bundle.up()
    init_moves(bundle)
    assert places(bundle) == {"": "/init.scope"}
    assert len(bundle.ps(options=["-f", "json"]).ok().stdout.split(",")) == 2
    bundle.pause().ok()
    assert bundle.status() == "paused"
    bundle.resume().ok()
    bundle.creel("kill", "--all", bundle.id, "KILL").ok()
    bundle.wait_stopped()
    bundle.delete().ok()
    assert bundle.guard.check() == []


# ---- paused ----

def test_ignore_paused_waits_for_resume(bundle):
    bundle.up()
    bundle.pause().ok()
    running = bundle.spawn("exec", "--ignore-paused", bundle.id, "echo", "later")
    wait_until(lambda: len(procs(bundle)) == 2, "the process to be in the cgroup")
    assert running.process.poll() is None and running.output() == ""
    bundle.resume().ok()
    assert running.wait().ok().stdout == "later\n"


def procs(bundle):
    return (bundle.cgroup("freezer") / "cgroup.procs").read_text().split()
