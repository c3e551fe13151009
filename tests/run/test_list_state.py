"""`list` and `state`: formats to the letter, for people and for programs that parse them."""

import json
import os
import re

import pytest

import host
from program import wait_until

RFC3339_NANO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")

HEADER = "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"


# ---- state ----

def test_state_in_full(bundle):
    bundle.config["annotations"] = {"a.b": "c", "empty": ""}
    bundle.up()
    text = bundle.creel("state", bundle.id).ok().stdout
    state = json.loads(text)
    assert list(state) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created",
                           "annotations", "owner"]
    assert state["id"] == bundle.id
    assert state["status"] == "running"
    assert state["bundle"] == str(bundle.path)
    assert state["rootfs"] == str(bundle.rootfs)
    assert state["annotations"] == {"a.b": "c", "empty": ""}
    assert state["owner"] == ""
    assert RFC3339_NANO.fullmatch(state["created"])
    assert re.fullmatch(r"1\.\d+\.\d+(-\w+)?", state["ociVersion"])


def test_state_is_indented_and_has_no_newline_at_its_end(bundle):
    bundle.up()
    text = bundle.creel("state", bundle.id).ok().stdout
    assert text == json.dumps(json.loads(text), indent=2)


def test_state_pid_is_process_one(bundle):
    bundle.up()
    assert host.namespaces(bundle.pid())["pid"] != host.namespaces()["pid"]
    status = open(f"/proc/{bundle.pid()}/status").read()
    assert re.search(r"^NSpid:\t\d+\t1$", status, re.M)


def test_state_without_annotations_omits_them(bundle):
    bundle.up()
    assert "annotations" not in bundle.state()


def test_state_bundle_is_absolute(bundle):
    bundle.sleep()
    bundle.save()
    bundle.alive.add(bundle.id)
    bundle.creel("run", "-d", "-b", ".", bundle.id, cwd=bundle.path).ok()
    assert bundle.state()["bundle"] == str(bundle.path)


def test_state_of_strange_annotations_is_json(bundle):
    strange = {"quote\"": "back\\slash", "control": "\u0001\t\n", "wide": "ü\u2028😀",
               "html": "<&>"}
    bundle.config["annotations"] = strange
    bundle.up()
    assert bundle.state()["annotations"] == strange


# ---- list ----

def test_empty_table_is_its_header(bundle):
    bundle.root.mkdir()
    assert bundle.creel("list").ok().stdout == HEADER


def test_empty_json_is_null(bundle):
    bundle.root.mkdir()
    assert bundle.creel("list", "--format", "json").ok().stdout == "null\n"


def test_empty_quiet_is_nothing(bundle):
    bundle.root.mkdir()
    assert bundle.creel("list", "--quiet").ok().stdout == ""


