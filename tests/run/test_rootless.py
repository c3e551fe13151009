"""Containers of ordinary users: with one id, with a range, and inside a user namespace already."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

import host
import rootless
from program import PATH, wait_until
from rootless import NOBODY
from terminal import Listener, Master, Screen, close_all

V2 = host.is_cgroup_v2()


@pytest.fixture
def mine(bundle):
    """A bundle as `spec --rootless` makes it, and a state directory, of a user with no privilege."""
    return rootless.give(bundle)


def test_it_runs_as_root_of_its_namespace(mine):
    mine.shell("id -u; cat /proc/self/uid_map")
    lines = mine.run(**mine.as_user).ok().stdout.split()
    assert lines == ["0", "0", str(NOBODY), "1"]


# ---- a whole life ----

# Prints "+ COMMAND", what it says, and "= STATUS" of each command on the container $1.
LIFE = """
c() { echo "+ $*"; "$CREEL" --root "$STATE" "$@" 2>&1 || status=$?; echo "= ${status:-0}"; status=; }
c create --bundle "$BUNDLE" "$1" </dev/null >"$BUNDLE/created"
cat "$BUNDLE/created"
c state "$1"
c start "$1"
c exec "$1" id -u
c exec --detach --pid-file "$BUNDLE/exec.pid" "$1" sleep 1000
c list --quiet
c ps "$1"
c pause "$1"
c state "$1"
c resume "$1"
c update --pids-limit 50 "$1"
c events --stats "$1"
c kill "$1" KILL
c delete --force "$1"
c list --quiet
"""


def live(bundle, **how):
    """What LIFE prints, as [(command, output, status)]."""
    bundle.sleep()
    bundle.save()
    bundle.script("life", LIFE)
    environment = {"PATH": PATH, "CREEL": str(bundle.program.path), "STATE": str(bundle.root),
                   "BUNDLE": str(bundle.path)}
    bundle.program.path, kept = Path("/bin/sh"), bundle.program.path
    try:
        told = bundle.program.start("-e", bundle.rootfs / "life", bundle.id, env=environment, **how)
    finally:
        bundle.program.path = kept
    found = []
    for part in told.wait(60).ok().stdout.split("+ ")[1:]:
        command, rest = part.split("\n", 1)
        output, status = rest.rsplit("= ", 1)
        found.append((command.split()[0], output.strip(), int(status)))
    return found


NO_CGROUP = {
    "ps": "unable to get all container pids: the container has no cgroup",
    "pause": "cannot toggle freezer: cgroups not configured for container",
    "resume": "container not paused",
    "update": "has no cgroup: there are no limits to change",
    "events": "has no cgroup: nobody counts what it uses",
}


def judge_life(told, without):
    """Holds each command against what it must do; without has what needs something that is not there."""
    status = iter(["created", "running" if "pause" in without else "paused"])
    for command, output, code in told:
        if command in without:
            assert code == 1 and without[command] in output, (command, output, code)
            continue
        assert code == 0, (command, output)
        if command == "state":
            assert json.loads(output)["status"] == next(status)
    assert [output for command, output, _ in told if command == "exec"] == ["0", ""]
    assert [bool(output) for command, output, _ in told if command == "list"] == [True, False]


def test_life_with_one_id(mine):
    judge_life(live(mine, **mine.as_user), NO_CGROUP)
    assert list(mine.root.iterdir()) == []


def test_life_with_a_range(mine):
    rootless.map_range(mine)
    granted = rootless.grant(mine, "tester:100000:65536\n")
    judge_life(live(mine, **rootless.on_machine(granted)), NO_CGROUP)


@pytest.mark.parametrize("options", [(), ("--mount",), ("--mount", "--pid", "--fork", "--mount-proc")])
def test_life_in_a_user_namespace(mine, options):
    for kind in ("uidMappings", "gidMappings"):
        mine.linux[kind][0]["hostID"] = 0
    judge_life(live(mine, **rootless.in_user_namespace("", *options)), NO_CGROUP)


def test_life_in_a_user_namespace_without_one_of_its_own(mine):
    mine.host_namespace("user")
    for kind in ("uidMappings", "gidMappings"):
        del mine.linux[kind]
    judge_life(live(mine, **rootless.in_user_namespace("", "--mount")), NO_CGROUP)


def test_all_ids_of_a_range(mine):
    rootless.map_range(mine)
    mine.process["user"] = {"uid": 65536, "gid": 1}
    mine.shell("id; cat /proc/self/uid_map /proc/self/setgroups")
    how = rootless.on_machine(rootless.grant(mine, "tester:100000:65536\n"))
    told = mine.run(**how).ok().stdout
    assert told.startswith("uid=65536 gid=1")
    assert told.split()[-7:] == ["0", str(NOBODY), "1", "1", "100000", "65536", "allow"]


def test_a_range_of_two_lines_and_by_number(mine):
    rootless.map_range(mine, size=20)
    lines = f"{NOBODY}:100000:10\ntester:100010:10\n"
    mine.shell("tail -n 1 /proc/self/uid_map")
    told = mine.run(**rootless.on_machine(rootless.grant(mine, lines)))
    if told.rc:  # older ones take a range from one line only
        assert "uid range" in told.stderr
    else:
        assert told.stdout.split() == ["1", "100000", "20"]


# ---- what the container sees ----

def test_own_network_namespace_gives_a_sysfs(mine):
    mine.namespace("network")
    for entry in mine.config["mounts"]:
        if entry["destination"] == "/sys":
            entry |= {"type": "sysfs", "source": "sysfs", "options": ["ro", "nosuid"]}
    mine.shell("ls /sys/class/net")
    assert "lo" in mine.run(**mine.as_user).ok().stdout.split()


def test_network_and_sys_of_the_host(mine):
    mine.shell("ls /sys/class/net")
    assert set(mine.run(**mine.as_user).ok().stdout.split()) == set(os.listdir("/sys/class/net"))


def test_devices_are_the_hosts(mine):
    mine.shell("for d in null zero full random urandom tty; do stat -c '%n %t:%T %u' /dev/$d; done; "
               "echo x >/dev/null; head -c 1 /dev/zero | wc -c")
    lines = mine.run(**mine.as_user).ok().stdout.splitlines()
    assert lines[0] == "/dev/null 1:3 65534" and lines[-1].strip() == "1"


def test_control_groups_cannot_be_written_inside(mine):
    mine.shell("find /sys/fs/cgroup -name cgroup.procs | while read f; do "
               "echo 1 2>/dev/null > $f && echo written; done; echo end")
    assert mine.run(**mine.as_user).ok().stdout == "end\n"


@pytest.mark.parametrize("option", ["nosuid", "nodev", "nosuid,nodev,noexec"])
def test_bundle_on_a_restricted_mount(mine, option):
    """What /tmp is mounted with stays in force: the kernel locks it."""
    mine.args("/bin/true")
    result = mine.run(**rootless.on_machine(
        f"mount --bind {mine.path} {mine.path}; mount -o remount,bind,{option} {mine.path}"))
    if "noexec" in option:
        assert result.rc == 1 and "on a mount with the option noexec" in result.stderr
    else:
        result.ok()


def test_terminal_in_the_foreground(mine):
    mine.process["terminal"] = True
    mine.shell("tty; id -u; stat -c %u $(tty)")
    mine.save()
    screen = Screen()
    running = mine.spawn("run", "--bundle", mine.path, mine.id, **screen.streams(), **mine.as_user)
    assert screen.wait(running) == 0, screen.text()
    assert screen.text().split() == ["/dev/pts/0", "0", "0"]
    close_all()


def test_terminal_of_a_detached_one(mine):
    mine.process["terminal"] = True
    mine.shell("tty; exec sleep 1000")
    listener = Listener(mine.path / "console.sock")
    os.chown(mine.path / "console.sock", NOBODY, NOBODY)
    mine.alive.add(mine.id)
    mine.run("--detach", "--console-socket", mine.path / "console.sock", **mine.as_user).ok()
    Master(listener.receive()[1]).expect("/dev/pts/0")
    mine.delete("--force", **mine.as_user).ok()
    close_all()


# ---- where its state is ----

def test_default_state_directory_of_root_is_explained(mine):
    mine.save()
    result = mine.program("run", "-b", mine.path, mine.id, **mine.as_user)
    assert result.rc == 1 and "XDG_RUNTIME_DIR" in result.stderr


def test_list_without_a_runtime_directory(mine):
    roots = f"mount -t tmpfs -o mode=755 tmpfs /run; mkdir -m 700 /run/{mine.program.name}"
    result = mine.program("list", **rootless.on_machine(roots))
    assert result.rc == 1
    assert "permission denied" in result.stderr and "XDG_RUNTIME_DIR" in result.stderr


def test_state_below_the_runtime_directory(mine):
    mine.save()
    environment = {"PATH": PATH, "XDG_RUNTIME_DIR": str(mine.path)}
    mine.program("run", "-b", mine.path, mine.id, env=environment, **mine.as_user).ok()
    state = mine.path / "creel"
    if mine.program.name == "runc":
        state = mine.path / "runc"
    assert state.stat().st_mode & stat.S_ISVTX and state.stat().st_uid == NOBODY


# ---- what it may not have ----

def test_limits_that_cannot_be_had_are_an_error(mine):
    mine.linux["resources"] = {"pids": {"limit": 20}}
    result = mine.run(**mine.as_user)
    assert result.rc == 1 and "delegated" in result.stderr


def test_unmapped_user_is_refused(mine):
    mine.process["user"] = {"uid": 5, "gid": 0}
    mine.run(**mine.as_user).fails(part="unmapped user")


def test_additional_groups_are_refused(mine):
    mine.process["user"] = {"uid": 0, "gid": 0, "additionalGids": [5]}
    mine.run(**mine.as_user).fails(
        "runc run failed: cannot set any additional groups in a rootless container")


def test_user_namespace_is_needed(mine):
    mine.host_namespace("user")
    for kind in ("uidMappings", "gidMappings"):
        del mine.linux[kind]
    mine.run(**mine.as_user).fails("runc run failed: rootless container requires user namespaces",
                                   pointer="/linux/namespaces")


# ---- clocks ----

def with_offsets(mine):
    mine.namespace("time")
    mine.linux["timeOffsets"] = {"boottime": {"secs": 86400}}
    mine.shell("grep boottime /proc/self/timens_offsets")


def test_time_offsets(mine):
    with_offsets(mine)
    assert mine.run(**mine.as_user).ok().stdout.split() == ["boottime", "86400", "0"]


def test_time_offsets_in_a_joined_user_namespace(mine):
    mine.sleep()
    mine.run_detached(**mine.as_user).ok()
    owner = f"/proc/{mine.pid()}/ns/user"
    with_offsets(mine)
    mine.namespace("user", owner)
    for key in ("uidMappings", "gidMappings"):
        del mine.linux[key]
    out = mine.run(id=f"{mine.id}-2", **mine.as_user).ok().stdout
    assert out.split() == ["boottime", "86400", "0"]


# ---- a cgroup of the user's ----

@pytest.fixture
def delegated(mine):
    """
    The user has a cgroup, and is in a child of it, as after a login: the kernel lets nobody be moved
    who does not own what is above both places (cgroups(7), "Delegation").
    """
    if not V2:
        pytest.skip("cgroups are delegated in version 2")
    above = host.hierarchy("freezer").point / f"{mine.id}.slice"
    mine.top = above / f"user@{mine.id}.service"
    session = mine.top / "session"
    session.mkdir(parents=True)
    available = (above / "cgroup.controllers").read_text().split()
    for name in {"memory", "pids"} & set(available):
        (above / "cgroup.subtree_control").write_text(f"+{name}")
    names = Path("/sys/kernel/cgroup/delegate").read_text().split()
    for where in (mine.top, session):
        for path in (where, *(where / name for name in names)):
            if path.exists():
                os.chown(path, NOBODY, NOBODY)
    mine.how = rootless.on_machine(f"echo $$ >{session}/cgroup.procs")
    yield mine
    wait_until(lambda: not (session / "cgroup.procs").read_text(), "the session to end")
    for path in (session, mine.top, above):
        path.rmdir()


def test_life_in_a_delegated_cgroup(delegated):
    without = {}
    if "pids" not in (delegated.top / "cgroup.controllers").read_text().split():
        without = {"update": "is not available in"}
    judge_life(live(delegated, **delegated.how), without)


def test_it_is_a_sibling_of_the_session(delegated):
    delegated.linux["namespaces"] = [n for n in delegated.linux["namespaces"] if n["type"] != "cgroup"]
    delegated.args("grep", "^0:", "/proc/self/cgroup")
    told = delegated.run(**delegated.how).ok().stdout
    assert told.endswith(f".slice/user@{delegated.id}.service/{delegated.id}\n")


def test_limits_in_a_delegated_cgroup(delegated):
    available = (delegated.top / "cgroup.controllers").read_text().split()
    if not {"memory", "pids"} <= set(available):
        pytest.skip("memory and pids are not passed on here")
    delegated.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}}
    delegated.sleep()
    delegated.run("--detach", **delegated.how).ok()
    delegated.alive.add(delegated.id)
    where = delegated.top / delegated.id
    assert (where / "memory.max").read_text() == f"{64 << 20}\n"
    assert (where / "pids.max").read_text() == "20\n"
    delegated.creel("update", "--memory", str(32 << 20), delegated.id, **delegated.how).ok()
    assert (where / "memory.max").read_text() == f"{32 << 20}\n"
    delegated.creel("delete", "--force", delegated.id, **delegated.how).ok()
    assert not where.exists()


def test_controller_that_is_not_delegated(delegated):
    delegated.linux["resources"] = {"hugepageLimits": [{"pageSize": "2MB", "limit": 2 << 20}]}
    message = delegated.run(**delegated.how).fails(part='cgroup controller "hugetlb"')
    if "the kernel has it not" in message.hint:
        pytest.skip("this kernel has no controller hugetlb")
    assert "systemctl edit user@.service" in message.hint


@pytest.fixture
def several_ids(mine):
    """
    A user namespace with two ids, as newuidmap makes it for an ordinary user; the bundle is run by
    its root, in no user namespace of the container's own.
    """
    holder = subprocess.Popen(["unshare", "--user", "--mount", "sleep", "1000"], user=NOBODY,
                              group=NOBODY, extra_groups=[])
    name = Path(f"/proc/{holder.pid}/comm")
    wait_until(lambda: name.read_text() == "sleep\n", "the user namespace")
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{holder.pid}/{kind}").write_text(f"0 {NOBODY} 1\n7 100007 1\n")
    mine.wrapper = ["nsenter", "--user", "--mount", "-t", str(holder.pid), "-S", "0", "-G", "0"]
    mine.host_namespace("user")
    for kind in ("uidMappings", "gidMappings"):
        del mine.linux[kind]
    yield mine
    holder.kill()
    holder.wait()


def test_user_who_would_own_the_cgroup_where_there_is_none(several_ids):
    """The cgroup that root of the namespace may not make is not given to the container's user."""
    several_ids.namespace("cgroup")
    several_ids.config["mounts"] = several_ids.config["mounts"][:1]
    several_ids.mount("/sys/fs/cgroup", "cgroup", "cgroup", "rw")
    several_ids.process["user"] = {"uid": 7, "gid": 7}
    several_ids.args("id", "-u")
    assert several_ids.run(wrapper=several_ids.wrapper).ok().stdout == "7\n"
