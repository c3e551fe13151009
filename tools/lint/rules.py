"""The rules of tools/check, one function each: it takes the tree and yields what it finds.

A finding is (path, line, what) or (path, line, what, word); by its word tools/check-allow lets one
pass.
"""

import re
import subprocess

from lint import explained, llvm

RULES = {}

FILE_LINES, TABLE_LINES, FUNCTION_LINES, NESTING, PARAMETERS, COLUMNS = 600, 900, 70, 4, 7, 100
TABLE_MARK = "check: pure table"


def rule(name):
    def add(function):
        RULES[name] = function
        return function

    return add


def folder_of(path):
    """"src/base/fd.c" is in "base"; None outside src."""
    parts = path.split("/")
    return parts[1] if len(parts) == 3 and parts[0] == "src" else None


# ---- the order of the folders --------------------------------------------------------------------


def read_layers(text):
    """Folder → line of src/LAYERS, counted from the bottom layer."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {folder: rank for rank, line in enumerate(lines) for folder in line.split()}


@rule("layers")
def layers(tree):
    ranks = read_layers(tree.text("src/LAYERS"))
    for source in tree.c_files("src"):
        own = folder_of(source.path)
        if own not in ranks:
            yield source.path, 1, f"src/LAYERS does not name the folder {own}"
            continue
        for line, target in source.includes:
            if not (why := include_error(own, target, ranks)):
                continue
            yield source.path, line, f'#include "{target}": {why}'


def include_error(own, target, ranks):
    other, slash, _ = target.partition("/")
    if target == "creel.h":
        return None if own in ("cli", "container") else "the public API is for container and cli"
    if not slash or other not in ranks:
        return 'write it as "folder/file.h"'
    if own == "cli" and other not in ("cli", "base"):
        return "cli sees creel.h and base alone"
    if other != own and ranks[other] >= ranks[own]:
        return f"{other} is not below {own} in src/LAYERS"
    return None


# Two modules (.c and .h together) that need each other are one module, or hide a third.
@rule("circles")
def circles(tree):
    needs = {}
    for source in tree.c_files("src"):
        module = re.sub(r"^src/|\.[ch]$", "", source.path)
        others = {re.sub(r"\.h$", "", target) for _, target in source.includes} - {module}
        needs.setdefault(module, set()).update(others)
    done = set()
    for start in sorted(needs):
        circle = find_circle(start, needs, [], done)
        if circle:
            yield f"src/{circle[0]}.c", 1, "circle of includes: " + " → ".join(circle)


def find_circle(module, needs, way, done):
    if module in way:
        return way[way.index(module) :] + [module]
    if module in done:
        return None
    for other in sorted(needs.get(module, ())):
        circle = find_circle(other, needs, way + [module], done)
        if circle:
            done.update(circle)
            return circle
    done.add(module)
    return None


# ---- sizes ---------------------------------------------------------------------------------------


@rule("file-size")
def file_size(tree):
    for source in tree.c_files():
        table = TABLE_MARK in "\n".join(source.lines[:15])
        limit = TABLE_LINES if table else FILE_LINES
        if (count := len(source.text.splitlines())) > limit:
            yield source.path, count, f"{count} lines, {limit} are allowed"


@rule("function-size")
def function_size(tree):
    for source in tree.c_files():
        for f in source.functions:
            for count, limit, what in (
                (f.length, FUNCTION_LINES, "lines"),
                (f.nesting, NESTING, "levels of nesting"),
                (f.parameters, PARAMETERS, "parameters"),
            ):
                if count > limit:
                    yield source.path, f.line, f"{f.name} has {count} {what}, {limit} are allowed"


@rule("columns")
def columns(tree):
    for source in tree.c_files():
        widths = [len(line.expandtabs(8)) for line in source.lines]
        if long := [number for number, width in enumerate(widths, 1) if width > COLUMNS]:
            what = f"{len(long)} lines have more than {COLUMNS} columns, this is the first"
            yield source.path, long[0], what


# ---- calls that are not made ---------------------------------------------------------------------

BANNED = {
    "alloca strdupa strndupa": "no memory on the stack whose size an input decides",
    "access eaccess faccessat canonicalize_file_name realpath":
        "checks a path that may be another one when it is used",
    "atof atoi atol atoll strtod strtof strtoimax strtol strtoll strtoul strtoull strtoumax":
        "reads numbers loosely; use str_to_u32 and its family",
    "asprintf calloc free getdelim getline malloc open_memstream posix_memalign realloc "
    "reallocarray strdup strndup vasprintf": "memory comes from the arena",
    "clearenv getenv putenv secure_getenv setenv unsetenv": "the environment is cli/main's",
    "clock_nanosleep nanosleep sleep usleep": "wait for an event (pidfd, poll), never for a time",
    "dlopen getaddrinfo iconv_open setlocale": "loads files of the machine, or of the container",
    "fdopen fdopendir fopen freopen ftw glob nftw opendir scandir setmntent":
        "allocates behind our back; use file_read or a descriptor",
    "getgrent getgrgid getgrgid_r getgrnam getgrnam_r getgrouplist getlogin getpwent getpwnam "
    "getpwnam_r getpwuid getpwuid_r initgroups": "may load libraries, even of a container's tree",
    "gets sprintf stpcpy strcat strcpy strncat strncpy vsprintf":
        "does not know the size; use snprintf or struct str",
    "mkstemp mktemp rand signal srand tempnam tmpfile tmpnam vfork": "there is a safer one",
    "popen system wordexp": "runs a shell",
}  # fmt: skip


@rule("banned")
def banned(tree):
    for source in tree.c_files("src", "include"):
        for names, why in BANNED.items():
            for call in source.calls(names.replace(" ", "|")):
                yield source.path, call.line, f"{call.name}(): {why}", call.name
        for match in re.finditer(r"\btypedef\s+(?:struct|union)\b", source.code):
            yield source.path, source.line_of(match.start()), "no typedef for structs"


PATH_CALLS = (
    "chdir chmod chown chroot creat fchmodat fchownat lchown link linkat mkdir mkdirat mkfifo "
    "fd_open mkfifoat mknod mknodat mount open openat pivot_root rename renameat rmdir symlink "
    "symlinkat truncate umount umount2 unlink unlinkat"
)


# A path in the container's tree means what the container wants it to mean: few files may use paths.
@rule("path-call")
def path_call(tree):
    for source in tree.c_files("src"):
        for call in source.calls(PATH_CALLS.replace(" ", "|")):
            what = f"{call.name}(): paths are for the files that tools/check-allow names"
            yield source.path, call.line, what, call.name


@rule("proc-self")
def proc_self(tree):
    for source in tree.c_files("src"):
        for line, text in source.strings:
            if re.search(r"/proc/(?:self|thread-self|%)", text):
                yield source.path, line, f'"{text}": /proc is reached through sys/procfs', "/proc"


CLOEXEC = {
    "accept4": "SOCK_CLOEXEC",
    "dup3": "O_CLOEXEC",
    "epoll_create1": "EPOLL_CLOEXEC",
    "eventfd": "EFD_CLOEXEC",
    "fsmount": "FSMOUNT_CLOEXEC",
    "fsopen": "FSOPEN_CLOEXEC",
    "fspick": "FSPICK_CLOEXEC",
    "inotify_init1": "IN_CLOEXEC",
    "memfd_create": "MFD_CLOEXEC",
    "open": "O_CLOEXEC",
    "open_by_handle_at": "O_CLOEXEC",
    "open_tree": "OPEN_TREE_CLOEXEC",
    "openat": "O_CLOEXEC",
    "openat2": "O_CLOEXEC",
    "pipe2": "O_CLOEXEC",
    "recvmsg": "MSG_CMSG_CLOEXEC",
    "signalfd": "SFD_CLOEXEC",
    "socket": "SOCK_CLOEXEC",
    "socketpair": "SOCK_CLOEXEC",
    "timerfd_create": "TFD_CLOEXEC",
}
NEVER_CLOEXEC = "accept|pipe|dup|dup2|epoll_create|inotify_init|creat"


# What is open when the container's program starts, the container has.
@rule("cloexec")
def cloexec(tree):
    for source in tree.c_files("src"):
        for call in source.calls(NEVER_CLOEXEC):
            what = f"{call.name}() cannot set close-on-exec"
            yield source.path, call.line, what, call.name
        for call in source.calls("|".join([*CLOEXEC, "syscall"])):
            number = re.match(r"\s*(?:SYS|__NR)_(\w+)", call.arguments)
            name = number.group(1) if number and call.name == "syscall" else call.name
            if name in CLOEXEC and not has_flag(source, call, CLOEXEC[name]):
                yield source.path, call.line, f"{name}() without {CLOEXEC[name]}", name
        for match in re.finditer(r"\bF_DUPFD\b", source.code):
            yield source.path, source.line_of(match.start()), "F_DUPFD: use F_DUPFD_CLOEXEC"


def has_flag(source, call, flag):
    """The flag stands in the call, or in its function where the flags come by a variable."""
    if flag in call.arguments:
        return True
    other_flags = re.search(rf"\b{flag.split('_')[0]}_[A-Z]", call.arguments)
    around = source.function_at(call.line)
    return not other_flags and around and flag in around.body


# ---- form ----------------------------------------------------------------------------------------


def is_header(source):
    return source.path.startswith("src/") and source.path.endswith(".h")


@rule("head")
def head(tree):
    for source in tree.c_files():
        if not re.match(r"/\*\n((?: \*[^\n]*\n)+?) \*/\n", source.text):
            yield source.path, 1, "opens with no comment that says what the file is about"
        if is_header(source) and "\n#pragma once\n" not in source.text:
            yield source.path, 1, "no #pragma once"
    for path in tree.scripts():
        lines = tree.text(path).splitlines()[:3]
        if not any(re.match(r'# ?\w|"""', line) for line in lines):
            yield path, 1, "opens with no comment that says what the file is about"


