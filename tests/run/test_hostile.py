"""
Files that want to do harm: config.json, the process of `exec` and the resources of `update` that
are huge, endless, deep, cut off or not text. Each is refused with its reason, in little memory, and
nothing is left behind.
"""

import os
import re
import sys

import pytest

MEMORY = 64 << 10  # KiB that may be used at a time
MILLION = 1_000_000
DEEP = "arrays and objects are nested deeper than 128"
LARGE = re.compile("is larger than (16777216 bytes|16 MiB)$")
END = "unexpected end of JSON input"
UTF8 = "a string is not valid UTF-8"
NUL = "a string may not contain NUL"
ROOM = "out of memory: one command may use 48 MiB"

pytestmark = pytest.mark.creel_only("it takes what it is given")


# Runs a command and writes to a file how much memory it used. What the kernel tells of a child
# includes what its parent had when it made it, so that must be a small one.
PEAK = """
import os, sys
_, status, usage = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:]), 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def within_memory(bundle, *args, **how):
    peak = bundle.path / "peak"
    result = bundle.creel(*args, wrapper=(sys.executable, "-IS", "-c", PEAK, peak), timeout=60,
                          **how)
    assert int(peak.read_text()) < MEMORY
    return result


def run(bundle, *pieces):
    """
    Runs the bundle with a config.json of pieces: bytes, or pairs of bytes and how often they come.
    """
    write(bundle.path / "config.json", *pieces)
    return within_memory(bundle, "run", "-b", bundle.path, bundle.id)


def write(path, *pieces):
    with open(path, "wb") as file:
        for piece in pieces:
            text, count = piece if isinstance(piece, tuple) else (piece, 1)
            for _ in range(count // 1000):
                file.write(text * 1000)
            file.write(text * (count % 1000))


def refused(bundle, result, text):
    """The text may be a pattern. Nothing was made."""
    message = result.fails(text if isinstance(text, re.Pattern) else None,
                           part=text if isinstance(text, str) else None)
    assert not bundle.root.exists() or list(bundle.root.iterdir()) == []
    return message


# ---- large and deep ----

@pytest.mark.parametrize("pieces, text", [
    ([(b"[", MILLION)], "cannot use array as object for config.json"),
    ([b'{"x":', (b"[", MILLION)], DEEP),
    ([b'{"x":', (b"[", MILLION), (b"]", MILLION), b"}"], DEEP),
    ([(b'{"x":', MILLION)], DEEP),
    ([b'{"linux":{"x":', (b'[{"y":', MILLION)], DEEP),
    ([b'{"process":{"args":[', (b"[", MILLION)], "cannot use array as string for process.args[0]"),
])
def test_a_million_brackets(bundle, pieces, text):
    refused(bundle, run(bundle, *pieces), text)


@pytest.mark.parametrize("pieces", [
    [(b" ", 100 * MILLION)],
    [b'{"hostname":"', (b"x", 100 * MILLION), b'"}'],
    [b'{"', (b"x", 100 * MILLION), b'":1}'],
    [b'{"process":{"user":{"additionalGids":[', (b"1,", 50 * MILLION), b"1]}}}"],
], ids=["spaces", "string", "key", "numbers"])
def test_a_hundred_million_bytes(bundle, pieces):
    refused(bundle, run(bundle, *pieces), LARGE)


BAD_END = b'"process":[]}'


@pytest.mark.parametrize("pieces, text", [
    ([(b" ", 15 * MILLION)], END),
    ([b'{"hostname":"', (b"x", 15 * MILLION), b'",', BAD_END], "cannot use array as object"),
    ([b'{"hostname":"', (b"\\n", 7 * MILLION), b'",', BAD_END], "cannot use array as object"),
    ([b'{"', (b"\\u00fc", 2 * MILLION), b'":1,', BAD_END], "cannot use array as object"),
    ([b'{"process":{"user":{"uid":', (b"1", 15 * MILLION), b"}}}"],
     "number 1111111111111111111111111111111111111111\u2026 for process.user.uid is out of range"),
    ([b"{", (b"\n", 15 * MILLION), b"bad"], "invalid character 'b'"),
    ([b'{"process":{"args":[', (b'"",', 5 * MILLION)], ROOM),
    ([b'{"process":{"user":{"additionalGids":[', (b"1,", 5 * MILLION), b"-1]}}}"],
     "number -1 for process.user.additionalGids[5000000] is out of range"),
    ([b'{"mounts":[', (b"{},", MILLION), b"{}]}"], ROOM),
    ([b'{"process":{"capabilities":{', (b'"bounding":["X"],', MILLION // 2), b"}}}"], ROOM),
], ids=["spaces", "string", "escapes", "key", "digits", "lines", "args", "groups", "mounts",
        "capabilities"])
def test_as_much_as_a_file_may_have(bundle, pieces, text):
    refused(bundle, run(bundle, *pieces), text)


@pytest.mark.parametrize("pieces, text", [
    ([b"{", (b'"hostname":"h",', MILLION), BAD_END], "cannot use array as object"),
    ([b"{", (b'"unknown":{"a":1},', MILLION // 2), BAD_END], "cannot use array as object"),
    ([b'{"linux":{', (b'"seccomp":{"defaultAction":"SCMP_ACT_LOG"},', MILLION // 4),
      b'"seccomp":1}}'], "cannot use number as object"),
    ([b'{"annotations":{', (b'"a":"",', MILLION), b'"a":""}}'], "more than 4096 named members"),
    ([b"{", (b'"annotations":{"a":"","b":""},', MILLION // 4), BAD_END],
     "more than 4096 named members"),
    ([b'{"linux":{"netDevices":{', (b'"a":{},', MILLION), b'"a":{}}}}'],
     "more than 4096 named members"),
], ids=["known", "unknown", "seccomp", "one map", "many maps", "objects"])
def test_keys_repeated_a_million_times(bundle, pieces, text):
    refused(bundle, run(bundle, *pieces), text)


# ---- not text ----

@pytest.mark.parametrize("text, reason", [
    (b"", END), (b"\0", "invalid character '\\x00'"), (b"\xff\xfe{\0}\0", "invalid character"),
    (b"\xef\xbb\xbf{}", "invalid character '\ufeff' looking for beginning of value"),
    (b"\x7fELF\2\1\1", "invalid character '\\x7f'"), (b'{"hostname":"\xc0\xaf"}', UTF8),
    (b'{"hostname":"\xe0\x80\xaf"}', UTF8), (b'{"hostname":"\xed\xa0\x80"}', UTF8),
    (b'{"hostname":"\xf4\x90\x80\x80"}', UTF8), (b'{"hostname":"\xe2\x82"}', UTF8),
    (b'{"\xff":1}', UTF8), (b'{"x":["\x80"]}', UTF8),
    (b'{"hostname":"\\ud800"}', "lone surrogate \\ud800 in string"),
    (b'{"hostname":"a\0b"}', "invalid character '\\x00' in string literal"),
    (b'{"hostname":"a\nb"}', "invalid character '\\x0a' in string literal"),
])
def test_not_text(bundle, text, reason):
    message = refused(bundle, run(bundle, text), reason)
    assert message.place and message.place[0] == 1


@pytest.mark.parametrize("where", [
    ("process", "args", 0), ("process", "env", 0), ("process", "cwd"), ("hostname",),
    ("root", "path"), ("mounts", 1, "destination"), ("mounts", 1, "source"),
    ("mounts", 1, "options", 0), ("linux", "maskedPaths", 0), ("linux", "readonlyPaths", 0),
    ("linux", "namespaces", 0, "path"), ("linux", "cgroupsPath"),
], ids=lambda where: ".".join(map(str, where)))
def test_nul_in_a_string(bundle, where):
    target = bundle.config
    for key in where[:-1]:
        target = target[key]
    target[where[-1]] = "/a\0b"
    bundle.save()
    result = within_memory(bundle, "run", "-b", bundle.path, bundle.id)
    message = result.fails(part=NUL, pointer="".join(f"/{key}" for key in where))
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    assert line[message.place[1] - 1:].startswith("\\u0000b")


@pytest.mark.parametrize("number", ["-1", "4294967296", "1e400", "-0.5", "9" * 40, "1E2"])
def test_numbers_that_are_no_ids(bundle, number):
    result = run(bundle, f'{{"process":{{"user":{{"uid":{number}}}}}}}'.encode())
    message = refused(bundle, result, re.compile(" for process.user.uid is (not an|out of)"))
    assert message.pointer == "/process/user/uid"


# ---- not a file ----

def test_what_is_no_file_is_not_read(bundle):
    path = bundle.path / "config.json"
    make = [(os.mkdir, path.rmdir), (os.mkfifo, path.unlink)] + [
        (lambda p, device=device: os.symlink(device, p), path.unlink)
        for device in ("/dev/zero", "/dev/full", "/dev/tty")]
    for create, remove in make:
        create(path)
        result = within_memory(bundle, "run", "-b", bundle.path, bundle.id)
        remove()
        refused(bundle, result, re.compile("config.json: (not a regular file|no such device)"))


def test_links_in_a_circle(bundle):
    (bundle.path / "config.json").symlink_to("config.json")
    result = within_memory(bundle, "run", "-b", bundle.path, bundle.id)
    refused(bundle, result, "open config.json: too many levels of symbolic links")


def test_file_that_the_caller_may_not_read(bundle):
    bundle.save()
    (bundle.path / "config.json").chmod(0o600)
    bundle.path.chmod(0o777)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    result = bundle.creel("run", "-b", bundle.path, bundle.id, wrapper=user)
    refused(bundle, result, "open config.json: permission denied")


# ---- the other files ----

@pytest.mark.parametrize("pieces, text", [
    ([(b"[", MILLION)], "cannot use array as object"), ([b'{"x":', (b"[", MILLION)], DEEP),
    ([(b" ", 100 * MILLION)], LARGE), ([b'{"args":["\\u0000"]}'], NUL), ([b'{"cwd":"\xff"}'], UTF8),
    ([b'{"args":[', (b'"",', 5 * MILLION)], ROOM), ([b""], END),
    ([b"null"], "process property must not be empty"),
    ([b'{"user":{"uid":-1}}'], "number -1 for user.uid is out of range"),
    ([b'{"args":["true"]}'], "Cwd property must not be empty"),
    ([b'{"args":["true"],"cwd":"/","env":["A"]}'], "missing '='"),
])
def test_hostile_process_file(bundle, pieces, text):
    bundle.up()
    path = bundle.path / "process.json"
    write(path, *pieces)
    result = within_memory(bundle, "exec", "--process", path, bundle.id)
    pattern = text if isinstance(text, re.Pattern) else re.compile(re.escape(text))
    result.fails(pattern, rc=255)
    assert bundle.status() == "running"


@pytest.mark.parametrize("pieces, text", [
    ([(b"[", MILLION)], "cannot use array as object"), ([b'{"x":', (b"[", MILLION)], DEEP),
    ([(b" ", 100 * MILLION)], LARGE), ([b'{"cpu":{"cpus":"\\u0000"}}'], NUL),
    ([b'{"cpu":{"cpus":"\xff"}}'], UTF8), ([b"null"], "resources cannot be null"), ([b"\0{}"], END),
    ([b'{"unified":{', (b'"a":"",', MILLION), b'"a":""}}'], "more than 4096 named members"),
    ([b'{"memory":{"limit":9223372036854775808}}'], "for memory.limit is out of range"),
])
@pytest.mark.parametrize("piped", [False, True])
def test_hostile_resources_file(bundle, pieces, text, piped):
    bundle.up()
    path = bundle.path / "resources.json"
    write(path, *pieces)
    with open(path, "rb") as file:
        result = within_memory(bundle, "update", "-r", "-" if piped else path, bundle.id,
                               stdin=file)
    pattern = text if isinstance(text, re.Pattern) else re.compile(re.escape(text))
    result.fails(pattern)
    assert bundle.status() == "running"
