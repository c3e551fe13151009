"""The slow half of tools/check: clang-tidy (see .clang-tidy) and cppcheck, one job each a file."""

import re
import shutil
import subprocess
from collections import namedtuple

from lint import llvm

Result = namedtuple("Result", "verdict text")

TIDY = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]

# Uninitialised variables are left to the compilers and clang-tidy: they follow loops and pointers.
CPPCHECK = ["--quiet", "--std=c11", "--enable=warning,performance,portability"]
CPPCHECK += ["--error-exitcode=1", "--inline-suppr", "--template={file}:{line}: {message} [{id}]"]
CPPCHECK += [f"--suppress={name}" for name in ("missingIncludeSystem", "uninitvar", "ctuuninitvar")]
CPPCHECK += ["-D__linux__", "-D__x86_64__", "-D_GNU_SOURCE", "-Isrc", "-Iinclude"]

# Lines of clang-tidy about itself.
NOISE = r"^(?:\d+ warnings? .*generated|Suppressed|Use -header-filter|Error while processing).*\n"


def jobs(root, build, files):
    """Functions without arguments that give a Result."""
    tidy = [llvm.find("clang-tidy"), "-p", str(build), *TIDY]
    cppcheck = [shutil.which("cppcheck"), *CPPCHECK]
    for name, command in {"clang-tidy": tidy, "cppcheck": cppcheck}.items():
        if not command[0]:
            yield lambda name=name: Result("skipped", f"{name}: not installed, or another version")
            continue
        for path in files:
            yield lambda command=command, path=path: run(root, [*command, path])


def run(root, command):
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if not done.returncode:
        return Result("passed", "")
    return Result("failed", re.sub(NOISE, "", done.stdout + done.stderr, flags=re.M).rstrip())
