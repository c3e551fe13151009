"""The scenarios themselves: with a runtime that always fails, one of each engine is seen to fail."""

import os
import re
import subprocess
import sys

WITNESSES = "test_run or test_streams_and_status or (test_kubernetes and test_life)"


def test_a_broken_runtime_is_noticed(pytestconfig):
    command = [sys.executable, "-m", "pytest", "-q", "-m", "quick", "-k", WITNESSES]
    environment = os.environ | {"CREEL_ENGINE_RUNTIME": "broken"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(
        [*command, pytestconfig.rootpath], env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True, timeout=550, check=False,
    )  # fmt: skip
    found = re.findall(r"(\d+) (passed|failed|error)", done.stdout.strip().splitlines()[-1])
    words = {word: int(number) for number, word in found}
    assert words == {"failed": 5}, done.stdout[-3000:]
