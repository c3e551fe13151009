"""
Every command is killed before each of its system calls: the process that makes it, and then all of
the command at once. Whatever was half made, others can still ask for it, and delete -f removes it.
"""

import pytest

from commands import COMMANDS
from sweeping import EVERY, points_of, told

CASES = [(name, "rich") for name in COMMANDS]
CASES += [(name, how) for name in ("create", "run", "start") for how in
          ("plain", "user_namespace", "between", "listener")]
SAMPLE = 25


def sample(command, configuration, action):
    """All points of the short commands and, of the long ones, of what leaves most behind."""
    whole = command not in ("create", "run", "run-d", "exec", "exec-d")
    whole |= (command, configuration, action) == ("create", "rich", "kill")
    return EVERY if whole and configuration == "rich" else SAMPLE


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

    calls, _ = swept.reference()
    swept.over(points_of(calls, action), action, answers, sample(command, configuration, action))
