"""
Every command is killed before each of its system calls: the process that makes it, and then all of
the command at once. Whatever was half made, others can still ask for it, and delete -f removes it.
"""

from pathlib import Path

import pytest

from commands import COMMANDS
from program import wait_until
from sweeping import EVERY, points_of, told

CASES = [(name, "rich") for name, how in COMMANDS.items() if how.criu != "real" and not how.reads]
# The real criu takes longer, and saves what it can save on this machine.
CASES += [pytest.param(name, "plain", marks=pytest.mark.criu)
          for name, how in COMMANDS.items() if how.criu == "real"]
CASES += [(name, how) for name in ("create", "run", "start") for how in
          ("plain", "user_namespace", "between", "listener")]
SAMPLE = 25
OF_CRIU = {"fake": 40, "real": 12}


def sample(command, configuration, action):
    """All points of the short commands and, of the long ones, of what leaves most behind."""
    if COMMANDS[command].criu:
        return OF_CRIU[COMMANDS[command].criu]
    whole = not command.startswith(("create", "run", "exec"))
    whole |= (command, configuration, action) == ("create", "rich", "kill")
    return EVERY if whole and configuration == "rich" else SAMPLE


def goes_on(bundle):
    """
    A container that was to be saved is neither frozen nor stopped by a tracer, or it has ended; criu
    may need a moment to see that nobody listens any more.
    """
    state = bundle.try_state()
    if not state or state["status"] == "stopped":
        return True
    try:
        told = Path(f"/proc/{state['pid']}/status").read_text()
    except OSError:
        return False
    return state["status"] == "running" and "State:\tS" in told


@pytest.mark.timeout(0)
@pytest.mark.creel_only("1.1 leaks")
@pytest.mark.parametrize("action", ["kill", "kill-all"])
@pytest.mark.parametrize("command, configuration", CASES)
def test_killed(sweep, command, configuration, action):
    swept = sweep(command, configuration)
    bundle = swept.bundle

    def answers(before, result, call):
        assert result.rc != 124, f"it hangs: {told(result)}"
        assert bundle.creel("list").rc == 0
        assert bundle.creel("state", bundle.id).rc in (0, 1)
        if command.startswith("checkpoint"):
            wait_until(lambda: goes_on(bundle), "the container to go on", 10)

    calls, _ = swept.reference()
    swept.over(points_of(calls, action), action, answers, sample(command, configuration, action))
