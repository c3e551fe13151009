"""
Each piece of memory that a command takes from its arena is refused once, to the runtime and to init
alike. The command does its work all the same, or there is one error and nothing left.

creel-faulty is the program with one addition: CREEL_FAIL_PIECE=N in its environment makes the Nth
piece fail.
"""

import pytest

from commands import COMMANDS, on_screen
from sweeping import is_told, told

CASES = [(name, "rich") for name, how in COMMANDS.items()
         if how.criu != "real" and how.before is not on_screen]
CASES += [("run", how) for how in ("plain", "rare", "user_namespace", "between")]
SAMPLE = 40
IN_A_ROW = 3  # a piece that is only wanted, for a home directory, say, may be refused


def count(fails):
    """How many pieces there are, about: fails(piece) says whether it was missed."""
    least, most = 0, 1
    while any(fails(most + i) for i in range(IN_A_ROW)):
        least, most = most, most * 2
    while most - least > 8:
        middle = (least + most) // 2
        if any(fails(middle + i) for i in range(IN_A_ROW)):
            least = middle
        else:
            most = middle
    return most + IN_A_ROW


@pytest.mark.timeout(0)
@pytest.mark.creel_only("there is no such program of another")
@pytest.mark.parametrize("command, configuration", CASES)
def test_memory(sweep, faulty, command, configuration):
    swept = sweep(command, configuration)
    bundle, how = swept.bundle, swept.command

    def fails(piece):
        environment = how.env(bundle) | {"CREEL_FAIL_PIECE": str(piece)}
        swept.counts["runs"] += 1
        swept.counts["points"] += 1
        before = how.before(bundle)
        result = faulty("--root", bundle.root, *how.argv(bundle), env=environment, timeout=40)
        if result.rc == 0:
            how.after(bundle, before, result)
        else:
            is_told(result, how.rc, early=True)
            assert "out of memory" in result.stderr, told(result)
            left = bundle.guard.check() if how.makes else []
            assert not left, f"left {left}: {told(result)}"
        swept.clean()
        return result.rc

    pieces = [str(piece) for piece in range(1, count(fails))]
    swept.each(pieces, "refused", fails, SAMPLE)
