"""The program and the library as files: static, small, hardened, and quiet in memory.

Needs no root, and nothing is executed but where a test says so: CREEL may be of another machine.
"""

import fcntl
import hashlib
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_BYTES = 640 * 1024
PRODUCTS = ("creel", "libcreel.so")

# What -fcf-protection and -mbranch-protection put where a pointer to a function may lead.
LANDINGS = {
    "X86-64": [b"\xf3\x0f\x1e\xfa"],  # endbr64
    "AArch64": [b"\x3f\x23\x03\xd5", b"\x5f\x24\x03\xd5"],  # paciasp, bti c
}
FLAGS = ["-fno-common", "-fno-delete-null-pointer-checks", "-fno-strict-aliasing",
         "-fno-strict-overflow", "-fstack-clash-protection", "-fstack-protector-strong",
         "-ftrivial-auto-var-init=zero"]


@pytest.fixture(scope="module")
def creel():
    path = Path(os.environ.get("CREEL", REPOSITORY / "build" / "creel"))
    if "runc" in path.name:
        pytest.skip("about creel's own program")
    return path


def library(creel):
    path = creel.parent / "include/libcreel.so"
    if not path.exists():
        pytest.skip("the program is not where it and the library were built")
    return path


@pytest.fixture(params=PRODUCTS)
def product(creel, request):
    """Each of what is built to be installed."""
    return creel if request.param == "creel" else library(creel)


def is_of_system_libc(creel):
    options = creel.parent / "meson-info" / "intro-buildoptions.json"
    return options.exists() and '"name": "libc", "value": "system"' in options.read_text()


@pytest.fixture(scope="module")
def static(creel):
    """The program, when it is the static one (-Dlibc=musl)."""
    if is_of_system_libc(creel):
        pytest.skip("built with -Dlibc=system")
    return creel


@pytest.fixture(scope="module")
def native(creel):
    """The program, when this machine can execute it."""
    if not any(name in readelf(creel, "--file-header") for name in MACHINES[os.uname().machine]):
        pytest.skip("built for another machine")
    return creel


MACHINES = {"x86_64": ("X86-64",), "aarch64": ("AArch64",)}


def readelf(path, *what):
    return output("readelf", "--wide", *what, path)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def segments(path, kind):
    """[(offset in the file, address, size in memory, "R E")] of the program headers of a kind."""
    row = rf"^ +{kind} +(0x\w+) (0x\w+) 0x\w+ 0x\w+ (0x\w+) (.{{3}}) "
    found = re.findall(row, readelf(path, "--program-headers"), re.M)
    return [(*(int(number, 16) for number in numbers), flags) for *numbers, flags in found]


def functions(path):
    """{name: address} of the functions that are in the file."""
    row = r"^ *\d+: (\w+) +\d+ FUNC +\w+ +\w+ +\d+ (\S+)$"
    found = re.findall(row, readelf(path, "--syms"), re.M)
    return {name: int(address, 16) for address, name in found}


def machine(path):
    return next(name for name in LANDINGS if name in readelf(path, "--file-header"))


# ---- how it is laid out --------------------------------------------------------------------------


def test_is_position_independent(product):
    assert re.search(r"Type:\s+DYN ", readelf(product, "--file-header"))
    assert "TEXTREL" not in readelf(product, "--dynamic")


def test_needs_no_interpreter(static):
    assert "INTERP" not in readelf(static, "--program-headers")


def test_needs_no_library(static):
    assert "(NEEDED)" not in readelf(static, "--dynamic")


def test_needs_the_c_library_alone(product):
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(product, "--dynamic"))
    assert all(re.match(r"libc\.|ld-", name) for name in needed), needed


def test_has_no_run_path(product):
    assert not re.search(r"\((?:RPATH|RUNPATH)\)", readelf(product, "--dynamic"))


def test_has_relocations_read_only(product):
    """The table of addresses of functions is in the part that is, and filled at the start."""
    [(_, start, size, _)] = segments(product, "GNU_RELRO")
    sections = re.findall(r" (\.got\S*|\.data\.rel\.ro|\.init_array) +\w+ +([0-9a-f]{16}) ",
                          readelf(product, "--sections"))
    assert {".got", ".data.rel.ro"} <= {name for name, _ in sections}
    for name, address in sections:
        assert start <= int(address, 16) < start + size, name
    assert re.search(r"BIND_NOW|\(FLAGS_1\).*NOW", readelf(product, "--dynamic"))


