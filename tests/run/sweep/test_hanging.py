"""
Processes that cannot be killed, because a file system does not answer: every command ends all the
same, says who it is that hangs, and can be repeated with success when that has gone.
"""

import re
import signal

import pytest

from hanging import Hanging

pytestmark = pytest.mark.creel_only("1.1 does not say who hangs")

# What delete --force and others may take: they wait ten seconds for who does not die.
LONG = 40


@pytest.fixture
def hanging(bundle):
    """In rootfs/volume; and wherever bundle is bound to it."""
    (bundle.rootfs / "volume").mkdir()
    found = Hanging(bundle.rootfs / "volume")
    yield found
    found.let_go()


def names_it(result, hanging):
    whole = result.fails().whole
    assert re.search(rf"\b{hanging.who} \(state D\)", whole), whole


def ends_when_let_go(bundle, hanging):
    """Everything that hung, and what delete could not remove."""
    hanging.let_go()
    bundle.delete("--force").ok()
    assert bundle.guard.check() == []


@pytest.mark.parametrize("script", ["exec cat /volume/file", "cat /volume/file & sleep 1000"],
                         ids=["init", "child"])
@pytest.mark.parametrize("pids", ["own", "host"])
def test_task_that_cannot_be_killed(bundle, hanging, script, pids):
    if pids == "host":
        bundle.host_namespace("pid")
    bundle.shell(script)
    bundle.run_detached().ok()
    assert hanging.stuck.wait(10)
    names_it(bundle.delete("--force", timeout=LONG), hanging)
    assert bundle.id in bundle.creel("list").ok().stdout
    ends_when_let_go(bundle, hanging)


# ---- create comes upon it ----


def below_target(bundle):
    bundle.mount("/volume/folder/below", "tmpfs", "tmpfs")


def bind_source(bundle):
    bundle.bind(bundle.rootfs / "volume/folder/below", "/mnt")


def the_program(bundle):
    bundle.args("/volume/folder/below")


@pytest.mark.once
@pytest.mark.parametrize("place, number", [(below_target, signal.SIGTERM),
                                           (bind_source, signal.SIGKILL),
                                           (the_program, signal.SIGTERM)])
def test_create_whose_init_hangs(bundle, hanging, place, number):
    """It can be ended; what it leaves is removed when init has gone."""
    bundle.sleep()
    place(bundle)
    bundle.save()
    create = bundle.spawn("create", "-b", bundle.path, bundle.id)
    assert hanging.stuck.wait(10)
    create.signal(number)
    assert create.wait().rc == -number
    names_it(bundle.delete("--force", timeout=LONG), hanging)
    ends_when_let_go(bundle, hanging)


@pytest.mark.once
def test_create_that_hangs_itself(bundle, hanging):
    """It has made nothing by then, and makes nothing when it is let go."""
    create = bundle.spawn("create", "-b", bundle.rootfs / "volume/folder", bundle.id)
    assert hanging.stuck.wait(10)
    create.signal(signal.SIGKILL)
    bundle.delete("--force").ok()
    assert not bundle.root.exists()
    hanging.let_go()
    assert create.wait().rc == -signal.SIGKILL
    ends_when_let_go(bundle, hanging)
