"""The program as a file: static, small, hardened, and quiet in memory. Needs no root."""

import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_BYTES = 640 * 1024


@pytest.fixture(scope="module")
def creel():
    path = Path(os.environ.get("CREEL", REPOSITORY / "build" / "creel"))
    if "runc" in path.name:
        pytest.skip("about creel's own program")
    return path


@pytest.fixture(scope="module")
def static(creel):
    """The program, when it is the static one (-Dlibc=musl)."""
    if "INTERP" in readelf(creel, "--program-headers"):
        options = creel.parent / "meson-info" / "intro-buildoptions.json"
        if options.exists() and '"name": "libc", "value": "system"' in options.read_text():
            pytest.skip("built with -Dlibc=system")
    return creel


def readelf(path, *what):
    return output("readelf", "--wide", *what, path)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_is_position_independent(creel):
    assert re.search(r"Type:\s+DYN ", readelf(creel, "--file-header"))


def test_needs_no_interpreter(static):
    assert "INTERP" not in readelf(static, "--program-headers")


def test_needs_no_library(static):
    assert "(NEEDED)" not in readelf(static, "--dynamic")


def test_has_no_run_path(creel):
    assert not re.search(r"\((?:RPATH|RUNPATH)\)", readelf(creel, "--dynamic"))


def test_has_relocations_read_only(creel):
    assert "GNU_RELRO" in readelf(creel, "--program-headers")
    assert re.search(r"BIND_NOW|\(FLAGS_1\).*NOW", readelf(creel, "--dynamic"))


def test_has_no_executable_stack(creel):
    assert re.search(r"GNU_STACK .* RW ", readelf(creel, "--program-headers"))


def test_has_no_segment_to_write_and_execute(creel):
    assert not re.search(r"LOAD .* RWE ", readelf(creel, "--program-headers"))


def test_has_stack_protector(creel):
    assert "__stack_chk_fail" in readelf(creel, "--syms")


def test_is_small(static, tmp_path):
    stripped = tmp_path / "creel"
    subprocess.run(["strip", "-o", stripped, static], check=True)
    assert stripped.stat().st_size < MOST_BYTES


def test_is_not_setuid(creel):
    assert creel.stat().st_mode & 0o6000 == 0


def test_library_has_no_mutable_globals(creel):
    """Only the command line (src/cli) may have state outside of its functions."""
    objects = sorted((creel.parent / "libprogram.a.p").glob("*.o"))
    if not objects:
        pytest.skip("not in the directory that it was built in")
    # address, flags, section, size, name
    row = r"^[0-9a-f]+ .{7} (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\w\S*)$"
    symbols = re.findall(row, output("objdump", "--syms", *objects), re.M)
    assert len(symbols) > len(objects)
    mutable = re.compile(r"\.data(?!\.rel\.ro)|\.bss|\*COM\*")
    assert [name for section, name in symbols if mutable.match(section)] == []