def test_has_no_executable_stack(product):
    assert [flags for *_, flags in segments(product, "GNU_STACK")] == ["RW "]


def test_has_no_segment_to_write_and_execute(product):
    assert not [flags for *_, flags in segments(product, "LOAD") if "W" in flags and "E" in flags]


def test_executes_nothing_but_code(product):
    """-z separate-code: headers, relocations and constants are not in the segment of the code."""
    [(_, start, size, _)] = [row for row in segments(product, "LOAD") if "E" in row[3]]
    sections = re.findall(r"^ +\[ *\d+\] (\S+) +\w+ +([0-9a-f]{16}) (?:\S+ ){3} *(\w*A\w*) ",
                          readelf(product, "--sections"), re.M)
    assert ".rodata" in [name for name, *_ in sections]
    for name, address, flags in sections:
        assert (start <= int(address, 16) < start + size) == ("X" in flags), name


def test_is_named_by_its_content(product):
    assert "NT_GNU_BUILD_ID" in readelf(product, "--notes")


def test_is_small(static, tmp_path):
    stripped = tmp_path / "creel"
    subprocess.run(["strip", "-o", stripped, static], check=True)
    assert stripped.stat().st_size < MOST_BYTES


def test_is_not_setuid(creel):
    assert creel.stat().st_mode & 0o6000 == 0


# ---- how it was compiled -------------------------------------------------------------------------


def test_is_compiled_with_every_flag(product):
    """What leaves no mark that could be told from other code. Which object is whose, meson says."""
    build = product.parent if product.name == "creel" else product.parents[1]
    database = build / "compile_commands.json"
    if not database.exists():
        pytest.skip("not in the directory that it was built in")
    own = r"(libprogram\.a|creel)\.p/" if product.name == "creel" else r"include/libcreel\.so.*\.p/"
    commands = [shlex.split(entry["command"]) for entry in json.loads(database.read_text())
                if re.match(own, entry["output"])]
    assert len(commands) > 100
    for command in commands:
        assert [flag for flag in FLAGS if flag not in command] == [], command[-1]
        assert "-fPIE" in command or "-fPIC" in command, command[-1]
        assert not [word for word in command if re.match(r"-fno-stack-p|-O0|-fcf-p.*=none", word)]


def test_checks_the_stack(product):
    assert "__stack_chk_fail" in readelf(product, "--syms")


def test_marks_where_calls_may_land(product):
    """All that tables of functions lead to: here, the functions that carry out steps."""
    [(offset, start, _, _)] = [row for row in segments(product, "LOAD") if "E" in row[3]]
    content, wanted = product.read_bytes(), LANDINGS[machine(product)]
    names = re.findall(r"\b(do_\w+)[,;]", (REPOSITORY / "src/run/doers.h").read_text())
    address = functions(product)
    if "do_mount" not in address:
        pytest.skip("stripped of its names")
    begins = {name: content[address[name] - start + offset:][:4] for name in names}
    assert len(begins) > 40
    assert [name for name, begin in begins.items() if begin not in wanted] == []


def test_checks_the_size_of_what_it_fills(creel, product):
    """_FORTIFY_SOURCE; musl knows nothing of it."""
    if product == creel and not is_of_system_libc(creel):
        pytest.skip("built with musl")
    checked = re.findall(r"UND __(\w+)_chk@", readelf(product, "--syms"))
    assert {"memcpy", "snprintf", "vsnprintf"} <= set(checked)


