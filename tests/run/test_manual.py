"""The manual pages as they are installed: every command and option is in them, and man(1) has
nothing to complain about."""

import os
import shutil
import subprocess

import pytest

import words

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def pages(program):
    where = words.build_directory(program) / "docs/man"
    found = {path.stem: path for path in where.glob("*.8")}
    if not found:
        pytest.skip("built without scdoc")
    return found


def shown(path, *options):
    """What man shows of a page, and what it complains of."""
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    environment = os.environ | {"MANWIDTH": "500", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", *options, "-l", path], env=environment, capture_output=True,
                          text=True, timeout=20, check=True)
    return done.stdout, done.stderr


def test_there_is_a_page_for_each_command(program, pages):
    names = {f"creel-{name}" if name else "creel" for name in words.commands(program)}
    assert set(pages) == names


def test_the_overview_names_each_command(program, pages):
    text, _ = shown(pages["creel"])
    for name, command in words.commands(program).items():
        if name:
            assert f"creel-{name}(8)\n" in text
            assert command.summary[1:] in text


def test_each_option_is_told(program, pages):
    for name, command in words.commands(program).items():
        text, _ = shown(pages[f"creel-{name}" if name else "creel"])
        for option in command.options:
            head = ", ".join(option.forms()) + (f" {option.value}" if option.value else "")
            assert f" {head}\n" in text, f"creel-{name}(8) lacks {head}"
            assert option.help[1:] in text


def test_man_warns_of_nothing(pages):
    for path in pages.values():
        _, complaints = shown(path, "--warnings")
        assert complaints == "", path


def test_whatis_finds_each_page(program, pages):
    if not shutil.which("lexgrog"):
        pytest.skip("lexgrog is not installed")
    for name, command in words.commands(program).items():
        title = f"creel-{name}" if name else "creel"
        told = subprocess.check_output(["lexgrog", pages[title]], text=True)
        assert f'"{title} - {command.summary}"' in told