FALLIBLE = re.compile(r"^([^\n;{}#]*?)\b(\w+)\([^;{}]*?struct err \*e\)([^;{}]*);", re.M)


# A function that fills a struct err says nothing when its result is dropped.
@rule("must-check")
def must_check(tree):
    for source in filter(is_header, tree.c_files("src")):
        for match in FALLIBLE.finditer(source.statements):
            kind, name, attributes = match.groups()
            if kind.startswith(("static ", "void ")) or name.startswith("err_"):
                continue
            if "must_check" not in attributes:
                line = source.line_of(match.start())
                yield source.path, line, f"{name} can fail and is not must_check", name


@rule("names")
def names(tree):
    for path in tree.paths:
        if re.search(r"(?:^|[/_-])(?:utils?|common|helpers?|misc)(?:\.\w+)?$", path):
            yield path, 1, "a helper lives in the file of its noun"
        if " " in path:
            yield path, 1, "a space in a file's name"


def grep(tree, pattern):
    """(path, line) of every line of every file that has the pattern."""
    for path in tree.paths:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if re.search(pattern, line):
                yield path, number


# What meson.build does not list is neither compiled nor run, and nobody notices.
@rule("listed")
def listed(tree):
    for path in tree.paths:
        match = re.match(r"(src/\w+|tests/unit|fuzz)/(test_|fuzz_)?(\w+)\.c$", path)
        if not match:
            continue
        folder, kind, stem = match.groups()
        name = f"'{stem}'" if kind else f"'{stem}.c'"
        if name not in tree.text(f"{folder}/meson.build"):
            yield path, 1, f"{folder}/meson.build does not list {name}"