def test_table_of_one(bundle):
    bundle.up()
    state = bundle.state()
    header, row = bundle.creel("list").ok().stdout.splitlines()
    columns = [header.index(name) for name in ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")]
    cells = [row[a:b].strip() for a, b in zip(columns, [*columns[1:], None])]
    assert cells == [bundle.id, str(state["pid"]), "running", str(bundle.path), state["created"],
                     "root"]


def test_columns_are_as_wide_as_their_widest_cell_and_three(bundle):
    bundle.up()
    header, row = bundle.creel("list").ok().stdout.splitlines()
    assert header.index("PID") == max(12, len(bundle.id) + 3)
    assert header.index("CREATED") - header.index("BUNDLE") == max(12, len(str(bundle.path)) + 3)


def test_json_of_two(bundle):
    bundle.up()
    bundle.create(id=bundle.id + "-b").ok()
    text = bundle.creel("list", "-f", "json").ok().stdout
    first, second = json.loads(text)
    assert text.endswith("]\n")
    assert first == bundle.state() | {"owner": "root"}
    assert (second["id"], second["status"]) == (bundle.id + "-b", "created")


def test_quiet_gives_sorted_ids(bundle):
    bundle.sleep()
    ids = [f"{bundle.id}-{letter}" for letter in "cab"]
    for id in ids:
        bundle.create(id=id).ok()
    assert bundle.creel("list", "-q").ok().stdout.splitlines() == sorted(ids)


def test_stopped_containers_are_listed_with_pid_zero(bundle):
    bundle.up()
    bundle.stop()
    (only,) = json.loads(bundle.creel("list", "--format=json").ok().stdout)
    assert (only["status"], only["pid"]) == ("stopped", 0)


def test_unknown_format(bundle):
    bundle.root.mkdir()
    bundle.creel("list", "--format", "yaml").fails("invalid format option")


def test_broken_entry_is_named_and_the_rest_listed(bundle):
    bundle.up()
    (bundle.root / "broken").mkdir()
    result = bundle.creel("list", "-q").ok()
    assert result.stdout == f"{bundle.id}\n"
    assert "broken" in result.stderr
    (bundle.root / "broken").rmdir()


def test_broken_entry_in_the_words_of_runc(bundle):
    broken = bundle.root / "broken"
    broken.mkdir(parents=True)
    for options in ([], ["-q"], ["--format", "json"]):
        result = bundle.creel("list", *options).ok()
        assert result.stderr == "load container broken: container does not exist\n"
    broken.rmdir()


@pytest.mark.parametrize("uid, name", [(65534, "nobody"), (54321, "#54321")])
def test_owner_is_whose_the_state_is(bundle, uid, name):
    bundle.create().ok()
    os.chown(bundle.root / bundle.id, uid, uid)
    (only,) = json.loads(bundle.creel("list", "-f", "json").ok().stdout)
    assert only["owner"] == name
    assert bundle.creel("list").ok().stdout.splitlines()[1].split()[-1] == name
    assert bundle.state()["owner"] == ""
    os.chown(bundle.root / bundle.id, 0, 0)  # nobody else's state is changed, not even deleted


@pytest.mark.creel_only("it says where in words of Go")
@pytest.mark.parametrize("text, place", [("{", (1, 2)), ('{"id": 7}', (1, 8)), ("", (1, 1))])
def test_damaged_record_is_told_with_its_place(bundle, text, place):
    damaged = bundle.root / bundle.id
    damaged.mkdir(parents=True)
    (damaged / "state.json").write_text(text)
    for words in (["state"], ["start"], ["kill"], ["pause"], ["ps"], ["delete"]):
        message = bundle.creel(*words, bundle.id).fails()
        assert message.place == place, message.whole
    assert damaged.exists()
    result = bundle.delete("--force").ok()
    assert "record was damaged" in result.messages("warning")[0]
    assert not damaged.exists()


@pytest.mark.creel_only("it opens it")
def test_a_file_in_the_state_directory_is_no_container(bundle):
    bundle.up()
    (bundle.root / "file").write_text("")
    (bundle.root / "link").symlink_to(bundle.root / bundle.id)
    result = bundle.creel("list", "-q").ok()
    assert (result.stdout, result.stderr) == (f"{bundle.id}\n", "")
    bundle.creel("state", "file").fails("container does not exist")
    for name in ("file", "link"):
        (bundle.root / name).unlink()


@pytest.mark.creel_only("it crashes on the word null")
@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"id": 7}', "\0" * 100])
def test_broken_state_file_harms_only_itself(bundle, text):
    bundle.up()
    broken = bundle.root / f"{bundle.id}-broken"
    broken.mkdir()
    (broken / "state.json").write_text(text)
    result = bundle.creel("list", "-q").ok()
    assert bundle.id in result.stdout.splitlines()
    bundle.delete("--force", id=broken.name)
    assert bundle.status() == "running"
    if broken.exists():
        (broken / "state.json").unlink()
        broken.rmdir()


@pytest.mark.creel_only("1.1 makes the directory")
def test_missing_explicit_root(bundle):
    bundle.creel("list").fails()
    assert not bundle.root.exists()


@pytest.mark.creel_only("its list fails when a container vanishes meanwhile")
def test_list_while_containers_come_and_go(bundle):
    bundle.root.mkdir()
    bundle.args("true")
    bundle.save()
    runners = [bundle.spawn("run", "-b", bundle.path, f"{bundle.id}-{n}") for n in range(6)]
    while any(runner.process.poll() is None for runner in runners):
        bundle.creel("list").ok()
    for runner in runners:
        runner.wait().ok()


def test_frozen_container_is_paused(bundle):
    bundle.up()
    bundle.freeze()
    assert bundle.status() == "paused"
    bundle.freeze(False)
    wait_until(lambda: bundle.status() == "running", "the container to run again")