def test_library_has_no_mutable_globals(creel):
    """Only the command line (src/cli) may have state outside of its functions."""
    objects = sorted((creel.parent / "libprogram.a.p").glob("*.o"))
    if not objects:
        pytest.skip("not in the directory that it was built in")
    # number, value, size, type, binding, visibility, section
    row = r"^ *\d+: \w+ +\d+ OBJECT +\w+ +\w+ +(\d+|COM) (\S+)$"
    counted = 0
    for path in objects:
        names = dict(re.findall(r"^ +\[ *(\d+)\] (\S+)", readelf(path, "--sections"), re.M))
        symbols = re.findall(row, readelf(path, "--syms"), re.M)
        counted += len(symbols)
        mutable = re.compile(r"\.data(?!\.rel\.ro)|\.bss|COM")
        assert [name for number, name in symbols if mutable.match(names.get(number, number))] == []
    assert counted > 50


# ---- how it is when it runs ----------------------------------------------------------------------


@pytest.fixture
def memory(native):
    """[(start, end, "r--p")] of what the running program has of its file, address 0 the first."""
    reading, writing = os.pipe()
    # A pipe that is full: the program stops when it has something to say.
    os.write(writing, b"x" * fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096))
    with subprocess.Popen([native, "--version"], stdout=writing) as running:
        try:
            wait_for_sleep(running.pid)
            lines = Path(f"/proc/{running.pid}/maps").read_text().splitlines()
        finally:
            os.close(writing)
            os.close(reading)
    own = [line.split() for line in lines if line.endswith(f" {native.resolve()}")]
    ranges = [(*(int(end, 16) for end in row[0].split("-")), row[1]) for row in own]
    return [(start - ranges[0][0], end - ranges[0][0], rights) for start, end, rights in ranges]


def wait_for_sleep(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S":
            return
        time.sleep(0.01)
    pytest.fail("the program does not write, or it is not stopped by a full pipe")


def test_cannot_write_its_relocations(creel, memory):
    """A static program has no loader that would see to it: src/cli/relro.c does."""
    [(_, start, size, _)] = segments(creel, "GNU_RELRO")
    page = os.sysconf("SC_PAGESIZE")
    start, end = start // page * page, (start + size) // page * page
    assert end > start
    rights = [row[2] for row in memory if row[0] < end and row[1] > start]
    assert rights and not [word for word in rights if "w" in word]


def test_has_no_memory_to_write_and_execute(memory):
    assert not [row for row in memory if "w" in row[2] and "x" in row[2]]


# ---- what went into it ---------------------------------------------------------------------------


@pytest.fixture
def bill(creel):
    """The bill of materials (SPDX 2.3) that the build wrote."""
    path = creel.parent / "creel.spdx.json"
    if not path.exists():
        pytest.skip("not in the directory that it was built in")
    return json.loads(path.read_text())


def test_bill_is_well_formed(bill):
    assert (bill["spdxVersion"], bill["dataLicense"]) == ("SPDX-2.3", "CC0-1.0")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    known = [entry["SPDXID"] for entry in [bill, *bill["packages"], *bill["files"]]]
    assert len(known) == len(set(known))
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in known)
    for row in bill["relationships"]:
        assert {row["spdxElementId"], row["relatedSpdxElement"]} <= set(known)
    related = {row["relatedSpdxElement"] for row in bill["relationships"]}
    related |= {row["spdxElementId"] for row in bill["relationships"]}
    assert related == set(known)


def test_bill_names_this_program_and_all_its_sources(creel, bill):
    identity = re.search(r"Build ID: (\w+)", readelf(creel, "--notes"))[1]
    assert identity in bill["packages"][0]["comment"]
    listed = {entry["fileName"].removeprefix("./") for entry in bill["files"]}
    assert listed == {str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("src/*/*.c")}
    for entry in bill["files"]:
        content = (REPOSITORY / entry["fileName"]).read_bytes()
        for check in entry["checksums"]:
            value = hashlib.new(check["algorithm"].lower(), content).hexdigest()
            assert check["checksumValue"] == value, entry["fileName"]


def test_bill_names_what_was_linked(static, bill):
    linked = " ".join(entry.get("comment", "") for entry in bill["packages"])
    for name in ("libc.a", "rcrt1.o", "libgcc.a"):
        assert re.search(rf"\b{re.escape(name)} [0-9a-f]{{64}}", linked), name
    kinds = {row["relationshipType"] for row in bill["relationships"]}
    assert {"DESCRIBES", "GENERATED_FROM", "STATIC_LINK", "BUILD_TOOL_OF"} <= kinds
