"""The words of the command line as the build knows them (tools/words.c), for tests that hold help,
manual pages and completions to them."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Option:
    name: str  # with its dashes
    letter: str  # with its dash, "" when there is none
    value: str  # "" for a switch
    hidden: bool
    help: str

    def forms(self):
        return [self.name, self.letter] if self.letter else [self.name]


@dataclass
class Command:
    name: str  # "" for the program itself
    operands: str
    summary: str
    options: list = field(default_factory=list)

    def shown(self):
        return [option for option in self.options if not option.hidden]


def build_directory(program):
    """Where the program under test was built; skips when it was not."""
    where = Path(program.path).parent
    if not (where / "docs/man/words").exists():
        pytest.skip(f"{program.path} does not stand where it was built")
    return where


def commands(program):
    """{name: Command}, the program itself among them as ""."""
    listed = [build_directory(program) / "docs/man/words", "list"]
    found = {}
    for line in subprocess.check_output(listed, text=True).splitlines():
        cells = line.split("\t")
        if len(cells) == 3:
            found[cells[0]] = Command(*cells)
        else:
            command, name, letter, value, hidden, text = cells
            found[command].options.append(Option(name, letter, value, bool(hidden), text))
    return found
