"""
Commands under valgrind: no byte is used that nothing was put into, and no descriptor is open at the
end that the command opened. Those that enter a container execute themselves anew, and valgrind does
not go with them. A call of the kernel that it does not know it refuses: the command fails then, and
is held to the same.
"""

import re
import shutil

import pytest

pytestmark = [pytest.mark.once, pytest.mark.creel_only("Go's memory is Go's matter")]

NOTHING, CREATED, RUNNING, PAUSED, STOPPED = "nothing", "created", "running", "paused", "stopped"
COMMANDS = {
    "--version": NOTHING,
    "--help": NOTHING,
    "features": NOTHING,
    "spec --bundle OUT": NOTHING,
    "explain --bundle BUNDLE": NOTHING,
    "start ID": CREATED,
    "state ID": RUNNING,
    "list": RUNNING,
    "list --format json": RUNNING,
    "ps ID": RUNNING,
    "events --stats ID": RUNNING,
    "update --resources LIMITS ID": RUNNING,
    "pause ID": RUNNING,
    "resume ID": PAUSED,
    "kill ID CONT": RUNNING,
    "kill --all ID KILL": RUNNING,
    "delete --force ID": RUNNING,
    "delete ID": STOPPED,
}


def ready(bundle, status):
    bundle.sleep()
    if status == NOTHING:
        bundle.save()
    elif status == CREATED:
        bundle.create().ok()
    else:
        bundle.run_detached().ok()
    if status == PAUSED:
        bundle.pause().ok()
    if status == STOPPED:
        bundle.stop()


LEFT_OPEN = re.compile(r"Open .*\d+:.*\n(?!==\d+== +<inherited from parent>)")


@pytest.mark.parametrize("words", COMMANDS)
def test_memory_and_descriptors(bundle, words):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    if bundle.program.path.name == "creel-checked":
        pytest.skip("it has sanitizers, which valgrind does not run")
    ready(bundle, COMMANDS[words])
    limits, out, log = bundle.path / "limits.json", bundle.path / "out", bundle.path / "valgrind"
    limits.write_text("{}")
    out.mkdir()
    names = {"BUNDLE": bundle.path, "ID": bundle.id, "LIMITS": limits, "OUT": out}
    wrapper = ["valgrind", "--vgdb=no", "--track-fds=yes", "--error-exitcode=77", f"--log-file={log}"]
    result = bundle.creel(*(names.get(word, word) for word in words.split()), wrapper=wrapper)
    told = log.read_text()
    assert "FILE DESCRIPTORS: " in told and not LEFT_OPEN.search(told), told
    assert "ERROR SUMMARY: 0 errors" in told, told
    if result.rc and re.search(r"unhandled \S+ syscall", told):
        result.fails(part="function not implemented")
    else:
        result.ok()
