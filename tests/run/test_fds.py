"""
Nothing of the caller or of the host leaks into a container: descriptors, environment, the runtime's
own program.
"""

import os
import re
from pathlib import Path

import pytest

from program import PATH


@pytest.fixture
def junk():
    """Twenty open files of the host, one of them a directory as in CVE-2024-21626."""
    files = [os.open("/", os.O_RDONLY | os.O_DIRECTORY)]
    files += [os.open("/etc/passwd", os.O_RDONLY) for _ in range(19)]
    yield files
    for fd in files:
        os.close(fd)


# ---- descriptors ----

@pytest.mark.parametrize("command", ["run", "create", "exec"])
def test_junk_descriptors_do_not_arrive(prober, junk, command):
    prober.args("probe", "fds")
    if command == "run":
        out = prober.run(pass_fds=junk).ok().stdout
    elif command == "create":
        created = prober.create(pass_fds=junk).ok()
        prober.start().ok()
        prober.wait_stopped()
        out = created.stdout
    else:
        prober.up()
        out = prober.exec("probe", "fds", pass_fds=junk).ok().stdout
    assert out.split() == ["0", "1", "2"]


def test_process_one_has_the_three_streams_alone(bundle):
    assert bundle.output("ls /proc/1/fd; true").split() == ["0", "1", "2"]


