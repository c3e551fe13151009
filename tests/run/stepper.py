"""
The stepper (tests/step/step.c) as a wrapper of commands: it stops them at each system call, and does
there what a test wants. Its words, points and actions are told at the head of that file.
"""

import re
from dataclasses import dataclass

import pytest

LINE = re.compile(r'^(!?)(\S+) (\d+) (\w+)#(\d+)(?: "(.*)")?(?: (\S.*))?$')


@dataclass(frozen=True)
class Call:
    """A line of a trace. met is the action of the point that was met there, None without one."""

    process: str
    number: int
    name: str
    nth: int
    text: str
    met: str

    @property
    def point(self):
        """By the name and not by the number: it is the same call in the next run then."""
        return f"{self.process}:{self.name}#{self.nth}"


class Stepper:
    def __init__(self, path, trace):
        self.path, self.trace = path, trace

    def at(self, *points_and_actions, pid=None, seconds=20, brief=False):
        """
        What to give as wrapper: at("0:mkdir#1", "errno=EIO"). pid is a process that takes part. brief
        is faster, and only what was met is known afterwards.
        """
        self.trace.unlink(missing_ok=True)
        options = ["-o", self.trace, "-t", seconds, *(["-p", pid] if pid else [])]
        options += ["-b"] if brief else []
        return (self.path, *options, *points_and_actions, "--")

    def calls(self):
        """What the last command did."""
        lines = self.trace.read_text(errors="replace").splitlines()
        found = [LINE.match(line).groups() for line in lines]
        return [Call(who, int(number), name, int(nth), text, action if mark else None)
                for mark, who, number, name, nth, text, action in found]

    def met(self):
        """The calls at which something was done."""
        return [call for call in self.calls() if call.met]


def of(bundle):
    """The stepper for the program of a bundle."""
    for built in bundle.program.path.parents[:2]:  # creel-checked stands among the tests
        if (path := built / "tests/step/step").exists():
            return Stepper(path, bundle.path / "trace")
    pytest.skip(f"no stepper beside {bundle.program.path}")