@rule("coverage")
def coverage(tree):
    for row in explained.read(tree.text(explained.PATH)):
        for name in row.functions:
            if not re.search(rf"\b{name}\(", tree.text(row.file)):
                yield explained.PATH, row.line, f"{row.file} has no function {name}"


@rule("to-do")
def to_do(tree):
    for path, line in grep(tree, r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"):
        yield path, line, "to be done: do it, or write an issue"


# What is written here means nothing on another machine; what others wrote comes with their terms.
@rule("foreign")
def foreign(tree):
    for path, line in grep(tree, r"(?<![\w.$}])/(?:work/|home/\w|Users/\w)"):
        if not path.startswith("tests/"):  # containers have homes too
            yield path, line, "names a directory of one machine"
    for path, line in grep(tree, r"Copy" r"right|SPDX-" r"License|All rights" r" reserved"):
        if path not in ("LICENSE", "NOTICE"):
            yield path, line, "a licence line: the one licence is in LICENSE"


@rule("text")
def text(tree):
    for path in tree.paths:
        content = tree.text(path)
        if content and not content.endswith("\n"):
            yield path, content.count("\n") + 1, "no newline at the end"
    for path, line in grep(tree, r"\s$"):
        if not path.endswith(".md"):
            yield path, line, "space at the end of the line"


@rule("format")
def formatting(tree):
    if not (program := llvm.find("clang-format")):
        raise tree.Skip(llvm.missing("clang-format"))
    if not (files := [source.path for source in tree.c_files()]):
        return
    command = [program, "--dry-run", "-Werror", "--ferror-limit=1", *files]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    seen = set()
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: error: ", done.stderr, re.M):
        if path not in seen:
            seen.add(path)
            yield path, int(line), "not as clang-format would write it: make format"
