"""Every command in every state of a container: what it answers, and what the state is then."""

import pytest

import host

from program import wait_until

GONE = None  # the state of what does not exist

# What is done (ID and {id} stand for the container's id), and what comes of it in each state: the
# state that it leads to, or how it is refused. "same": it succeeds and changes nothing.
NO = "container does not exist"
TABLE = {
    ("start", "ID"): {
        "created": "running",
        "running": (1, "cannot start an already running container"),
        "paused": (1, "cannot start a container in the paused state"),
        "stopped": (1, "cannot start a container that has stopped"),
        "unknown": (1, NO),
    },
    ("exec", "ID", "true"): {
        "created": "same",
        "running": "same",
        "paused": (255, "exec failed: cannot exec in a paused container "
                        "(use --ignore-paused to override)"),
        "stopped": (255, "exec failed: cannot exec in a stopped container"),
        "unknown": (255, "exec failed: " + NO),
    },
    ("kill", "ID", "KILL"): {
        "created": "stopped",
        "running": "stopped",
        "paused": "stopped",
        "stopped": (1, "container not running"),
        "unknown": (1, NO),
    },
    ("kill", "--all", "ID", "KILL"): {
        "created": "stopped",
        "running": "stopped",
        "paused": "stopped",
        "stopped": "same",
        "unknown": (1, NO),
    },
    ("kill", "ID", "0"): {
        "created": "same",
        "running": "same",
        "paused": "same",
        "stopped": (1, "container not running"),
        "unknown": (1, NO),
    },
    ("delete", "ID"): {
        "created": GONE,
        "running": (1, "cannot delete container {id} that is not stopped: running"),
        "paused": (1, "cannot delete container {id} that is not stopped: paused"),
        "stopped": GONE,
        "unknown": (1, NO),
    },
    ("delete", "--force", "ID"): {
        "created": GONE,
        "running": GONE,
        "paused": GONE,
        "stopped": GONE,
        "unknown": GONE,
    },
    ("pause", "ID"): {
        "created": "paused",
        "running": "paused",
        "paused": (1, "container not running"),
        "stopped": (1, "container not running"),
        "unknown": (1, NO),
    },
    ("resume", "ID"): {
        "created": (1, "container not paused"),
        "running": (1, "container not paused"),
        "paused": "running",
        "stopped": (1, "container not paused"),
        "unknown": (1, NO),
    },
    ("update", "--pids-limit", "20", "ID"): {
        "created": "same",
        "running": "same",
        "paused": "same",
        "stopped": (1, "container not running"),
        "unknown": (1, NO),
    },
    ("events", "--stats", "ID"): {
        "created": "same",
        "running": "same",
        "paused": "same",
        "stopped": (1, "container with id {id} is not running"),
        "unknown": (1, NO),
    },
    ("ps", "--format", "json", "ID"): {
        "created": "same",
        "running": "same",
        "paused": "same",
        "stopped": "same",
        "unknown": (1, NO),
    },
    ("checkpoint", "ID"): {  # what it does where it may is for criu to say
        "created": (1, "Container cannot be checkpointed in created state"),
        "stopped": (1, "Container cannot be checkpointed in stopped state"),
        "unknown": (1, NO),
    },
    ("state", "ID"): {
        "created": "same",
        "running": "same",
        "paused": "same",
        "stopped": "same",
        "unknown": (1, NO),
    },
    ("create", "--bundle", "BUNDLE", "ID"): {
        "created": (1, "runc create failed: container with given ID already exists"),
        "running": (1, "runc create failed: container with given ID already exists"),
        "paused": (1, "runc create failed: container with given ID already exists"),
        "stopped": (1, "runc create failed: container with given ID already exists"),
        "unknown": "created",
    },
    ("run", "--detach", "--bundle", "BUNDLE", "ID"): {
        "created": (1, "runc run failed: container with given ID already exists"),
        "running": (1, "runc run failed: container with given ID already exists"),
        "paused": (1, "runc run failed: container with given ID already exists"),
        "stopped": (1, "runc run failed: container with given ID already exists"),
        "unknown": "running",
    },
}

CASES = [pytest.param(words, state, wanted, id=f"{'-'.join(words)}-{state}")
         for words, row in TABLE.items() for state, wanted in row.items()]

# Where runc 1.1.5 is of another mind than its newest release.
OLDER = {
    ("update", "stopped"): "it writes to a cgroup that is empty",
    ("checkpoint", "created"): "another text",
}


def bring_into(bundle, state):
    bundle.sleep()
    bundle.save()
    bundle.root.mkdir()
    if state == "unknown":
        bundle.alive.add(bundle.id)
        return
    bundle.create().ok()
    if state != "created":
        bundle.start().ok()
    if state == "paused":
        bundle.pause().ok()
    if state == "stopped":
        bundle.stop()


@pytest.mark.parametrize("words, state, wanted", CASES)
def test_command_in_state(bundle, words, state, wanted):
    if bundle.program.name == "runc" and (words[0], state) in OLDER:
        pytest.skip(OLDER[words[0], state])
    if words[0] == "update" and wanted == "same" and not host.hierarchy("pids"):
        pytest.skip("this cgroup layout has no controller pids")
    bring_into(bundle, state)
    before = bundle.status()
    assert before == (GONE if state == "unknown" else state)
    names = {"ID": bundle.id, "BUNDLE": bundle.path}
    result = bundle.creel(*[names.get(word, word) for word in words])
    if result.rc == 3 and "No help topic" in result.stderr:
        pytest.skip(f"there is no command {words[0]} yet")
    if isinstance(wanted, tuple):
        rc, text = wanted
        result.fails(text.replace("{id}", bundle.id), rc=rc)
        assert bundle.status() == before
        return
    result.ok()
    assert result.stderr == ""
    after = before if wanted == "same" else wanted
    wait_until(lambda: bundle.status() == after, f"the state {after}")


@pytest.mark.parametrize("state", ["created", "running", "paused", "stopped"])
def test_state_and_list_agree(bundle, state):
    bring_into(bundle, state)
    told = bundle.state()
    assert told["status"] == state
    assert (told["pid"] == 0) == (state == "stopped")
    row = bundle.creel("list").ok().stdout.splitlines()[1].split()
    assert row[:3] == [bundle.id, str(told["pid"]), state]


@pytest.mark.parametrize("state", ["created", "running", "paused", "stopped"])
def test_nothing_is_left_by_force(bundle, state):
    bring_into(bundle, state)
    bundle.delete("--force").ok()
    assert bundle.guard.check() == []


def test_a_paused_created_container_keeps_its_place(bundle):
    """resume leads back to where pause came from."""
    bundle.sleep()
    bundle.create().ok()
    bundle.pause().ok()
    bundle.resume().ok()
    assert bundle.status() == "created"
    bundle.start().ok()
    assert bundle.status() == "running"


@pytest.mark.parametrize("command, rc", [
    ("start", 1), ("state", 1), ("delete", 1), ("exec", 255), ("kill", 1), ("pause", 1),
    ("resume", 1), ("ps", 1)])
@pytest.mark.parametrize("id", ["..", ".", "a/b", "a b", "ä", "../x", "a\nb"])
def test_malformed_id_is_refused(bundle, command, rc, id):
    words = ["true"] if command == "exec" else []
    prefix = "exec failed: " if command == "exec" else ""
    bundle.creel(command, id, *words).fails(prefix + "invalid container ID format", rc=rc)
