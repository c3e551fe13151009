"""Containers of a user without privileges: one id, no cgroup of its own, no newuidmap."""

import json
import os

import pytest

USER = 65534


@pytest.fixture
def mine(bundle):
    """A bundle as `spec --rootless` makes it, and a state directory, of a user with no privilege."""
    bundle.creel("spec", "--rootless", "-b", bundle.path).ok()
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process["terminal"] = False
    for kind in ("uidMappings", "gidMappings"):
        bundle.linux[kind][0]["hostID"] = USER
    bundle.root = bundle.path / "user-state"
    bundle.root.mkdir()
    for directory, _, files in os.walk(bundle.path):
        for name in [directory, *(f"{directory}/{file}" for file in files)]:
            os.chown(name, USER, USER, follow_symlinks=False)
    bundle.as_user = {"user": USER, "group": USER, "extra_groups": []}
    return bundle


def test_it_runs_as_root_of_its_namespace(mine):
    mine.shell("id -u; cat /proc/self/uid_map")
    lines = mine.run(**mine.as_user).ok().stdout.split()
    assert lines == ["0", "0", str(USER), "1"]


def test_whole_life(mine):
    mine.sleep()
    mine.create(**mine.as_user).ok()
    mine.creel("start", mine.id, **mine.as_user).ok()
    assert mine.creel("exec", mine.id, "id", "-u", **mine.as_user).ok().stdout == "0\n"
    state = json.loads(mine.creel("state", mine.id, **mine.as_user).ok().stdout)
    assert state["status"] == "running"
    mine.creel("delete", "--force", mine.id, **mine.as_user).ok()
    mine.alive.discard(mine.id)
    assert list(mine.root.iterdir()) == []


def test_control_groups_cannot_be_written_inside(mine):
    mine.shell("find /sys/fs/cgroup -name cgroup.procs | while read f; do "
               "echo 1 2>/dev/null > $f && echo written; done; echo end")
    assert mine.run(**mine.as_user).ok().stdout == "end\n"


def test_limits_that_cannot_be_had_are_an_error(mine):
    mine.linux["resources"] = {"pids": {"limit": 20}}
    result = mine.run(**mine.as_user)
    assert result.rc == 1 and "delegated" in result.stderr


def test_unmapped_user_is_refused(mine):
    mine.process["user"] = {"uid": 5, "gid": 0}
    mine.run(**mine.as_user).fails(part="unmapped user")


def test_default_state_directory_of_root_is_explained(mine):
    mine.save()
    result = mine.program("run", "-b", mine.path, mine.id, **mine.as_user)
    assert result.rc == 1 and "XDG_RUNTIME_DIR" in result.stderr


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
