"""tools/check finds what it is there to find: each rule is given a small tree that breaks it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAYERS = "# from the bottom up\nbase\nsys\nstate cgroup\ncontainer\ncli\n"
HEAD = "/*\n * A file for a test.\n */\n"
HEADER = HEAD + "#pragma once\n"
TABLE = "/*\n * A table.\n * check: pure table\n */\n"
INCLUDE_A, INCLUDE_B = HEADER + '#include "base/a.h"\n', HEAD + '#include "base/b.h"\n'
LOOPS = "\tfor (;;) {\n\t\tdo {\n%s\n\t\t} while (y);\n\t}"


def check(tmp_path, files, *options):
    """Runs tools/check on a tree of these files (path → text); returns the lines that it prints."""
    given = {"src/LAYERS": LAYERS, ".clang-format": "DisableFormat: true\n"}
    for path, text in (given | files).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [ROOT / "tools/check", "--root", tmp_path, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode != 0) == (" 0 failed" not in lines[-1]), done.stdout + done.stderr
    return lines


def function(body, parameters="void"):
    return f"{HEAD}int f({parameters})\n{{\n{body}\n}}\n"


def numbered(rows):
    return [f"{number}-{row[0]}" for number, row in enumerate(rows)]


def nested(depth):
    ifs = "".join("\t" * (i + 1) + "if (x)\n" for i in range(depth))
    return ifs + "\t" * (depth + 1) + "x = 0;"


GOOD = {
    "src/base/fd.h": HEADER + "int fd_read(int fd, struct err *e) must_check;\n",
    "src/base/fd.c": HEAD + '#include "base/fd.h"\n\nint fd_read(int fd)\n{\n\treturn fd;\n}\n',
    "src/sys/ns.c": HEAD + '#include "base/fd.h"\n#include <sched.h>\n',
    "src/cli/main.c": HEAD + '#include "base/fd.h"\n#include "creel.h"\n',
    "src/base/meson.build": "files('fd.c')\n",
    "src/sys/meson.build": "files('ns.c')\n",
    "src/cli/meson.build": "files('main.c')\n",
    "include/creel.h": HEAD,
}

# rule, files, what is said (of the last file)
BAD = [
    ("layers", {"src/base/a.c": HEAD + '#include "sys/b.h"\n'}, "sys is not below base"),
    ("layers", {"src/state/a.c": HEAD + '#include "cgroup/b.h"\n'}, "cgroup is not below state"),
    ("layers", {"src/base/a.c": HEAD + '#include "b.h"\n'}, "folder/file.h"),
    ("layers", {"src/cli/a.c": HEAD + '#include "sys/b.h"\n'}, "cli sees creel.h and base alone"),
    ("layers", {"src/sys/a.c": HEAD + '#include "creel.h"\n'}, "public API"),
    ("layers", {"src/extra/a.c": HEAD}, "does not name the folder extra"),
    ("circles", {"src/base/a.c": INCLUDE_B, "src/base/b.h": INCLUDE_A}, "base/a → base/b → base/a"),
    ("file-size", {"src/base/a.c": HEAD + "int x;\n" * 600}, "603 lines, 600 are allowed"),
    ("file-size", {"src/base/a.c": TABLE + "int x;\n" * 900}, "900 are allowed"),
    ("function-size", {"src/base/a.c": function("\tx();\n" * 67 + "\tx();")}, "f has 71 lines"),
    ("function-size", {"src/base/a.c": function(nested(5))}, "5 levels of nesting"),
    ("function-size", {"src/base/a.c": function(LOOPS % nested(3))}, "5 levels"),
    ("function-size", {"src/base/a.c": function("", ", ".join(["int x"] * 8))}, "8 parameters"),
    ("columns", {"src/base/a.c": HEAD + "/* " + "ä" * 95 + " */\n"}, "100 columns"),
    ("columns", {"src/base/a.c": HEAD + "\t" * 12 + "int abcd;\n"}, "100 columns"),
    ("banned", {"src/base/a.c": function("\treturn system(x);")}, "system(): runs a shell"),
    ("banned", {"src/base/a.c": function("\treturn getpwuid (x);")}, "getpwuid()"),
    ("banned", {"src/base/a.c": function("\treturn getgrnam(x);")}, "getgrnam()"),
    ("banned", {"src/base/a.c": function("\treturn getenv(x);")}, "getenv()"),
    ("banned", {"src/base/a.c": function("\tstrcpy(x, y);")}, "strcpy()"),
    ("banned", {"src/base/a.c": function("\tsprintf(x, y);")}, "sprintf()"),
    ("banned", {"src/base/a.c": function("\treturn atoi(x);")}, "atoi()"),
    ("banned", {"src/base/a.c": function("\treturn strtoul(x, 0, 0);")}, "strtoul()"),
    ("banned", {"src/base/a.c": function("\treturn realpath(x, 0);")}, "realpath()"),
    ("banned", {"src/base/a.c": function("\treturn access(x, 0);")}, "access()"),
    ("banned", {"src/base/a.c": function("\tfree(x);")}, "free(): memory comes from the arena"),
    ("banned", {"src/base/a.c": function("\tx = alloca(y);")}, "alloca()"),
    ("banned", {"src/base/a.c": function("\tusleep(1);")}, "usleep()"),
    ("banned", {"src/base/a.c": HEAD + "typedef struct a a;\n"}, "no typedef"),
    ("path-call", {"src/sys/a.c": function("\treturn mkdirat(x, y, 0);")}, "mkdirat()"),
    ("path-call", {"src/sys/a.c": function("\treturn mount(x, y, 0, 0, 0);")}, "mount()"),
    ("proc-self", {"src/sys/a.c": function('\tx = "/proc/self/exe";')}, "/proc/self/exe"),
    ("cloexec", {"src/sys/a.c": function("\treturn openat(x, y, O_RDONLY);")}, "without O_CLOEXEC"),
    ("cloexec", {"src/sys/a.c": function("\treturn openat(x, y, flags);")}, "without O_CLOEXEC"),
    ("cloexec", {"src/sys/a.c": function("\treturn socket(AF_UNIX, x, 0);")}, "SOCK_CLOEXEC"),
    ("cloexec", {"src/sys/a.c": function("\treturn syscall(SYS_fsopen, x);")}, "FSOPEN_CLOEXEC"),
    ("cloexec", {"src/sys/a.c": function("\treturn dup(x);")}, "dup() cannot"),
    ("cloexec", {"src/sys/a.c": function("\treturn fcntl(x, F_DUPFD, 3);")}, "F_DUPFD_CLOEXEC"),
    ("head", {"src/base/a.c": "int x;\n"}, "opens with no comment"),
    ("head", {"src/base/a.h": HEAD}, "no #pragma once"),
    ("head", {"tools/a": "#!/bin/sh\nset -eu\n\nx=1\n"}, "opens with no comment"),
    ("must-check", {"src/base/a.h": HEADER + "int a_do(int x, struct err *e);\n"}, "a_do can fail"),
    ("names", {"src/base/utils.c": HEAD}, "file of its noun"),
    ("names", {"src/base/fd_helpers.c": HEAD}, "file of its noun"),
    ("listed", {"src/base/meson.build": "files('b.c')\n", "src/base/a.c": HEAD}, "list 'a.c'"),
    ("listed", {"tests/unit/test_a.c": HEAD}, "list 'a'"),
    ("coverage", {"tools/coverage-why": "== a\nbase/a.c a*2,gone why\n", "src/base/a.c":
                  function("\ta(1);")}, "src/base/a.c has no function gone"),
    ("to-do", {"src/base/a.c": HEAD + "/* TO" + "DO: more */\n"}, "to be done"),
    ("foreign", {"docs/a.md": "see /ho" + "me/jo/notes\n"}, "one machine"),
    ("foreign", {"src/base/a.c": HEAD + "/* Copy" + "right: somebody */\n"}, "LICENSE"),
    ("text", {"docs/a.md": "no newline"}, "no newline"),
    ("text", {"src/base/a.c": HEAD + "int x; \n"}, "space at the end"),
    ("format", {".clang-format": "IndentWidth: 8\n", "src/a.c": HEAD + "int  x;\n"}, "clang-format"),
]


@pytest.mark.parametrize("rule, files, said", BAD, ids=numbered(BAD))
def test_finds(tmp_path, rule, files, said):
    lines = check(tmp_path, files, rule)
    if "skipped: clang-format" in lines[0]:
        pytest.skip(lines[0])
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"
    assert len(lines) == 2, lines
    assert said in lines[0]
    assert lines[0].endswith(f"[{rule}]")


def test_good_tree_has_no_findings(tmp_path):
    lines = check(tmp_path, GOOD)
    assert " 0 failed" in lines[-1]
    assert len(lines) == 1 or "skipped: clang-format" in lines[0], lines


QUIET = [
    ("banned", function("\t/* never system(x) */\n\treturn 0;")),
    ("banned", function('\tx("call getenv(y)");')),
    ("banned", function("\tarena_free(x);\n\tx->access(y);")),
    ("circles", HEAD + '#include "base/a.h"\n'),
    ("function-size", function(nested(4))),
    ("function-size", function("\tx();\n" * 66 + "\tx();")),
    ("function-size", function("", "int (*g)(int, int), " + ", ".join(["int x"] * 6))),
    ("function-size", function("\tif (x)\n\t\ty();\n" + "\telse if (x)\n\t\ty();\n" * 6)),
    ("cloexec", function("\thow.flags = O_CLOEXEC;\n\treturn syscall(SYS_openat2, x, y, &how);")),
    ("cloexec", function("\treturn dup3(x, y, O_CLOEXEC);")),
    ("columns", HEAD + "/* " + "ä" * 94 + " */\n"),
]


@pytest.mark.parametrize("rule, text", QUIET, ids=numbered(QUIET))
def test_says_nothing(tmp_path, rule, text):
    assert check(tmp_path, {"src/base/a.c": text}, rule) == ["1 passed, 0 failed, 0 skipped"]


def test_exception_is_allowed(tmp_path):
    bad = {"src/base/a.c": function("\treturn getenv(x);"), "src/base/meson.build": "'a.c'\n"}
    allow = {"tools/check-allow": "banned src/base/*.c getenv,setenv because of the test\n"}
    assert " 0 failed" in check(tmp_path, bad | allow)[-1]


def test_exception_is_for_one_word(tmp_path):
    bad = {"src/base/a.c": function("\treturn getenv(system(x));")}
    allow = {"tools/check-allow": "banned src/base/a.c getenv because of the test\n"}
    lines = check(tmp_path, bad | allow, "banned")
    assert len(lines) == 2 and "system()" in lines[0]


def test_unused_exception_is_found(tmp_path):
    allow = "# nothing does this\nbanned src/base/a.c getenv because of the test\n"
    lines = check(tmp_path, {"tools/check-allow": allow})
    assert "tools/check-allow:2: allows what nobody does [allow]" in lines


def test_unknown_rule_is_refused(tmp_path):
    command = [ROOT / "tools/check", "no-rule"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no such rule: no-rule" in done.stderr