@pytest.mark.creel_only("1.1 holds its fifo")
def test_created_process_holds_nothing_of_the_host(bundle, junk):
    bundle.create(pass_fds=junk).ok()
    pid = bundle.pid()
    hosts = {line.split()[0] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    for name in set(os.listdir(f"/proc/{pid}/fd")) - {"0", "1", "2"}:
        mount = re.search(r"^mnt_id:\t(\d+)$", Path(f"/proc/{pid}/fdinfo/{name}").read_text(), re.M)
        assert mount[1] not in hosts, os.readlink(f"/proc/{pid}/fd/{name}")


def test_preserved_descriptors_arrive(bundle):
    read_end, write_end = os.pipe()
    os.write(write_end, b"through\n")
    os.close(write_end)
    bundle.shell("cat <&3; ls /proc/$$/fd; true")
    # It must become number 3, which subprocess cannot do.
    result = bundle.run("--preserve-fds", "1", preexec_fn=lambda: os.dup2(read_end, 3),
                        close_fds=False)
    os.close(read_end)
    assert result.ok().stdout.split() == ["through", "0", "1", "2", "3"]


def test_preserved_descriptors_arrive_in_exec(bundle):
    bundle.up()
    read_end, write_end = os.pipe()
    os.write(write_end, b"through\n")
    os.close(write_end)
    result = bundle.exec("sh", "-c", "cat <&3; ls /proc/$$/fd; true",
                         options=["--preserve-fds", "1"], close_fds=False,
                         preexec_fn=lambda: os.dup2(read_end, 3))
    os.close(read_end)
    assert result.ok().stdout.split() == ["through", "0", "1", "2", "3"]


@pytest.mark.creel_only("1.1 takes one of its own for the missing one")
@pytest.mark.parametrize("count", ["1", "5"])
def test_hole_in_preserved_descriptors(bundle, count):
    bundle.run("--preserve-fds", count).fails(part="unable to stat preserved-fd 0")
    log = bundle.path / "log"
    bundle.save()
    words = ("--log", log, "run", "-b", bundle.path, "--preserve-fds", count, bundle.id)
    assert bundle.creel(*words).rc == 1
    assert "unable to stat preserved-fd 0" in log.read_text()


@pytest.mark.creel_only("1.1 takes one of its own for the missing one")
@pytest.mark.parametrize("count", ["1", "5"])
def test_hole_in_preserved_descriptors_of_exec(bundle, count):
    bundle.up()
    bundle.exec("true", options=["--preserve-fds", count]).fails(
        part="unable to stat preserved-fd 0", rc=255)


def test_listen_fds_are_for_the_process_they_name(prober):
    prober.args("probe", "fds")
    result = prober.run(env={"PATH": PATH, "LISTEN_FDS": "1", "LISTEN_PID": "1"}).ok()
    assert result.stdout.split() == ["0", "1", "2"]


def as_descriptors(files, env=None):
    """
    How a program is started that gets files as 3 and so on, as a service manager hands them over:
    LISTEN_PID is its own pid.
    """
    listen = f"LISTEN_PID=$$ LISTEN_FDS={env} " if env else ""
    words = " ".join(f"{number}</proc/self/fd/{file.fileno()}"
                     for number, file in enumerate(files, 3))
    return {"wrapper": ("sh", "-c", f'exec {words}; {listen}exec "$0" "$@"'),
            "pass_fds": [file.fileno() for file in files]}


@pytest.fixture
def letters(bundle):
    """Files that hold a, b and c."""
    files = []
    for letter in "abc":
        path = bundle.path / letter
        path.write_text(letter)
        files.append(path.open())
    yield files
    for file in files:
        file.close()


SHOW = 'echo $LISTEN_FDS $((LISTEN_PID - $$)) "$(cat <&3)"'


def test_listen_fds_arrive(bundle, letters):
    assert bundle.output(SHOW, **as_descriptors(letters[:1], 1)) == "1 0 a"


def test_preserved_descriptors_follow_those_of_listen_fds(bundle, letters):
    script = SHOW + ' "$(cat <&4)"; [ -e /proc/self/fd/5 ] || echo no more'
    assert bundle.output(script, "--preserve-fds", "1",
                         **as_descriptors(letters, 1)) == "1 0 a b\nno more"


@pytest.mark.creel_only("1.1 says 1 in any case")
def test_listen_pid_is_that_of_the_program_in_a_shared_pid_namespace(bundle, letters):
    bundle.host_namespace("pid")
    assert bundle.output(SHOW, **as_descriptors(letters[:1], 1)) == "1 0 a"


@pytest.mark.creel_only("1.1 does not pass them on to exec")
def test_listen_fds_arrive_in_exec(bundle, letters):
    bundle.up()
    result = bundle.exec("sh", "-c", SHOW + ' "$(cat <&4)"', options=["--preserve-fds", "1"],
                         **as_descriptors(letters, 1))
    assert result.ok().stdout == "1 0 a b\n"


@pytest.mark.creel_only("1.1 passes on what is there")
def test_hole_in_listen_fds(bundle, letters):
    result = bundle.run(**as_descriptors(letters[:1], 2))
    result.fails(part="unable to stat preserved-fd 1 (of 2): bad file descriptor")


@pytest.mark.creel_only("1.1 passes on what is there")
@pytest.mark.parametrize("count", ["4294967292", "4294967295"])
def test_more_descriptors_than_there_are_numbers(bundle, letters, count):
    """Together with those of LISTEN_FDS and the standard streams they would begin again at 0."""
    result = bundle.run("--preserve-fds", count, **as_descriptors(letters[:1], 1))
    result.fails(part=f"unable to stat preserved-fd 1 (of {int(count) + 1})")


# ---- environment ----

SECRET = {"PATH": PATH, "SECRET_OF_THE_CALLER": "hunter2"}


def test_environment_of_the_caller_is_not_in_the_containers(bundle):
    bundle.shell("env; tr '\\0' '\\n' </proc/1/environ")
    assert "hunter2" not in bundle.run(env=SECRET).ok().stdout


def test_environment_of_the_caller_is_not_in_a_created_process(bundle):
    bundle.sleep()
    bundle.capabilities()
    bundle.create(env=SECRET).ok()
    result = bundle.exec("cat", "/proc/1/environ", options=["--cap", "CAP_SYS_PTRACE"])
    assert "hunter2" not in result.stdout


def test_command_line_of_a_created_process_tells_no_path_of_the_host(bundle):
    bundle.sleep()
    bundle.create().ok()
    out = bundle.exec("cat", "/proc/1/cmdline").ok().stdout
    assert str(bundle.path) not in out


# ---- the runtime's program (CVE-2019-5736) ----

def test_program_of_a_created_process_cannot_be_written(bundle):
    bundle.create().ok()
    pid = bundle.pid()
    fd = os.open(f"/proc/{pid}/exe", os.O_RDONLY)
    try:
        bundle.delete("--force").ok()  # a running program could not be opened for writing anyway
        assert_not_writable(fd, bundle.program.path)
    finally:
        os.close(fd)


def assert_not_writable(fd, program):
    try:
        writable = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)
    except OSError:
        return
    try:
        mine, hosts = os.fstat(writable), os.stat(program)
        assert not os.path.samestat(mine, hosts), "the program of the host is writable"
        with pytest.raises(OSError):
            os.write(writable, b"x")
    finally:
        os.close(writable)


def test_host_directory_cannot_be_the_working_directory(bundle, junk):
    """CVE-2024-21626: a working directory reached through a leaked descriptor."""
    for fd in range(3, 12):
        bundle.process["cwd"] = f"/proc/self/fd/{fd}"
        bundle.shell("cat ../../../../etc/hostname ../../../../etc/debian_version; true")
        result = bundle.run(pass_fds=junk)
        assert "bookworm" not in result.stdout and not any(c.isdigit() for c in result.stdout)


@pytest.mark.creel_only("1.1 lets it")
def test_created_process_cannot_be_traced_from_inside(bundle):
    """Its memory still holds what the runtime read: it is not dumpable."""
    bundle.capabilities(["CAP_KILL"])
    bundle.create().ok()
    result = bundle.exec("cat", "/proc/1/maps")
    assert result.rc != 0 or result.stdout == ""
