"""
Going over the points of a command: which of them, what is counted, and how a point is told so that
it can be repeated.

    CREEL_SWEEP=all                       every point; without it, a sample
    CREEL_SWEEP=SEED                      the sample that was drawn with this seed
    CREEL_SWEEP="0:mkdir#1 errno=EIO"     this point and action alone; choose the test by -k
"""

import os
import random
import shutil

import pytest

import stepper
from commands import COMMANDS, CONFIGURATIONS

# A failing arch_prctl ends any program, by the hand of its C library; the others cannot fail.
NEVER = set("""arch_prctl exit exit_group getegid geteuid getgid getpid getppid getuid rt_sigaction
    rt_sigprocmask rt_sigreturn set_tid_address umask""".split())
MOST_TOLD = 12
EVERY = 10**6  # points of a sample that is none

CHOICE = os.environ.get("CREEL_SWEEP", "")


def seed():
    """One for all workers of a session, which xdist gives their own environment."""
    if "CREEL_SWEEP_SEED" not in os.environ:
        os.environ["CREEL_SWEEP_SEED"] = CHOICE if CHOICE.isdigit() else str(random.randrange(10**6))
    return int(os.environ["CREEL_SWEEP_SEED"])


class Sweep:
    """One command over one configuration. Failures are collected: each point gets its turn."""

    def __init__(self, bundle, node, command, configuration):
        self.bundle, self.node, self.command = bundle, node, COMMANDS[command]
        self.stepper = stepper.of(bundle)
        self.failed, self.counts = [], {"points": 0, "runs": 0}
        CONFIGURATIONS[configuration](bundle)
        self.command.setup(bundle)

    def run(self, *points_and_actions):
        """Runs the command once; (what was before, its Result)."""
        before = self.command.before(self.bundle)
        pid = self.bundle.pid() if self.command.init else None
        wrapper = self.stepper.at(*points_and_actions, pid=pid,
                                  brief=bool(points_and_actions))
        self.counts["runs"] += 1
        return before, self.command(self.bundle, wrapper=wrapper)

    def reference(self):
        """Runs it undisturbed: its calls, and what it shows."""
        before, result = self.run()
        calls = self.stepper.calls()
        shown = self.command.after(self.bundle, before, result.ok())
        self.clean()
        assert len(calls) > 20
        return calls, shown

    def clean(self):
        self.bundle.delete("--force").ok()
        left = self.bundle.guard.check()
        assert not left, "left behind: " + "; ".join(left)

    def over(self, points, action, check, sample):
        """
        Calls check(before, result, call) after the command met each of the points with the action;
        of sample points when not all are asked for.
        """
        self.each(points, action, lambda point: self.one(point, action, check), sample)

    def each(self, points, action, one, sample):
        """Calls one(point) for each of the points, or for a sample of them."""
        for point in chosen(points, action, sample, self.node.name):
            try:
                one(point)
            except AssertionError as error:
                self.failed.append(f"CREEL_SWEEP='{point} {action}': {error}")
                self.start_afresh()
        self.node.user_properties += self.counts.items()
        if self.failed:
            pytest.fail(self.report(), pytrace=False)

    def one(self, point, action, check):
        before, result = self.run(point, action)
        met = self.stepper.met()
        self.counts["points"] += bool(met)
        check(before, result, met[0] if met else None)
        self.clean()

    def start_afresh(self):
        self.bundle.guard.sweep()
        shutil.rmtree(self.bundle.root, ignore_errors=True)

    def report(self):
        told = self.failed[:MOST_TOLD]
        rest = len(self.failed) - len(told)
        return "\n\n".join([*told, *([f"and {rest} more"] if rest else [])])


def told(result):
    """A Result without what a container's program printed, which may be long."""
    return f"rc {result.rc}\n{result.stderr}"


def is_told(result, rc, early):
    """
    A failure has the right status and one error, which says more than that there was one. early: it
    is not yet known which command it is; and who has no memory says it without the form of the log.
    """
    if result.rc != rc and (result.rc != 1 or not early):
        raise AssertionError(f"not {rc}: {told(result)}")
    errors = result.messages("error") or (early and result.stderr.splitlines()) or []
    if len(errors) != 1 or len(errors[0]) < 15:
        raise AssertionError(f"{len(errors)} errors: {told(result)}")


def chosen(points, action, sample, name):
    if " " in CHOICE:
        point, wanted = CHOICE.split(" ", 1)
        return [point] if wanted == action else []
    if CHOICE == "all" or len(points) <= sample:
        return points
    return sorted(random.Random(f"{seed()} {name} {action}").sample(points, sample))


def points_of(calls, action):
    """
    Those where an action can make a difference. close(2) may tell that what was written is lost, but
    never fails.
    """
    if action.startswith("kill"):
        return [call.point for call in calls]
    if action == "short":
        return [call.point for call in calls if call.name in ("pread64", "pwrite64", "read", "write")]
    never = NEVER if action == "errno=EIO" else NEVER | {"close"}
    return [call.point for call in calls if call.name not in never]
