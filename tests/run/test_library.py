"""
libcreel as other programs find it: installed, found by pkg-config, linked in each way, and used.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import program as programs

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples/lifecycle.c"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic-errors"]


def output(*command, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, env=os.environ | environment, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Installed:
    """What `make install` would put below a directory."""

    def __init__(self, build, where):
        output("meson", "install", "--no-rebuild", "--quiet", "-C", build, "--destdir", where)
        self.where = where
        [self.archive] = where.rglob("libcreel.a")
        [self.shared] = where.rglob("libcreel.so")
        [self.header] = where.rglob("creel.h")
        [self.pc] = where.rglob("creel.pc")

    def flags(self, *options):
        return output("pkg-config", *options, "creel", PKG_CONFIG_LIBDIR=str(self.pc.parent),
                      PKG_CONFIG_SYSROOT_DIR=str(self.where)).split()

    def compile(self, source, target, *more, compiler="cc", libraries=None):
        libraries = libraries or self.flags("--libs")
        output(compiler, *WARNINGS, "-o", target, source, *self.flags("--cflags"), *more,
               *libraries)
        return target


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    build = Path(os.environ.get("CREEL", REPOSITORY / "build/creel")).resolve().parent
    if not (build / "include/libcreel.a").exists():
        pytest.skip("the program is not where it and the library were built")
    for tool in ("cc", "meson", "pkg-config", "nm", "readelf"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    return Installed(build, tmp_path_factory.mktemp("installed"))


# ---- what it looks like ----

def declared(library):
    """The functions of creel.h."""
    text = re.sub(r"/\*.*?\*/", "", library.header.read_text(), flags=re.S)
    return set(re.findall(r"^[\w ]+[ *](creel_\w+)\(", text, re.M))


def defined(*command):
    words = [line.split() for line in output("nm", "--defined-only", *command).splitlines()]
    return {word[2].split("@")[0] for word in words if len(word) == 3 and word[1] != "A"}


def test_shared_library_exports_what_the_header_declares(library):
    assert len(declared(library)) > 20
    assert defined("--dynamic", library.shared) == declared(library)


def test_archive_exports_what_the_header_declares(library):
    assert defined("--extern-only", library.archive) == declared(library)


def test_shared_library_needs_the_c_library_alone(library):
    dynamic = output("readelf", "--wide", "--dynamic", library.shared)
    needed = set(re.findall(r"NEEDED\).*\[(.*)\]", dynamic))
    assert {name.split(".")[0] for name in needed} <= {"libc", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert re.search(r"SONAME\).*\[libcreel\.so\.0\.1\]", dynamic)
    assert re.search(r"BIND_NOW|FLAGS.*NOW", dynamic) and "TEXTREL" not in dynamic


def test_version(library):
    version = output("pkg-config", "--modversion", library.pc).strip()
    assert re.search(rf'^\s*version: \'{re.escape(version)}\'', (REPOSITORY / "meson.build").read_text(),
                     re.M)


@pytest.mark.parametrize("compiler, language, standard", [
    ("gcc", "c", "c11"), ("gcc", "c", "gnu17"), ("clang", "c", "c11"),
    ("g++", "c++", "c++11"), ("g++", "c++", "c++20"), ("clang++", "c++", "c++17")])
def test_header_is_understood(library, tmp_path, compiler, language, standard):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    source = tmp_path / "user"
    source.write_text("#include <creel.h>\n#include <creel.h>\n"
                      "int use(struct creel *);\n"
                      "int use(struct creel *c) { return creel_kill(c, \"x\", 9, false, 0); }\n")
    output(compiler, "-x", language, f"-std={standard}", *WARNINGS, "-fsyntax-only", source,
           *library.flags("--cflags"))


def test_cxx_program(library, tmp_path):
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    (tmp_path / "user.cc").write_text(
        '#include <creel.h>\n#include <cstdio>\n'
        'int main() { std::puts(creel_version()); }\n')
    library.compile(tmp_path / "user.cc", tmp_path / "user", compiler="g++")
    assert output(tmp_path / "user", LD_LIBRARY_PATH=str(library.shared.parent)).strip() \
        == output("pkg-config", "--modversion", library.pc).strip()


# ---- what it does ----

def compiled(library, source, target, how):
    if how == "shared":
        return library.compile(source, target, f"-Wl,-rpath,{library.shared.parent}")
    if how == "archive":
        return library.compile(source, target, libraries=[library.archive])
    return library.compile(source, target, "-static", libraries=library.flags("--static", "--libs"))


def run(bundle, *words):
    """Runs a program that is no creel, and says nothing on stderr when all is well."""
    bundle.save()
    argv = [str(word) for word in words]
    return programs.Running(argv, subprocess.DEVNULL, {"PATH": programs.PATH}, {}).wait()


@pytest.mark.parametrize("how", ["shared", "archive", "static"])
def test_example(library, bundle, how):
    """A container is made, started, entered, awaited and deleted."""
    user = compiled(library, EXAMPLE, bundle.path / "lifecycle", how)
    bundle.shell("while [ ! -e /go ]; do sleep 0.01; done; echo gone; exit 7")
    result = run(bundle, user, bundle.root, bundle.path, bundle.id, "touch", "/go")
    assert (result.rc, result.stderr) == (7, "")
    assert sorted(result.stdout.splitlines()) == sorted(
        [f"{bundle.id} is created", "touch ended with 0", "gone"])
    assert bundle.status() is None


@pytest.mark.parametrize("fault, told", [
    ("create", 'create: unable to start container process: '), ("exec", "exec: ")])
def test_example_leaves_nothing_when_it_fails(library, bundle, fault, told):
    user = compiled(library, EXAMPLE, bundle.path / "lifecycle", "archive")
    bundle.sleep()
    if fault == "create":
        bundle.args("/nosuch")
    result = run(bundle, user, bundle.root, bundle.path, bundle.id, "/nosuch")
    assert result.rc == 255 and result.stderr.startswith(told)
    assert "exec: \"/nosuch\": stat /nosuch: no such file or directory" in result.stderr
    assert bundle.status() is None


@pytest.fixture(scope="session")
def user(library, tmp_path_factory):
    source = Path(__file__).with_name("library_user.c")
    return library.compile(source, tmp_path_factory.mktemp("user") / "user",
                           libraries=[library.archive])


def test_program_without_protection_is_refused(user, bundle):
    result = run(bundle, user, "unprotected", bundle.root, bundle.path, bundle.id)
    assert result.stdout == ("-1: code 3: the container could overwrite this program's file on the "
                             "host; hint: call creel_protect first of all in main\n")


def test_file_of_the_program_cannot_be_written(user, bundle):
    """What waits in the container is the program, and yet not the host's file (CVE-2019-5736)."""
    bundle.alive.add(bundle.id)
    assert run(bundle, user, "create", bundle.root, bundle.path, bundle.id).rc == 0
    fd = os.open(f"/proc/{bundle.pid()}/exe", os.O_RDONLY)
    try:
        bundle.delete("--force").ok()  # a running program could not be opened for writing anyway
        with pytest.raises(OSError):
            os.write(os.open(f"/proc/self/fd/{fd}", os.O_WRONLY), b"x")
    finally:
        os.close(fd)


def test_foreground_leaves_the_process_as_it_was(user, bundle):
    bundle.shell("exit 5")
    result = run(bundle, user, "foreground", bundle.root, bundle.path, bundle.id)
    assert result.stdout.splitlines() == [
        "status 5", "descriptors +0", "SIGTERM let through", "children none"]


def test_state_directory_must_be_absolute(user, bundle):
    result = run(bundle, user, "relative", "somewhere")
    assert result.stdout == \
        "-1: code 3: state directory somewhere: the path is not absolute\n"
