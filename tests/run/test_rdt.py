"""
`linux.intelRdt`. No machine of the tests has resctrl, so what a container of one would have in its
record is written there by hand: a plain directory then stands for its group.
"""

import json
import os

import pytest

pytestmark = pytest.mark.creel_only("1.1 asks other questions")

needs_none = pytest.mark.skipif(os.path.exists("/sys/fs/resctrl/schemata"),
                                reason="this machine has resctrl")


@needs_none
@pytest.mark.parametrize("rdt", [{}, {"closID": "x"}, {"l3CacheSchema": "L3:0=f"},
                                 {"enableMonitoring": True}])
def test_without_resctrl_it_is_refused(bundle, rdt):
    bundle.linux["intelRdt"] = rdt
    message = bundle.run().fails(
        part="intelRdt is specified in config, but Intel RDT is not enabled",
        pointer="/linux/intelRdt")
    assert "resctrl" in message.hint


@pytest.mark.parametrize("rdt, text", [
    ({"closID": "a/b"}, 'invalid intelRdt.ClosID "a/b"'),
    ({"closID": ".."}, 'invalid intelRdt.ClosID ".."'),
    ({"memBwSchema": "L3:0=f"},
     'intelRdt.memBwSchema must be one line that starts with "MB:"'),
])
def test_what_is_wrong_everywhere(bundle, rdt, text):
    bundle.linux["intelRdt"] = rdt
    assert bundle.run().fails(part=text).place


def test_features(program):
    features = json.loads(program("features").ok().stdout)
    assert features["linux"]["intelRdt"] == {
        "enabled": True, "schemata": True, "monitoring": True}


# ---- a container that has a group ----

@pytest.fixture
def grouped(bundle):
    """A running container whose record has a group of its own and a monitoring group."""
    bundle.group = bundle.path / "resctrl" / bundle.id
    bundle.monitor = bundle.group / "mon_groups" / bundle.id
    bundle.monitor.mkdir(parents=True)
    bundle.up()
    record = bundle.root / bundle.id / "state.json"
    state = json.loads(record.read_text())
    state |= {"intel_rdt_path": str(bundle.group), "intel_rdt_own": True,
              "intel_rdt_mon_path": str(bundle.monitor)}
    record.write_text(json.dumps(state))
    return bundle


def test_delete_removes_an_own_group(grouped):
    # resctrl takes a group with its monitoring groups; here they must go one by one
    grouped.monitor.rmdir()
    grouped.monitor.parent.rmdir()
    grouped.delete("--force").ok()
    assert not grouped.group.exists()


def test_delete_leaves_a_shared_group(grouped):
    record = grouped.root / grouped.id / "state.json"
    record.write_text(record.read_text().replace('"intel_rdt_own": true', '"intel_rdt_own": false'))
    grouped.delete("--force").ok()
    assert grouped.group.exists() and not grouped.monitor.exists()


def test_exec_joins_both(grouped):
    for place in (grouped.group, grouped.monitor):
        (place / "tasks").touch()
    grouped.exec("true").ok()
    assert [(place / "tasks").read_text() for place in (grouped.group, grouped.monitor)] == [
        "0", "0"]
    for place in (grouped.group, grouped.monitor):
        (place / "tasks").unlink()
    grouped.monitor.rmdir()
    grouped.monitor.parent.rmdir()


def test_exec_does_without_a_group_that_is_gone(grouped):
    grouped.monitor.rmdir()
    grouped.monitor.parent.rmdir()
    grouped.group.rmdir()
    grouped.exec("true").ok()
