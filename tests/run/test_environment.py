"""The variables of its environment that creel heeds: where its state is, what it passes on."""

import os
import stat

import pytest

from program import PATH

USER = 65534
LISTEN = 'LISTEN_FDS=$1 LISTEN_PID=${2:-$$}; export LISTEN_FDS LISTEN_PID; shift 2; exec "$@"'


def environment(**variables):
    return {"PATH": PATH} | variables


def as_user(directory):
    os.chown(directory, USER, USER)
    return {"user": USER, "group": USER, "extra_groups": []}


# ---- the state directory ----

@pytest.fixture
def xdg(bundle):
    made = bundle.path / "xdg"
    made.mkdir(mode=0o700)
    return made


def state_of(xdg, program):
    return xdg / program.name


def test_state_of_a_user_is_in_the_runtime_directory(bundle, xdg):
    how = as_user(xdg)
    bundle.program("list", env=environment(XDG_RUNTIME_DIR=str(xdg)), **how).ok()
    made = state_of(xdg, bundle.program).stat()
    assert stat.S_IMODE(made.st_mode) == 0o1700 and made.st_uid == USER


def test_sticky_bit_is_given_to_a_state_directory_that_is_there(bundle, xdg):
    how = as_user(xdg)
    state_of(xdg, bundle.program).mkdir(mode=0o755)
    as_user(state_of(xdg, bundle.program))
    bundle.program("list", env=environment(XDG_RUNTIME_DIR=str(xdg)), **how).ok()
    assert stat.S_IMODE(state_of(xdg, bundle.program).stat().st_mode) == 0o1700


def test_runtime_directory_is_made_with_its_parents(bundle, xdg):
    how = as_user(xdg)
    deep = xdg / "run/user/1"
    bundle.program("list", env=environment(XDG_RUNTIME_DIR=str(deep)), **how).ok()
    assert stat.S_IMODE(deep.stat().st_mode) == 0o700
    assert stat.S_IMODE(state_of(deep, bundle.program).stat().st_mode) == 0o1700


def test_root_of_the_machine_does_not_heed_it(bundle, xdg):
    bundle.program("list", env=environment(XDG_RUNTIME_DIR=str(xdg))).ok()
    assert list(xdg.iterdir()) == []


@pytest.mark.parametrize("user, heeded", [(None, True), ("somebody", True), ("root", False)])
def test_root_of_a_user_namespace_heeds_it_unless_its_name_is_root(bundle, xdg, user, heeded):
    variables = {"XDG_RUNTIME_DIR": str(xdg)} | ({"USER": user} if user else {})
    bundle.program("list", env=environment(**variables),
                   wrapper=("unshare", "--user", "--map-root-user")).ok()
    assert state_of(xdg, bundle.program).exists() == heeded


def test_given_root_comes_first(bundle, xdg):
    how = as_user(xdg)
    bundle.root.mkdir()
    as_user(bundle.root)
    bundle.creel("list", env=environment(XDG_RUNTIME_DIR=str(xdg)), **how).ok()
    assert list(xdg.iterdir()) == []


# ---- what is passed on ----

def listening(bundle, count, pid, *options):
    """Runs a container that tells its descriptors and LISTEN_*; creel has files as 3 and 4."""
    bundle.shell('for fd in 0 1 2 3 4 5 6; do [ -e /proc/$$/fd/$fd ] && echo $fd; done;'
                 'echo "$LISTEN_FDS $LISTEN_PID"')
    wrapper = ("sh", "-c", f"exec 3</dev/zero 4</dev/zero; {LISTEN}", "listen", count, pid)
    *fds, told = bundle.run(*options, wrapper=wrapper).ok().stdout.splitlines()
    return " ".join(fds), told


@pytest.mark.parametrize("count, pid, options, fds, told", [
    ("1", "", [], "0 1 2 3", "1 1"),
    ("2", "", [], "0 1 2 3 4", "2 1"),
    ("1", "", ["--preserve-fds=1"], "0 1 2 3 4", "1 1"),
    ("2", "1", [], "0 1 2", ""),
    ("two", "", [], "0 1 2", ""),
])
def test_listen_fds(bundle, count, pid, options, fds, told):
    assert listening(bundle, count, pid, *options) == (fds, told or " ")


def test_nothing_else_of_the_environment_reaches_the_container(bundle):
    bundle.shell("env")
    seen = bundle.run(env=environment(LISTEN_PID="1", _OCI_SYNCPIPE="3", SECRET="x",
                                      XDG_RUNTIME_DIR="/x", GOMAXPROCS="1")).ok().stdout
    for name in ("LISTEN_PID", "_OCI_SYNCPIPE", "SECRET", "XDG_RUNTIME_DIR", "GOMAXPROCS"):
        assert name not in seen


# ---- the id ----

@pytest.mark.parametrize("id", ["a", "A_b+c-d.e", "0", "-a", "..a", "x" * 200])
def test_id_that_may_be(bundle, id):
    bundle.root.mkdir()
    bundle.creel("state", "--", id).fails("container does not exist")


@pytest.mark.parametrize("id", [".", "..", "a/b", "/", "a b", "ü", "a\n", "*"])
def test_id_that_may_not_be(bundle, id):
    bundle.root.mkdir()
    for command in ("state", "start", "delete", "create"):
        assert bundle.creel(command, "--", id).rc == 1
    bundle.creel("state", id).fails("invalid container ID format")


def test_id_that_is_empty(bundle):
    bundle.root.mkdir()
    bundle.creel("state", "").fails("container id cannot be empty")
