"""The slow half of tools/check: clang-tidy (see .clang-tidy), gcc -fanalyzer and cppcheck.

Each looks at each file once, in a job of its own. clang-tidy has the analyser of scan-build in it,
and nearly all of the time goes there: so its jobs come first, those of the largest files in front.
"""

import json
import os
import re
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

from lint import llvm

Result = namedtuple("Result", "verdict text")

ANALYSED = "tools/lint/analysed.h"
TELLERS = ("src/base/err.c", "src/base/json_fail.c")  # define what ANALYSED tells of

TIDY = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]

GCC = ["-fanalyzer", "-Werror", "-std=gnu17", "-O2", "-c", "-o", os.devnull, "-D_GNU_SOURCE"]
GCC += ['-DCREEL_VERSION="x"', "-iquote", "src", "-Iinclude"]

# Uninitialised variables are left to the compilers and clang-tidy: they follow loops and pointers.
CPPCHECK = ["--quiet", "--std=c11", "--enable=warning,performance,portability"]
CPPCHECK += ["--error-exitcode=1", "--inline-suppr", "--template={file}:{line}: {message} [{id}]"]
CPPCHECK += [f"--suppress={name}" for name in ("missingIncludeSystem", "uninitvar", "ctuuninitvar")]
CPPCHECK += ["-D__linux__", "-D__x86_64__", "-D_GNU_SOURCE", "-Isrc", "-Iinclude"]

# Lines of clang-tidy about itself.
NOISE = r"^(?:\d+ warnings? .*generated|Suppressed|Use -header-filter|Error while processing).*\n"


def database(root, build):
    """Writes BUILD/deep/compile_commands.json; returns its folder and the files of src in it.

    Of the ways in which a file is compiled (program, library, tests) it has the first:
    clang-tidy would analyse the file for each.
    """
    commands = {}
    for command in json.loads((Path(build) / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(command["directory"], command["file"]), root)
        if path.startswith("src/") and path.endswith(".c"):
            commands.setdefault(path, command)
    where = Path(build) / "deep"
    where.mkdir(exist_ok=True)
    (where / "compile_commands.json").write_text(json.dumps([*commands.values()]))
    return where, sorted(commands, key=lambda path: -(root / path).stat().st_size)


def jobs(root, build):
    """Functions without arguments that give a Result."""
    where, files = database(root, build)
    tidy = [llvm.find("clang-tidy"), "-p", str(where), *TIDY]
    gcc = [shutil.which("gcc"), *GCC, "-iquote", str(Path(build) / "src")]
    tools = {
        "clang-tidy": (tidy, []),
        "gcc": (gcc, ["-include", ANALYSED]),
        "cppcheck": ([shutil.which("cppcheck"), *CPPCHECK], []),
    }
    for name, (command, telling) in tools.items():
        if not command[0]:
            yield lambda name=name: Result("skipped", f"{name}: not installed, or another version")
            continue
        for path in files:
            words = [*command, *(() if path in TELLERS else telling), path]
            yield lambda words=words: run(root, words)


def run(root, command):
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if not done.returncode:
        return Result("passed", "")
    return Result("failed", re.sub(NOISE, "", done.stdout + done.stderr, flags=re.M).rstrip())
