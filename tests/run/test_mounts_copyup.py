"""tmpcopyup: a tmpfs that begins with what the image has in its place."""

import os
import socket
import stat
import subprocess

import pytest

from bundle import ALL_CAPABILITIES
from mounting import host_mount, mountinfo

OLD = (1_000_000_000_123_456_789, 1_100_000_000_987_654_321)  # access and change, in ns


@pytest.fixture
def data(bundle):
    """/data of the image, and a tmpfs in its place."""
    path = bundle.rootfs / "data"
    path.mkdir()
    bundle.mount("/data", "tmpfs", "tmpfs", "tmpcopyup")
    return path


def look(bundle, script):
    bundle.capabilities([*ALL_CAPABILITIES, "CAP_DAC_READ_SEARCH"])
    return bundle.output(script)


def test_files_directories_and_links(bundle, data):
    (data / "sub/deep").mkdir(parents=True)
    (data / "sub/deep/file").write_text("from the image\n")
    (data / "link").symlink_to("sub/deep/file")
    (data / "nowhere").symlink_to("/not/there")
    out = bundle.output("cat /data/link; readlink /data/link; readlink /data/nowhere; find /data | sort")
    assert out.splitlines() == [
        "from the image", "sub/deep/file", "/not/there", "/data", "/data/link", "/data/nowhere",
        "/data/sub", "/data/sub/deep", "/data/sub/deep/file"]


def test_the_image_stays_as_it_is(bundle, data):
    (data / "file").write_text("from the image")
    bundle.output("echo changed >/data/file; touch /data/new")
    assert (data / "file").read_text() == "from the image"
    assert [path.name for path in data.iterdir()] == ["file"]


@pytest.mark.creel_only("1.1 keeps neither times nor all owners")
def test_modes_owners_and_times(bundle, data):
    for name, mode, owner in (("file", 0o4751, (1000, 1001)), ("sub", 0o3770, (7, 8))):
        path = data / name
        path.mkdir() if name == "sub" else path.write_text("x")
        if name == "sub":
            (path / "inside").touch()
        os.chown(path, *owner)
        path.chmod(mode)
        os.utime(path, ns=OLD)
    (data / "link").symlink_to("file")
    os.chown(data / "link", 5, 6, follow_symlinks=False)
    os.utime(data / "link", ns=OLD, follow_symlinks=False)
    out = look(bundle, "cd /data; stat -c '%n %a %u:%g %Y' file sub link; stat -c %x file sub link")
    lines = out.splitlines()
    assert lines[:3] == ["file 4751 1000:1001 1100000000", "sub 3770 7:8 1100000000",
                         "link 777 5:6 1100000000"]
    assert all(line.startswith("2001-09-09 01:46:40.123456789") for line in lines[3:])


@pytest.mark.creel_only("1.1 leaves the directory to root")
def test_the_directory_s_own_mode_and_owner(bundle, data):
    os.chown(data, 1000, 1001)
    data.chmod(0o2750)
    assert bundle.output("stat -c '%a %u:%g' /data") == "2750 1000:1001"


@pytest.mark.creel_only("1.1 leaves the directory to root")
def test_what_the_entry_says_goes_first(bundle, data):
    os.chown(data, 1000, 1001)
    bundle.config["mounts"][-1]["options"] += ["mode=711", "uid=5"]
    assert bundle.output("stat -c '%a %u:%g' /data") == "711 5:1001"


@pytest.mark.creel_only("1.1 copies neither")
def test_devices_fifos_and_sockets(bundle, data):
    os.mkfifo(data / "fifo")
    (data / "fifo").chmod(0o641)
    os.mknod(data / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(data)
        listener.bind("socket")
        os.chdir("/")
    (data / "null").chmod(0o666)
    os.chown(data / "null", 3, 4)
    out = bundle.output("cd /data; stat -c '%n %F %a %u:%g %t:%T' *")
    assert out.splitlines() == ["fifo fifo 641 0:0 0:0",
                                "null character special file 666 3:4 1:3",
                                "socket socket 755 0:0 0:0"]


@pytest.mark.creel_only("1.1 does not copy them")
def test_extended_attributes(bundle, data):
    (data / "file").write_text("x")
    (data / "sub").mkdir()
    os.setxattr(data / "file", "trusted.creel", b"one\0two")
    os.setxattr(data / "sub", "trusted.creel", b"three")
    bundle.sleep()
    bundle.run_detached().ok()
    inside = f"/proc/{bundle.pid()}/root/data"
    assert os.getxattr(f"{inside}/file", "trusted.creel") == b"one\0two"
    assert os.getxattr(f"{inside}/sub", "trusted.creel") == b"three"


def test_file_capabilities(bundle, data):
    (data / "tool").write_text("x")
    os.chown(data / "tool", 1000, 1000)
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    os.setxattr(data / "tool", "security.capability", capability)
    bundle.sleep()
    bundle.run_detached().ok()
    if bundle.program.name == "creel":
        copied = os.getxattr(f"/proc/{bundle.pid()}/root/data/tool", "security.capability")
        assert copied == capability


def test_links_lead_nowhere(bundle, data):
    """What a link names is neither read nor written, whatever that is."""
    outside = bundle.path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (data / "absolute").symlink_to(outside)
    (data / "relative").symlink_to("../../outside")
    (data / "proc").symlink_to("/proc/self/root")
    out = bundle.output("cd /data; cat */secret 2>/dev/null; ls | wc -l")
    assert out == "3"
    assert [path.name for path in outside.iterdir()] == ["secret"]


@pytest.mark.creel_only("1.1 writes the holes")
def test_holes_stay_holes(bundle, data):
    with (data / "sparse").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"here")
    bundle.config["mounts"][-1]["options"].append("size=1m")
    out = bundle.output("cd /data; stat -c '%s' sparse; "
                        "dd if=sparse bs=4 skip=$((1 << 28)) count=1 2>/dev/null")
    assert out == f"{1 << 40}\nhere"


