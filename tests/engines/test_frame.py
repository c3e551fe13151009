"""The scenarios themselves: with a runtime that always fails, not one of them passes."""

import os
import re
import subprocess
import sys


def test_a_broken_runtime_is_noticed(pytestconfig):
    command = [sys.executable, "-m", "pytest", "-q", "-m", "quick", pytestconfig.rootpath]
    environment = os.environ | {"CREEL_ENGINE_RUNTIME": "broken"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=550, check=False,
    )  # fmt: skip
    found = re.findall(r"(\d+) (passed|failed|error)", done.stdout.strip().splitlines()[-1])
    words = {word: int(number) for number, word in found}
    assert words.get("failed", 0) >= 5 and "passed" not in words, done.stdout[-3000:]
