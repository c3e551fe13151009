"""
Command lines that no person types: as long as the kernel lets them be, with bytes that are no text
and characters that would steer a terminal. Each is carried out to the byte or refused in few words,
and what is told of it is harmless to show.
"""

import json
import os
import re

import pytest

pytestmark = pytest.mark.creel_only("it shows what it was given")

LONGEST = 128 * 1024 - 1  # bytes that the kernel lets one word have
BAD = os.fsdecode(b"\xff\xfe")  # no UTF-8
STEERING = "\x1b]0;owned\x07\x9b2J\r\n\x00"[:-1]

COMMANDS = ("create", "delete", "events", "exec", "explain", "kill", "list", "pause", "ps",
            "resume", "run", "spec", "start", "state", "update")


def is_harmless(text):
    """Whether it has no control characters but those that lay out lines."""
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


def refused(result):
    assert result.rc in (1, 3, 255), result.rc
    assert result.stderr and is_harmless(result.stderr), repr(result.stderr[:500])
    assert len(result.stderr) < 8192, "too long to be read"
    return result


# ---- too much ----

@pytest.mark.parametrize("command", COMMANDS)
def test_ten_thousand_words(bundle, command):
    if command in ("exec", "kill", "update", "ps"):
        refused(bundle.creel(command, bundle.id, *["x"] * 10000))
    else:
        assert "argument(s)" in refused(bundle.creel(command, *["x"] * 10000)).stderr
    refused(bundle.creel(command, *["--no-such-option"] * 10000))


@pytest.mark.parametrize("command", COMMANDS)
def test_longest_word(bundle, command):
    word = "x" * LONGEST
    if command == "list":
        refused(bundle.creel(command, "--format", word))
    elif command != "spec":
        refused(bundle.creel(command, word))
    refused(bundle.creel(command, "--" + word[2:]))


@pytest.mark.parametrize("option", ["--root", "--log", "--log-format", "--log-level", "--rootless",
                                    "--cgroup-manager"])
def test_longest_value_of_a_global_option(bundle, option):
    value = "/" + "x" * (LONGEST - 1)
    refused(bundle.program(option, value, "create", "-b", bundle.path, "box"))
    assert not os.path.exists(value[:200])


def test_longest_words_of_a_program(bundle):
    bundle.up()
    word = "y" * LONGEST
    script = 'echo ${#1} ${#LONG}'
    result = bundle.exec("sh", "-c", script, "sh", word, options=["-e", "LONG=" + word[5:]])
    assert result.ok().stdout == f"{LONGEST} {LONGEST - 5}\n"


def test_ten_thousand_variables(bundle):
    bundle.up()
    options = [word for n in range(10000) for word in ("-e", f"V{n}={n}")]
    result = bundle.exec("sh", "-c", "env | grep -c ^V; echo $V0 $V9999", options=options)
    assert result.ok().stdout == "10000\n0 9999\n"


def test_ten_thousand_groups_are_refused_or_had(bundle):
    bundle.up()
    options = [word for n in range(10000) for word in ("-g", str(n + 1))]
    result = bundle.exec("sh", "-c", "id -G | wc -w", options=options)
    assert int(result.ok().stdout) >= 10000


# ---- bytes that are no text ----

@pytest.mark.parametrize("id", [BAD, "a" + BAD, "a\nb", "\x1b[2J", "a/b", "..", "ü", " ", "a b"])
def test_id_that_is_no_name(bundle, id):
    bundle.save()
    for command in (["create", "-b", bundle.path], ["state"], ["delete", "--force"], ["kill"]):
        assert "invalid container ID format" in refused(bundle.creel(*command, id)).stderr
    assert not bundle.root.exists() or not os.listdir(bundle.root)


def test_bytes_reach_the_program_as_they_are(bundle):
    bundle.up()
    every = bytes(range(1, 256))
    word = os.fsdecode(every)
    result = bundle.exec("sh", "-c", 'printf %s "$1$V" | od -An -v -tx1 | tr -d " \\n"', "sh", word,
                         options=["-e", "V=" + word])
    assert bytes.fromhex(result.ok().stdout) == every + every


@pytest.mark.parametrize("value", [BAD, STEERING, "a\nlevel=info msg=forged"])
@pytest.mark.parametrize("words", [
    ["--cgroup-manager", "VALUE", "list"], ["list", "--format", "VALUE"], ["VALUE"],
    ["list", "--VALUE"], ["--VALUE"], ["kill", "box", "VALUE"],
    ["update", "--memory", "VALUE", "box"], ["exec", "--user", "VALUE", "box", "true"],
    ["create", "-b", "/VALUE", "box"], ["update", "-r", "/VALUE", "box"],
    ["events", "--interval", "VALUE", "box"], ["delete", "--regex", "(VALUE"],
])
def test_what_is_told_steers_nothing(bundle, words, value):
    words = [word.replace("VALUE", value) for word in words]
    result = refused(bundle.creel(*words))
    assert len([line for line in result.stderr.splitlines() if "level=" in line[:60]]) <= 1
    log = bundle.path / "log.json"
    refused(bundle.program("--log", log, "--log-format", "json", "--root", bundle.root, *words))
    if words == ["--" + value]:
        return  # nobody knows of the log yet
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert set(json.loads(line)) == {"level", "msg", "time"}
        assert is_harmless(line.replace("\x7f", "").encode().decode("ascii", "ignore"))