def test_large_and_empty_files(bundle, data):
    (data / "empty").touch()
    (data / "large").write_bytes(bytes(range(256)) * 40000)
    subprocess.run(["cp", data / "large", bundle.rootfs / "large"], check=True)
    assert bundle.output("stat -c %s /data/empty; cmp /data/large /large && echo same") == "0\nsame"


@pytest.mark.creel_only("1.1 runs out of path")
def test_many_levels(bundle, data):
    os.chdir(data)
    for _ in range(400):
        os.mkdir("d")
        os.chdir("d")
    with open("end", "w", encoding="ascii") as file:
        file.write("bottom\n")
    os.chdir("/")
    assert bundle.output(f"cat /data/{'d/' * 400}end") == "bottom"


def test_many_files(bundle, data):
    for n in range(1500):
        (data / f"{n:050}").write_text(str(n))
    assert bundle.output("ls /data | wc -l; cat /data/*1234") == "1500\n1234"


def test_what_an_earlier_mount_put_there_is_copied(bundle, volume):
    bundle.bind(volume, "/data")
    bundle.mount("/data", "tmpfs", "tmpfs", "tmpcopyup")
    assert bundle.output("cat /data/file; touch /data/new") == "from outside"
    assert [path.name for path in volume.iterdir()] == ["file"]


@pytest.mark.creel_only("1.1 has another mode")
def test_missing_directory(bundle):
    bundle.mount("/data/new", "tmpfs", "tmpfs", "tmpcopyup")
    assert bundle.output("ls -A /data/new; stat -c %a /data/new") == "1777"


def test_read_only(bundle, data):
    (data / "file").write_text("x\n")
    bundle.config["mounts"][-1]["options"] += ["ro", "nosuid"]
    assert bundle.output("cat /data/file; touch /data/new 2>/dev/null || echo no") == "x\nno"


def test_in_a_user_namespace(bundle, data):
    (data / "file").write_text("x\n")
    bundle.user_namespace(host_id=100000)
    os.chown(data / "file", 100007, 100008)
    assert bundle.output("stat -c %u:%g /data /data/file; cat /data/file") == "0:0\n7:8\nx"


@pytest.mark.creel_only("1.1 says invalid argument")
def test_an_owner_that_is_not_mapped(bundle, data):
    (data / "file").write_text("x\n")
    bundle.user_namespace(host_id=100000, size=1000)
    os.chown(data / "file", 5, 5)
    message = bundle.run().fails(part="tmpcopyup: give its owner to file: invalid argument",
                                 pointer="/mounts/7")
    assert "not mapped" in message.hint


def test_too_small(bundle, data):
    (data / "sub").mkdir()
    (data / "sub/file").write_bytes(b"x" * 100_000)
    bundle.config["mounts"][-1]["options"].append("size=8k")
    message = bundle.run().fails(part="no space left on device")
    assert "tmpcopyup: copy sub/file" in message.text or bundle.program.name == "runc"


@pytest.mark.creel_only("1.1 passes it over")
@pytest.mark.parametrize("kind, options", [("bind", ["rbind"]), ("ramfs", []), ("none", ["bind"])])
def test_only_for_tmpfs(bundle, volume, kind, options):
    bundle.mount("/data", kind, str(volume), "tmpcopyup", *options)
    bundle.run().fails(part='invalid mount "/data": tmpcopyup is only supported for tmpfs',
                       pointer="/mounts/7/options")


@pytest.mark.creel_only("1.1 knows no id-mapped tmpfs")
def test_ids_are_mapped_as_well(bundle, data):
    (data / "file").write_text("x\n")
    bundle.user_namespace(host_id=100000)
    os.chown(data / "file", 100005, 100006)
    bundle.config["mounts"][-1]["options"].append("idmap")
    assert bundle.output("stat -c %u:%g /data /data/file") == "0:0\n5:6"


def test_it_is_the_tmpfs_that_is_seen(bundle, data):
    assert mountinfo(bundle)["/data"].type == "tmpfs"


def test_a_mount_of_the_host_below_is_copied_too(bundle, volume):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub"):
        (volume / "sub/below").write_text("deep\n")
        bundle.bind(volume, "/data", "rbind")
        bundle.mount("/data", "tmpfs", "tmpfs", "tmpcopyup")
        assert bundle.output("cat /data/sub/below") == "deep"
