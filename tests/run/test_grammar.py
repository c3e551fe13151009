"""How words on the command line are understood, and what is said of those that are not."""

import re
import subprocess

import pytest

COMMANDS = ("create", "delete", "exec", "features", "kill", "list", "run", "spec", "start", "state")


def plain(bundle, *words, **how):
    """Runs the program with these words alone."""
    return bundle.program(*words, **how)


# ---- forms of one option ----

@pytest.mark.parametrize("form", [
    ["--bundle", "DIR"], ["--bundle=DIR"], ["-bundle", "DIR"], ["-bundle=DIR"],
    ["-b", "DIR"], ["-b=DIR"], ["--b", "DIR"]])
def test_forms_of_an_option_with_a_value(bundle, form):
    bundle.shell("echo ran")
    bundle.save()
    words = [word.replace("DIR", str(bundle.path)) for word in form]
    assert bundle.creel("run", *words, bundle.id).ok().stdout == "ran\n"


@pytest.mark.parametrize("form", ["--keep", "-keep", "--keep=true", "-keep=1", "--keep=T"])
def test_forms_of_a_switch(bundle, form):
    bundle.alive.add(bundle.id)
    bundle.run(form).ok()
    assert bundle.status() == "stopped"


@pytest.mark.parametrize("form", ["--keep=false", "-keep=0", "--keep=F"])
def test_switch_turned_off(bundle, form):
    bundle.run(form).ok()
    assert bundle.status() is None


def test_switch_with_a_bad_value(bundle):
    result = bundle.run("--keep=perhaps")
    assert result.rc == 1 and "perhaps" in result.stderr


def test_last_of_a_repeated_option_counts(bundle):
    bundle.shell("echo ran")
    bundle.save()
    result = bundle.creel("run", "--bundle", "/nowhere", "--bundle", bundle.path, bundle.id)
    assert result.ok().stdout == "ran\n"


def test_options_after_the_id(bundle):
    bundle.shell("echo ran")
    bundle.save()
    assert bundle.creel("run", bundle.id, "-b", bundle.path).ok().stdout == "ran\n"
    bundle.up()
    bundle.creel("delete", bundle.id, "-f").ok()


def test_two_dashes_end_the_options(bundle):
    bundle.shell("echo ran")
    bundle.save()
    assert bundle.creel("run", "-b", bundle.path, "--", bundle.id).ok().stdout == "ran\n"


def test_global_options_may_repeat(bundle):
    bundle.root.mkdir()
    plain(bundle, "--root", "/nowhere", "--root", bundle.root, "list").ok()


def test_short_options_do_not_combine(bundle):
    bundle.up()
    result = bundle.creel("exec", "-td", bundle.id, "true")
    assert result.rc in (1, 255)


# ---- what is refused ----

@pytest.mark.parametrize("words, text", [
    (["run"], '"run" requires exactly 1 argument(s)'),
    (["create", "a", "b"], '"create" requires exactly 1 argument(s)'),
    (["start"], '"start" requires exactly 1 argument(s)'),
    (["state", "a", "b"], '"state" requires exactly 1 argument(s)'),
    (["delete"], '"delete" requires exactly 1 argument(s)'),
    (["kill"], '"kill" requires a minimum of 1 argument(s)'),
    (["kill", "a", "b", "c"], '"kill" requires a maximum of 2 argument(s)'),
    (["exec"], '"exec" requires a minimum of 1 argument(s)'),
])
def test_wrong_count(bundle, words, text):
    result = bundle.creel(*words)
    result.fails(f"{bundle.program.path}: {text}")
    assert result.stdout.startswith("Incorrect Usage.\n\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flag(bundle, command):
    result = bundle.creel(command, "--bogus")
    result.fails("flag provided but not defined: -bogus")
    assert "Incorrect Usage: flag provided but not defined: -bogus" in result.stderr + result.stdout


def test_unknown_global_flag(bundle):
    result = plain(bundle, "--bogus", "list")
    result.fails("flag provided but not defined: -bogus")


def test_option_without_its_value(bundle):
    result = bundle.creel("run", "--bundle")
    assert result.rc == 1 and "flag needs an argument" in result.stderr


def test_number_that_is_none(bundle):
    result = bundle.run("--preserve-fds", "many")
    assert result.rc == 1 and "many" in result.stderr


def test_unknown_command(bundle):
    result = plain(bundle, "bogus")
    assert result.rc == 3
    assert "No help topic for 'bogus'" in result.stderr


@pytest.mark.creel_only("it guesses nothing")
@pytest.mark.parametrize("words, guess", [
    (["strt"], "start"), (["run", "--bundel", "x"], "--bundle"), (["lst"], "list")])
def test_misspelt_word_is_guessed(bundle, words, guess):
    assert f"did you mean {guess}?" in plain(bundle, *words).stderr


@pytest.mark.creel_only("1.1 takes it")
def test_root_of_the_filesystem_as_root(bundle):
    result = plain(bundle, "--root", "/", "list")
    assert result.rc == 1 and "Option --root argument should not be set to /" in result.stderr


def test_empty_id(bundle):
    assert bundle.creel("state", "").rc == 1


# ---- help and version ----

@pytest.mark.parametrize("words", [[], ["help"], ["h"], ["--help"], ["-h"]])
def test_help(bundle, words):
    result = plain(bundle, *words).ok()
    for heading in ("NAME:", "USAGE:", "COMMANDS:", "GLOBAL OPTIONS:"):
        assert heading in result.stdout
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", result.stdout, re.M)
    assert result.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(bundle, command):
    result = plain(bundle, command, "--help").ok()
    assert f" {command}" in result.stdout and "USAGE:" in result.stdout
    assert plain(bundle, "help", command).ok().stdout == result.stdout


@pytest.mark.parametrize("word", ["-v", "--version"])
def test_version(bundle, word):
    result = plain(bundle, word).ok()
    lines = result.stdout.splitlines()
    assert re.fullmatch(rf"{bundle.program.name} version \S+", lines[0])
    assert any(re.fullmatch(r"spec: 1\.\d+\.\d+(-dev)?", line) for line in lines)
    assert [line for line in lines if "version" in line] == lines[:1]
    assert result.stderr == ""


@pytest.mark.creel_only("it is runc")
def test_version_under_the_name_runc(bundle):
    (bundle.path / "runc").symlink_to(bundle.program.path)
    version = subprocess.check_output([bundle.path / "runc", "--version"], text=True)
    assert version.startswith("runc version ")


def test_output_that_cannot_be_written_is_a_failure(bundle):
    with open("/dev/full", "w") as full:
        running = bundle.program.start("features", stdout=full)
        assert running.wait().rc == 1 or bundle.program.name == "runc"
