"""
Every system call of a command fails once, in each way that a machine has. What comes is either the
container that was asked for, with the same fingerprint as undisturbed, or one clear error and
nothing left; never less confinement, a signal or a hang.
"""

import difflib
import re

import pytest

from commands import COMMANDS
from sweeping import is_told, points_of, told

ERRORS = ["EPERM", "ENOMEM", "ENOSYS", "EINTR", "EIO", "EMFILE", "ENOSPC"]
CASES = [(name, "rich") for name, how in COMMANDS.items() if how.criu != "real"]
CASES += [(name, how) for name in ("create", "run") for how in ("plain", "user_namespace", "between")]
CASES += [("create", "rare")]
SAMPLE = {"create": 20, "run": 12, "run-t": 8}


# What may come out otherwise, and why. None of it is confinement.
FALLBACKS = {
    "a home directory is a convenience, looked up in the image": r"[-+]HOME=",
    "no keyrings, or a sandbox that hides them": r"[-+]keyring;",
    "a device that may not be made is bound": r"[-+]0:N /\w+ /(dev|proc)/\w+ rw,",
    "a view of cgroups that may not be mounted is bound": r"[-+]0:N / /sys/fs/cgroup ro,.* cgroup2 ",
    "these two hierarchies have no limits": r"[-+]\d+:(name=systemd)?:/",
}
FALLBACK = re.compile("|".join(FALLBACKS.values()))


def differences(reference, shown):
    """The lines of two fingerprints that are not the same."""
    found = []
    for name in sorted({*reference, *shown}):
        lines = difflib.unified_diff(reference.get(name, []), shown.get(name, []), n=0, lineterm="")
        found += [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    return found


def ended_later(bundle, how, call):
    """
    Init that cannot read what create told it, as its last word, ends: create is over then, and the
    container has stopped.
    """
    last = how.name.startswith("create") and call and call.process != "0" and call.name == "recvmsg"
    return last and bundle.status() == "stopped"


def hung_up(how, result, call):
    """
    A terminal that cannot be waited for, read or written is one that was switched off: the program
    hears of it, its status is the one there is, and what it shows then nobody sees.
    """
    relays = call and call.process == "0" and call.name in ("poll", "read", "write")
    return how.name == "run-t" and relays and not result.messages("error")


@pytest.mark.timeout(0)
@pytest.mark.creel_only("1.1 is not as careful")
@pytest.mark.parametrize("action", [*(f"errno={name}" for name in ERRORS), "short", "signal=WINCH"])
@pytest.mark.parametrize("command, configuration", CASES)
def test_fault(sweep, command, configuration, action):
    swept = sweep(command, configuration)
    bundle, how = swept.bundle, swept.command
    calls, reference = swept.reference()
    known = next(call.number for call in calls if call.name == "uname" and call.process == "0")

    def works_or_is_told(before, result, call):
        if result.rc:
            early = call and call.process == "0" and call.number < known
            if not hung_up(how, result, call):
                is_told(result, how.rc, early)
            left = bundle.guard.check() if how.makes else []
            if left:
                raise AssertionError(f"left {left}: {told(result)}")
            return
        try:
            shown = how.after(bundle, before, result)
        except AssertionError:
            if ended_later(bundle, how, call) or hung_up(how, result, call):
                return
            raise
        other = differences(reference, shown) if shown != reference else []
        if not all(FALLBACK.match(line) for line in other):
            raise AssertionError("\n".join(["another container", *other]))

    swept.over(points_of(calls, action), action, works_or_is_told, SAMPLE.get(command, 4))
